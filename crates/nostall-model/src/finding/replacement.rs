//! What to do instead of a call that blocks, as data. The sentences are the reports'.

use super::Guards;
use crate::{Language, Span};

/// What to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// An async function of the runtime, or of a library, that does the same.
    Twin(Twin),
    /// The same work off the executor.
    Offload(Offload),
    /// Several steps in one function, and that off the executor.
    OffloadBlock {
        /// The function that runs a callable off the executor: `tokio::task::spawn_blocking`.
        offloader: String,
        /// What belongs together.
        block: Block,
        /// Whether the code awaits; where it does not, the work ends some time later.
        awaits: bool,
        /// The features that the manifest does not ask for.
        features: Vec<Feature>,
    },
    /// A part of the work off the executor: the function that is called has to stay on the executor's thread.
    OffloadPart {
        /// The function that runs a callable off the executor.
        offloader: String,
        /// The path of the function that stays.
        stays: String,
        /// Why.
        bond: Bond,
        /// What can move; none where that is no one call.
        part: Option<Part>,
    },
    /// A future or coroutine awaited by code that can, where a function on the way to what runs it cannot be async.
    AwaitElsewhere {
        /// The path of that function.
        function: String,
        /// Why it cannot.
        form: SyncForm,
    },
    /// `def` instead of `async def`: the framework then runs the endpoint on threads of its own.
    SyncEndpoint {
        /// The endpoint's name.
        function: String,
    },
    /// The same, under a lock: several tasks run the code at once, and change what they share.
    Guarded(Box<Self>),
    /// The same, where a callable that is given from outside need not run on the executor's thread.
    IfFree {
        /// What to do then.
        inner: Box<Self>,
        /// The callable as written.
        given: String,
    },
    /// Several, the best first.
    Choice(Vec<Self>),
    /// What no expression says.
    Words(Advice),
}

/// An async function that does the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// Its path.
    pub path: String,
    /// Whether it is a method: what it is called on has to be of another type then, opened by its own library.
    pub of_handle: bool,
    /// The library that it comes from, where that is not the runtime and the project may lack it.
    pub library: Option<String>,
    /// The call rewritten, where the twin takes the same arguments and gives the same value.
    pub code: Option<Code>,
    /// The features that the manifest does not ask for.
    pub features: Vec<Feature>,
}

/// A feature that a library has to be built with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// The library, as manifests write it.
    pub library: String,
    /// The feature's name.
    pub name: String,
}

/// Work that is handed to other threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offload {
    /// The call rewritten.
    pub code: Code,
    /// What of it the other thread cannot have as it is, as written: borrowed, or not known to be free to move.
    pub borrowed: Vec<String>,
    /// Whether some of that is known to have no `clone`.
    pub unclonable: bool,
    /// Whether the code awaits; where it does not, the work ends some time later.
    pub awaits: bool,
    /// The features that the manifest does not ask for.
    pub features: Vec<Feature>,
}

/// A call on the way to what blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The path of what it calls.
    pub call: String,
    /// The file, as reports print it.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
}

/// What keeps a function on the executor's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// It needs the running event loop.
    Loop,
    /// It changes the context of the code that calls it, which another thread has a copy of.
    Context,
}

/// Why a function cannot be async.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncForm {
    /// It makes an object: `__init__`.
    Constructor,
    /// It is read or set as an attribute: a property.
    Property,
    /// It begins or ends a `with`, which has an async form.
    With,
    /// It gives the elements of a `for`, which has an async form.
    Iteration,
    /// The language calls it for an operator, a subscript, a conversion.
    Operator,
    /// It is called where a value ends.
    Drop,
    /// It is the code of a module or class.
    Definition,
    /// It is a method of a library's trait.
    Trait,
    /// The executor calls it, and takes no future from it.
    Callback(Language),
}

/// Steps that belong together in one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// All work on a handle, as it is written: it stays on its thread, or is wanted back.
    Handle(String),
    /// All work on a handle that an object keeps for longer than a call, as it is written.
    Kept(String),
    /// All work on a handle that another one gave, and on that other: both stay on the thread that opened it.
    HandleOf {
        /// The handle as it is written, where it has a short name.
        handle: Option<String>,
        /// The path of the other's type.
        opened: String,
    },
    /// A call whose answer is about the thread that makes it: what it gives goes to the other thread.
    OwnThread,
    /// All work on what the call opens: it stays on the thread that opened it.
    Opened,
    /// A call that changes this, which is wanted back.
    Back(String),
    /// What is done while a lock is held, by the name of the variable that holds it.
    Locked(String),
    /// A call that changes what somebody else owns, as written.
    Shared(String),
    /// What the call needs of `self`, which cannot be moved itself.
    Itself,
    /// The expression around a closure, by the name of what is given it: the closure cannot await.
    Around(String),
    /// The block of a `with`.
    With,
    /// Calls one after the other: a way to another thread and back for each would cost more than the calls.
    Calls {
        /// How many.
        count: usize,
        /// The first one's line, from 1.
        first: u32,
        /// The last one's line.
        last: u32,
    },
    /// The call with what is around it.
    Work,
}

/// An expression that takes a call's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The import that the file lacks for it.
    pub import: Option<String>,
    /// Statements that go before.
    pub before: Vec<String>,
    /// The expression.
    pub expression: String,
    /// What it takes the place of, in the finding's file; none where it is a statement of its own: a drop is written nowhere.
    pub replaces: Option<Span>,
}

impl Code {
    /// Makes code of one expression.
    #[must_use]
    pub fn of(expression: String, replaces: Span) -> Self {
        Self {
            import: None,
            before: Vec::new(),
            expression,
            replaces: Some(replaces),
        }
    }

    /// Returns it on one line, as one expression: what goes before stands in a block with it, so that its names are its own.
    /// The import is not in it.
    #[must_use]
    pub fn text(&self) -> String {
        if self.before.is_empty() {
            return self.expression.clone();
        }
        format!("{{ {} {} }}", self.before.join(" "), self.expression)
    }
}

/// Advice in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Advice {
    /// Await the future instead of running it to its end, or leave that to a thread outside of the runtime.
    AwaitFuture(Language),
    /// Run it on a thread, and await its answer: the project's runtime is not known.
    OwnThread,
    /// Nothing can await, and no loop need run: note that it happened, and do the work in code that waits for that.
    Note,
    /// The async function that is called runs a callable that it is given, which blocks.
    GivenBlocks,
    /// End what a guard holds before the await, or take one that may be held over it.
    EndGuard(Language, Guards),
    /// Keep the lock as short as it is; one of tasks only where it is held over an await.
    ShortLock(Language),
    /// Await that it happens instead of asking over and over.
    AwaitSignal(Language),
    /// The code around cannot await: an executor calls it step by step, and the async twin has a `poll` function.
    PollTwin,
    /// The code around cannot await: do the work before or after, in the async function.
    OutsideClosure,
    /// The code around cannot await: hand the work to a thread, or leave it to an explicit async `close`.
    AsyncClose,
}

impl Replacement {
    /// Returns the choices, itself where there is only one.
    #[must_use]
    pub fn choices(&self) -> &[Self] {
        match self {
            Self::Guarded(inner) | Self::IfFree { inner, .. } => inner.choices(),
            Self::Choice(choices) => choices,
            one => std::slice::from_ref(one),
        }
    }

    /// Returns the features that it needs and the manifest does not ask for.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        match self {
            Self::Twin(twin) => &twin.features,
            Self::Offload(offload) => &offload.features,
            Self::OffloadBlock { features, .. } => features,
            Self::Guarded(inner) | Self::IfFree { inner, .. } => inner.features(),
            Self::OffloadPart { .. }
            | Self::AwaitElsewhere { .. }
            | Self::SyncEndpoint { .. }
            | Self::Choice(_)
            | Self::Words(_) => &[],
        }
    }

    /// Returns the code that it says, if any.
    #[must_use]
    pub fn code(&self) -> Option<&Code> {
        match self {
            Self::Twin(twin) => twin.code.as_ref(),
            Self::Offload(offload) => Some(&offload.code),
            Self::Guarded(inner) | Self::IfFree { inner, .. } => inner.code(),
            _ => None,
        }
    }
}
