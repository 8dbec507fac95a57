//! The sentences about a finding: what happens, why it hurts, what to do instead. Made here once, for all formats.

use nostall_model::finding::{
    Advice, Block, Bond, Cause, Code, Finding, Guards, Offload, Part, Replacement, SyncForm, Twin,
    UnresolvedCall,
};
use nostall_model::{Language, Waits};

/// Returns what happens, about the user's code: the called helper where there is one, else the api.
#[must_use]
pub fn message(finding: &Finding) -> String {
    match &finding.cause {
        Cause::Call {
            path,
            waits,
            panics,
            ..
        } => {
            let helper = finding.chain.first().filter(|_| finding.chain.len() > 1);
            let subject = helper.map_or(path, |hop| &hop.call);
            let doing = if *panics {
                match finding.language {
                    Language::Rust => "panics inside an async runtime".to_owned(),
                    Language::Python => "fails while an event loop runs".to_owned(),
                }
            } else {
                what_a_wait_does(*waits, finding.language)
            };
            let through = helper.map_or_else(String::new, |_| format!(", through `{path}`"));
            format!("`{subject}` {doing}{through}")
        }
        Cause::Guard { type_, guards } => match guards {
            Guards::Lock | Guards::TaskLock => {
                format!("a `{type_}` is held while the task is suspended")
            }
            Guards::Borrow | Guards::Span => {
                format!("a `{type_}` is kept while the task is suspended")
            }
        },
    }
}

fn what_a_wait_does(waits: Waits, language: Language) -> String {
    let executor = match language {
        Language::Rust => "executor thread",
        Language::Python => "event loop",
    };
    match waits {
        Waits::Timer => format!("puts the {executor} to sleep"),
        Waits::Network => format!("holds the {executor} for a network round trip"),
        Waits::Cpu | Waits::Data => format!("computes on the {executor}"),
        Waits::Disk => format!("holds the {executor} while the disk works"),
        Waits::Change | Waits::Metadata => format!("holds the {executor} for a file-system call"),
        Waits::Brief => format!("holds the {executor} for a moment"),
        Waits::Unbounded => format!("can hold the {executor} without a bound"),
    }
}

/// Returns why that holds the thread, one sentence.
#[must_use]
pub fn why(finding: &Finding) -> &str {
    match &finding.cause {
        Cause::Call { why, .. } => why,
        Cause::Guard { guards, .. } => match (guards, finding.language) {
            (Guards::Lock | Guards::TaskLock, Language::Python) => {
                "The lock stays taken until the task goes on; another task that wants it holds the event loop, so that it never does."
            }
            (Guards::Lock | Guards::TaskLock, Language::Rust) => {
                "The lock stays taken until the task goes on; whoever wants it meanwhile holds a thread."
            }
            (Guards::Borrow, _) => {
                "The value stays borrowed until the task goes on; another task on this thread that borrows it panics."
            }
            (Guards::Span, _) => {
                "The span stays entered on this thread while other tasks run on it, and is not entered where this task goes on."
            }
        },
    }
}

/// Returns what to do instead, without a verb where it is code: "`tokio::fs::read(path).await`".
#[must_use]
pub fn replacement(replacement: &Replacement) -> String {
    let text = match replacement {
        Replacement::Twin(twin) => twin_text(twin),
        Replacement::Offload(offload) => offload_text(offload),
        Replacement::OffloadBlock {
            block: Block::Kept(handle),
            ..
        } => kept_text(handle),
        Replacement::OffloadBlock {
            offloader,
            block,
            awaits,
            ..
        } => {
            let later = if *awaits {
                ""
            } else {
                ", which nothing here can await"
            };
            format!("{} by `{offloader}`{later}", block_text(block))
        }
        Replacement::OffloadPart {
            offloader,
            stays,
            bond,
            part,
        } => part_text(offloader, stays, *bond, part.as_ref()),
        Replacement::AwaitElsewhere { function, form } => elsewhere_text(function, *form),
        Replacement::SyncEndpoint { function } => format!(
            "make `{function}` a plain `def`: it awaits nothing, and the framework runs it on threads of its own"
        ),
        Replacement::Guarded(inner) => format!(
            "{}, and guard it with a lock: several tasks run it at once",
            self::replacement(inner)
        ),
        Replacement::IfFree { inner, given } => format!(
            "{}, if all that is given as `{given}` may run on a thread; else take coroutine functions there, and `await` them",
            self::replacement(inner)
        ),
        Replacement::Choice(choices) => {
            let texts: Vec<String> = choices.iter().map(self::replacement).collect();
            match texts.split_last() {
                Some((last, [])) => last.clone(),
                Some((last, others)) => format!("{}, or {last}", others.join(" or ")),
                None => String::new(),
            }
        }
        Replacement::Words(advice) => words(*advice).to_owned(),
    };
    match replacement.features() {
        [] => text,
        [only] => format!("{text}, with {}'s feature `{}`", only.library, only.name),
        [first, ..] => {
            let all = replacement.features().iter();
            let names: Vec<String> = all.map(|it| format!("`{}`", it.name)).collect();
            format!(
                "{text}, with {}'s features {}",
                first.library,
                names.join(" and ")
            )
        }
    }
}

/// Returns what to do instead as a sentence without its stop: "use `tokio::fs::read(path).await`".
#[must_use]
pub fn help(replacement: &Replacement) -> String {
    let text = self::replacement(replacement);
    // What is no code is advice in words.
    if text.starts_with('`') {
        format!("use {text}")
    } else {
        text
    }
}

/// Returns why a call's target is not known.
#[must_use]
pub fn unknown(call: &UnresolvedCall) -> String {
    let reason = call.reason.reason();
    match &call.origin {
        Some(origin) => format!("{reason}: it is {}", origin.describe()),
        None => reason.to_owned(),
    }
}

fn part_text(offloader: &str, stays: &str, bond: Bond, part: Option<&Part>) -> String {
    let needs = match bond {
        Bond::Loop => "needs the running event loop",
        Bond::Context => "changes the context variables of its caller",
    };
    match part {
        Some(Part { call, path, line }) => format!(
            "take `{call}` ({path}:{line}) out of `{stays}`, which {needs}, and run it alone by `{offloader}`"
        ),
        None => format!(
            "part what blocks in `{stays}` from what {needs}, and run it alone by `{offloader}`"
        ),
    }
}

fn elsewhere_text(function: &str, form: SyncForm) -> String {
    match form {
        SyncForm::Constructor => format!(
            "as `{function}` cannot be async, `await` the coroutine in an async function (a class method, say) that builds the object with its value, and call that"
        ),
        SyncForm::Property => format!(
            "as the property `{function}` cannot be async, `await` the coroutine in an async method beside it, and call that from async code"
        ),
        SyncForm::With => format!(
            "as `{function}` cannot be async, `await` the coroutine in `__aenter__` or `__aexit__`, and enter it by `async with`"
        ),
        SyncForm::Iteration => format!(
            "as `{function}` cannot be async, `await` the coroutine in `__aiter__` or `__anext__`, and iterate by `async for`"
        ),
        SyncForm::Operator => format!(
            "as the language calls `{function}`, it cannot be async: write an async method that awaits, and call that"
        ),
        SyncForm::Drop => format!(
            "as `{function}` cannot be async, await in an async `close` that is called before, or hand the work to a task"
        ),
        SyncForm::Definition => format!(
            "as `{function}` runs while it is defined, it cannot be async: await in a function that async code calls at its start"
        ),
        SyncForm::Trait => format!(
            "as `{function}` is a method of a library's trait, it cannot be async: await in an async function, and call that in its place"
        ),
        SyncForm::Callback(Language::Python) => format!(
            "as the event loop calls `{function}`, it cannot be async: make a task of the coroutine (`asyncio.create_task`), and keep it"
        ),
        SyncForm::Callback(Language::Rust) => format!(
            "as the executor calls `{function}`, it cannot be async: spawn the future as a task"
        ),
    }
}

fn kept_text(handle: &str) -> String {
    format!(
        "give `{handle}` a thread of its own (an executor with one worker), and open, use and close it there"
    )
}

fn block_text(block: &Block) -> String {
    match block {
        Block::Handle(handle) => {
            format!("open, use and close `{handle}` in one function, and run that")
        }
        Block::Kept(handle) => kept_text(handle),
        Block::HandleOf { handle, opened } => {
            let handle = handle.as_ref().map(|handle| format!("`{handle}`"));
            let handle = handle.as_deref().unwrap_or("this");
            format!(
                "open the `{opened}` that {handle} comes from, use both and close it in one function, and run that"
            )
        }
        Block::OwnThread => {
            "take here what this asks of its own thread (the exception, the stack), and run the rest with that".to_owned()
        }
        Block::Opened => "open, use and close this in one function, and run that".to_owned(),
        Block::Back(name) => {
            format!("move this into a function that gives `{name}` back, and run that")
        }
        Block::Locked(name) => {
            format!("take the lock, use `{name}` and release it in one function, and run that")
        }
        Block::Shared(name) => {
            format!("share `{name}` in an `Arc<Mutex<_>>`, lock it in a function, and run that")
        }
        Block::Itself => {
            "clone what this needs of `self`, or share it in an `Arc`, and run a function on that"
                .to_owned()
        }
        Block::Around(name) => {
            format!("this cannot await: run the whole expression that `{name}` stands in")
        }
        Block::With => "move the `with` block into a function, and run that".to_owned(),
        Block::Calls { count, first, last } if first == last => {
            format!("run the {count} file calls of line {first} in one function")
        }
        Block::Calls { count, first, last } => {
            format!("run the {count} file calls of lines {first} to {last} in one function")
        }
        Block::Work => {
            "move this with the lines around it into a function, and run that".to_owned()
        }
    }
}

fn twin_text(twin: &Twin) -> String {
    let code = match &twin.code {
        Some(code) => code_text(code),
        None => format!("`{}`", twin.path),
    };
    match &twin.library {
        Some(library) => format!("{code} ({library})"),
        None if twin.of_handle => {
            format!("{code}, on what the same library opens in place of this")
        }
        None => code,
    }
}

fn code_text(code: &Code) -> String {
    let import = code.import.as_ref();
    let import = import.map_or_else(String::new, |import| format!(" after `{import}`"));
    format!("`{}`{import}", code.text())
}

fn offload_text(offload: &Offload) -> String {
    let code = code_text(&offload.code);
    let names: Vec<String> = offload
        .borrowed
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    let how = if offload.unclonable {
        "owned, or shared in an `Arc`"
    } else {
        "owned, cloned or shared in an `Arc`"
    };
    if names.is_empty() {
        return code;
    }
    format!("{code}, once {} {are} {how}", names.join(" and "))
}

fn words(advice: Advice) -> &'static str {
    match advice {
        Advice::AwaitFuture(Language::Rust) => {
            "make the functions on the way async and `.await` the future, instead of starting a runtime for it"
        }
        Advice::AwaitFuture(Language::Python) => {
            "make the functions on the way async (or write async ones beside those that sync code calls too) and `await` the coroutine, instead of starting a loop for it"
        }
        Advice::OwnThread => {
            "run this on a thread, of its own or of a pool, and wait for its answer where that can be awaited"
        }
        Advice::Note => {
            "nothing can await here: only note that it happened (set an event or a flag), and do this in the code that waits for that"
        }
        Advice::GivenBlocks => {
            "what is given here is called on the executor's thread: hand over one that does not block, or have it called on another thread there"
        }
        Advice::EndGuard(Language::Python, Guards::Lock | Guards::TaskLock) => {
            "end the `with` before the `await`, or use a lock of the runtime (`asyncio.Lock`)"
        }
        Advice::EndGuard(_, Guards::Lock | Guards::TaskLock) => {
            "end the guard's scope before the `.await`, `drop` it, or use a lock of the runtime"
        }
        Advice::EndGuard(_, Guards::Borrow) => {
            "take out what you need and end the borrow before the `.await`"
        }
        Advice::EndGuard(_, Guards::Span) => {
            "`tracing::Instrument::instrument` on the future, or `#[tracing::instrument]` on the function"
        }
        Advice::ShortLock(Language::Python) => {
            "keep what is done under the lock short; where it is held over an `await`, use a lock of the runtime (`asyncio.Lock`)"
        }
        Advice::ShortLock(Language::Rust) => {
            "keep what is done under the lock short; where it is held over an `.await`, use a lock of the runtime"
        }
        Advice::AwaitSignal(Language::Python) => {
            "await that it happens instead of asking: an event or queue of the runtime, or a pause that is awaited in the loop"
        }
        Advice::AwaitSignal(Language::Rust) => {
            "await that it happens instead of asking: a channel, a notification or the task's handle, or a pause that is awaited in the loop"
        }
        Advice::PollTwin => {
            "a `poll` function cannot await: keep the async twin in the struct and poll it"
        }
        Advice::OutsideClosure => {
            "this function cannot await: do the work off the executor, in the async function around it, before or after"
        }
        Advice::AsyncClose => {
            "`drop` cannot await: do the work in an async `close`, or hand it to a thread"
        }
    }
}
