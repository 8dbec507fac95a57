//! Entries: one callable, one type, one trait, in the form of the tables and in the form that is stored.
//!
//! A key of the data is a field here and nothing else: the doc line of a field is its row in `docs/catalogue.md`. The build script
//! reads the data with this module too, so it uses nothing else of the crate.

use std::borrow::Cow;
use std::collections::BTreeMap;

use nostall_model::finding::Guards;
use nostall_model::layout::Version;
use nostall_model::{Category, Language, Waits};
use serde::{Deserialize, Deserializer, Serialize};

pub use question::Literal;
use question::literal;

#[path = "entry/question.rs"]
pub(crate) mod question;

/// Names a [`TraitEntry`] of a [`Catalog`](crate::Catalog).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraitId(pub u32);

/// One callable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Api {
    /// The full path, `a::b::c` in Rust, `a.b.c` in Python; a method is `<type's path>::<name>`. Ending in `::*` / `.*` it is a
    /// *wildcard*: everything below, at confidence likely, in Python through chains of attributes too
    /// (`client.chat.completions.create`). Python builtins are `builtins.open`. What a subscript gives is said by
    /// `X.__getitem__`, what an attribute gives that is not otherwise known by `X.__getattr__`, both with `returns`.
    pub path: String,
    /// Other public paths of the same callable.
    pub also: Vec<String>,
    /// `blocks` (the default), `offloads` (runs its callable off the executor), `schedules` (hands its callable or future to the
    /// executor, to run later), `runs` (runs its callable inline, before it returns or while its result is used), `constructs`
    /// (makes a value; `returns` says of what type), `none` (known to be harmless).
    pub effect: Effect,
    /// For `offloads`, `schedules`, `runs`: which argument holds the callable: `0`, or `{ index = 1, keyword = "target" }`.
    /// Arguments are counted from 0, without the receiver.
    pub callable: Option<Argument>,
    /// The types that the callable is called with, one per parameter: `["T"]`, `["&Self::Item"]`; `_` where nothing is known.
    pub gives: Vec<String>,
    /// `true` where it is a decorator that hands the function over to a framework and leaves the name as it was: the framework
    /// runs it, off the executor for `offloads`, on it for `schedules`. Without it `offloads` makes an awaitable of the decorated
    /// function.
    pub registers: bool,
    /// `true` where an async function that it is given carries out a command of the process: its future is a program's first one.
    pub command_line: bool,
    /// `true` where all callables among the arguments are run, not only the one that `callable` names.
    pub every: bool,
    /// `true` where all elements of the arguments are taken before it returns, so that the code of a generator among them runs:
    /// `list(numbers())`.
    pub iterates: bool,
    /// The methods of argument 0 that it calls (Python): `["__len__"]` for `len`. What `iterates` calls `__iter__` of all
    /// arguments.
    pub calls: Vec<String>,
    /// `true` for a decorator of methods that run whenever an object of their class is made (`pydantic.field_validator`), and for a
    /// method of classes that programs extend that makes an object of the class (Python).
    pub on_construction: bool,
    /// `true` where what the callable is given is made on the loop, of the classes that are written as the types of its parameters:
    /// the body of a request (Python).
    pub parses: bool,
    /// How often the callable runs: `once` in the life of the program (an initialiser; the risk is a step lower), `many`, once
    /// per element of something (a loop; a step higher).
    pub times: Option<Times>,
    /// `true` where only the first call waits, because what it gives is kept: an import (the risk is a step lower).
    pub kept: bool,
    /// What the call or attribute says of an HTTP route, for the name of a handler's entry: `{ method = "GET", path = 0 }`,
    /// either of the two alone where the other is said by another call of the chain.
    pub route: Option<Route>,
    /// `true` where what is given runs beside other tasks: a server, a `select!`, a stream with many futures in flight.
    /// `effect = "schedules"` says so already.
    pub concurrent: bool,
    /// `true` where the futures that it is given run side by side in one task until it is over: `join!`, `select!`.
    pub together: bool,
    /// `true` for a future that waits for an end and does nothing else: a signal, a token that is cancelled. What shares its task
    /// with such futures alone has the task for itself.
    pub awaits_end: bool,
    /// `true` where the calling thread runs the future that it is given and nothing else, whatever that spawns (`Handle::block_on`).
    pub own_thread: bool,
    /// `true` where threads of the runtime's own run tasks: what makes such a runtime (`false` for one of a single thread), what
    /// hands a task to those threads (`tokio::spawn`), and what waits for a future on the thread that calls it meanwhile
    /// (`Runtime::block_on`, `#[tokio::main]`).
    pub workers: Option<bool>,
    /// `fs net http db cache queue cloud process sleep lock wait cpu console runtime`; it gives the rule (`blocking-fs`;
    /// `runtime` gives `nested-runtime`). Needed where `effect` is `blocks`.
    pub category: Option<Category>,
    /// What the thread waits for; it gives the base risk: `unbounded` (another party decides when: child process, accept, recv,
    /// join, channel, condition, user input), `timer` (a sleep; see `duration`), `network` (a round trip), `cpu` (made to be
    /// slow, or of large input), `data` (a pass over data in memory: compression), `disk` (a file's content or a tree), `change` (a
    /// quick change of a folder: mkdir, rename, remove), `metadata` (one quick look at the file system: stat, exists, open), `brief` (a short lock, a line to the console, starting a
    /// process without waiting). Needed where `effect` is `blocks`.
    pub waits: Option<Waits>,
    /// One sentence: what happens on the calling thread. Needed where `effect` is `blocks`.
    pub why: String,
    /// The async twin per runtime or library: keys `tokio`, `async-std`, `smol`; `asyncio`, `trio`, `anyio`; or the name of a
    /// library (`httpx`, `reqwest`). Leave it out where there is none: the report then offers the runtime's way to offload.
    pub instead: BTreeMap<String, String>,
    /// `true` for the end of a block (`Executor.__exit__`) that waits for work which an `await` in the block has waited for
    /// already: it is brief then. For a call on a variable (`executor.shutdown()`), where all that this was used for before was
    /// awaited.
    pub settled: bool,
    /// Calls on the same object that do not wait any more where it has answered yes (`true`, `Some`), or after it was called with
    /// `true`: `JoinHandle::is_finished` ends `JoinHandle::join`, `TcpListener::set_nonblocking` ends `accept`.
    pub ends: Vec<String>,
    /// `true` where it only asks whether something has happened and does not wait: a loop that does nothing else waits all the
    /// same, and keeps its thread busy. It needs `why`.
    pub asks: bool,
    /// For what makes a channel: the argument that says how many messages have room (as `callable`). As many of the calls that
    /// it `ends` do not wait. What makes a channel without a limit says what it `ends` alone.
    pub room: Option<Argument>,
    /// What it says of a running event loop: `needed` where it fails if none runs on the calling thread
    /// (`asyncio.get_running_loop`), `told` where it answers whether one runs (`loop.is_running()`), `bound` where the loop's own
    /// thread alone may call it, whether or not it fails elsewhere (`loop.call_soon`). Handlers of the first, and branches where
    /// the second said no, are not taken for code on the loop. A function that calls any of them is not advised to go to a thread.
    #[serde(rename = "loop")]
    pub event_loop: Option<EventLoop>,
    /// `enters` where it sets what holds in the context it is called in (`ContextVar.set`), `leaves` where it undoes that. A
    /// function that does one of the two alone is not advised to go to a thread, which has a copy of the context.
    pub context: Option<ContextUse>,
    /// For a Python method: the type that its receiver has where `proof` holds, as `isinstance` tells it
    /// (`if future.done(): future.result()`).
    pub proves: Option<String>,
    /// What of the call proves it: that its answer is `true` (the default), `false` (`thread.is_alive()`), or `something` that is
    /// not `None` (`process.poll()`); that it is made at all, `call` (`socket.setblocking(False)`, with `when`); that what it
    /// gives was awaited, `await`, of its argument instead of the receiver (`await asyncio.wrap_future(future)`).
    pub proof: Proof,
    /// `true` where what it proves may be otherwise a moment later, as that a queue is not empty: it holds for one call, and not
    /// beyond an `await`.
    pub passing: bool,
    /// The exception with which the call refuses to wait where its object does not block: in a `try` that handles it, it does
    /// not wait (`except BlockingIOError`).
    pub refuses: Option<String>,
    /// The type of the result, written in the language with full paths. For Rust, type parameters of the receiver may be used by
    /// the names its `[[type]]` gives them, `Self` is the receiver, `A0` the type of argument 0, `G0` the call's own type
    /// argument 0 (`read::<u8>()`), `X::Output` what calling or awaiting an `X` gives, `X::Item` what iterating over it gives
    /// (or what an `Option` holds). For Python likewise: the receiver's parameters by name, `Self`, `A0`, and of any of them
    /// `A0.Item` (one step of an iteration), `A0.Entered` (what `with` binds), `A0.Awaited`, `A0.Result` (what calling it
    /// gives), `A0.Text` (what a literal says); builtins have no dot (`list[str]`), and `A | B` is one of the two. Needed where
    /// what follows depends on it: constructors, openers, builders.
    pub returns: Option<String>,
    /// `true` where the path names no callable, but an object that the library has made, of the type that it `returns`:
    /// `quart.g` (Python).
    pub object: bool,
    /// For a decorator (Python): `{ call = "tenacity.BaseRetrying.sleep", given = ["wait"] }`, what a decorated function that is
    /// not async runs beside its own code each time that it is called; where one of these keywords is given, or always.
    pub around: Option<Around>,
    /// For a method that registers objects to be told (Python), `{ argument = 0, methods = ["handle", "emit"] }`: which argument,
    /// and which of its methods runs, the first that the program has written; of a library's class it is the first, where that has
    /// an entry. `limited_by` is the method that sets the least `level` of which it is told; of waits in `expected` nothing is said.
    pub listens: Option<Listens>,
    /// The path of the entry with `listens` whose objects a call tells: `log.info(..)` those of `log.addHandler(..)`. Both are
    /// told apart by the text in the type of their receivers (`logging.Logger[A0.Text]`).
    pub tells: Option<String>,
    /// How grave is what it tells, or the number of a constant: 40 for `logging.ERROR`.
    pub level: Option<i64>,
    /// The argument with a callable of which it hands over what that returns, what awaiting that gives, or what it yields
    /// (Python): `0` for `Depends(get_db)`.
    pub provides: Option<Argument>,
    /// In a project's own tables: `rust` or `python`, where the path does not tell (`::` or `.`).
    pub language: Option<Language>,
    /// For `waits = "timer"`: the argument that holds the length (as `callable`); in Python seconds, in Rust a `Duration`, or
    /// milliseconds with `unit = "ms"`.
    pub duration: Option<Argument>,
    /// The unit of `duration`: `duration` (a Rust `Duration`), `min`, `s`, `ms`, `us`, `ns`. Constructors of durations
    /// (`Duration::from_millis`) have `duration` and `unit` as well.
    pub unit: Option<DurationUnit>,
    /// Which threads the call may run on: `any`, or `same` where the library wants all calls of an object on one thread
    /// (a connection of Python's `sqlite3`, a handle of Rust that is not `Send`), or `own` where its answer is about the thread
    /// that asks (`traceback.format_exc()`). Left out where that is not known; of a method its `[[type]]` says it.
    pub thread: Option<Thread>,
    /// `true` where the call gives an iterator that blocks while it is iterated (`os.walk`): to hand the call alone to a thread
    /// does not help, the loop over it must go too. For `runs`: that runs its callable while it is iterated (`map`), so that it
    /// runs where it is handed to.
    pub lazy: bool,
    /// For `schedules`: `true` where what it is given need not run while an event loop runs on its thread: a signal handler.
    pub off_loop: bool,
    /// `true` where a method of Rust takes its object by value, which is not dropped by its owner then.
    pub takes_self: bool,
    /// `true` when the call panics inside an async runtime (`block_on`).
    pub panics: bool,
    /// `{ argument = 0, trait = "std::io::Read" }`: blocks only where that argument's type carries the trait (`std::io::copy`,
    /// `serde_json::from_reader`).
    pub carrier: Option<Carrier>,
    /// Argument conditions, the first that holds wins:
    /// `[{ argument = { index = 0, keyword = "block" }, is = false, effect = "none" }]`. `is` compares with a literal (`false`,
    /// `0`, `"w"`, or `"none"` spelled `none = true`); `given = true/false` asks whether the argument is there;
    /// `type = ["io.BytesIO"]` whether it is a value of one of these types, in Python also of one that extends one, or the
    /// library's constant of this path (`socket.SOCK_DGRAM`), in Rust also where more arguments follow (`(str,)` is any tuple
    /// that begins with a `str`), references do not count; `below = 2000` whether it is a number less than that;
    /// `numeric = true` whether it is a text with the address of a host in numbers, or of this one (`localhost`), so that no
    /// name server is asked; `begins = ["/proc/"]` whether it is a text that begins with one of these. What changes: `effect`,
    /// `waits`, or `reason = "no timeout"` with `raise = true`; for a `type` and what `begins` (in Rust) also
    /// what it `returns`, for a literal what the call `proves`, or `workers`.
    pub when: Vec<When>,
    /// For a wildcard: names below that do not count (`["new", "builder"]`).
    pub except: Vec<String>,
    /// Where the fact can be checked.
    pub source: String,
    /// A snippet with a finding for this entry (where `effect` is `blocks`): the entry's test. Every blocking entry has one, or is
    /// covered by a generated one where its shape is a plain path call.
    pub bad: Option<String>,
    /// A snippet without a finding for this entry.
    pub good: Option<String>,
    /// The crate or distribution: the file's.
    #[serde(skip)]
    pub library: String,
    /// Who says so.
    #[serde(skip)]
    pub origin: Origin,
}

impl Api {
    /// Says whether the code of a generator among its arguments runs: its elements are taken, or it is entered.
    #[must_use]
    pub fn runs_generators(&self) -> bool {
        self.iterates || self.calls.iter().any(|method| method == "__enter__")
    }

    /// Says whether it has to do with a loop that runs on its own thread alone. A thread of a pool of Rust's runtimes knows its
    /// runtime.
    #[must_use]
    pub fn wants_loop_thread(&self) -> bool {
        self.event_loop.is_some() && self.language() == Language::Python
    }

    /// Returns its language.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language.unwrap_or_else(|| language_of(&self.path))
    }

    /// Returns the unit of its `duration`: Python's sleeps are in seconds unless the entry says otherwise, Rust's are durations.
    #[must_use]
    pub fn duration_unit(&self) -> DurationUnit {
        self.unit.unwrap_or(match self.language() {
            Language::Rust => DurationUnit::Duration,
            Language::Python => DurationUnit::Seconds,
        })
    }

    /// Says whether a call can block: always, or with some arguments.
    pub(crate) fn may_block(&self) -> bool {
        let with_some = |when: &When| when.effect == Some(Effect::Blocks);
        self.effect == Effect::Blocks || self.when.iter().any(with_some)
    }
}

/// Returns what stands between the names of a path.
pub(crate) fn separator(language: Language) -> &'static str {
    match language {
        Language::Rust => "::",
        Language::Python => ".",
    }
}

/// Returns the language that a path is written in.
fn language_of(path: &str) -> Language {
    if path.contains("::") {
        Language::Rust
    } else {
        Language::Python
    }
}

/// What calling an api does.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Holds the calling thread.
    #[default]
    Blocks,
    /// Runs its callable off the executor.
    Offloads,
    /// Hands its callable to the executor.
    Schedules,
    /// Runs its callable before it returns.
    Runs,
    /// Makes a value.
    Constructs,
    /// Known to be harmless.
    None,
}

/// What a callable says of a running event loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventLoop {
    /// It fails where none runs on the calling thread.
    Needed,
    /// It answers whether one runs.
    Told,
    /// The loop's own thread alone may call it.
    Bound,
}

/// What of a call proves something of an object.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Its answer is true.
    #[default]
    True,
    /// Its answer is false.
    False,
    /// Its answer is not `None`.
    Something,
    /// It is made.
    Call,
    /// What it gives was awaited.
    Await,
}

/// What a callable does with the context that it is called in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContextUse {
    /// It sets a value there.
    Enters,
    /// It takes one back.
    Leaves,
}

/// How often a callable runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Times {
    /// Once in the life of the program: an initialiser.
    Once,
    /// Once per element of something.
    Many,
}

/// Which threads a call may run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thread {
    /// Any, the next call of the same object another one.
    Any,
    /// The one of all calls of its object.
    Same,
    /// The one that its answer is about: its stack, its current exception.
    Own,
}

/// What a call or an attribute says of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Route {
    /// The HTTP method.
    pub method: Option<String>,
    /// Which argument holds the path.
    pub path: Option<Argument>,
}

/// What a decorator runs around a function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Around {
    /// The path of the entry that says what that does.
    pub call: String,
    /// Keyword arguments of the decorator, of which one must be given; empty: it is always so.
    pub given: Vec<String>,
}

/// An object that is registered to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Listens {
    /// Which argument it is.
    pub argument: Argument,
    /// Which of its methods runs.
    pub methods: Vec<String>,
    /// The method of it that sets the least level.
    pub limited_by: Option<String>,
    /// What it may wait for as all of its kind do, so that nothing is said of that where it is told.
    pub expected: Vec<Waits>,
}

/// An argument of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Argument {
    /// Its position, from 0, without the receiver.
    pub index: Option<u16>,
    /// Its keyword.
    pub keyword: Option<String>,
}

/// An argument as the tables write it.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "an argument is its position, `0`, or `{ index = 0, keyword = \"name\" }`"
)]
enum WrittenArgument {
    Index(u16),
    Named(NamedArgument),
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct NamedArgument {
    index: Option<u16>,
    keyword: Option<String>,
}

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (index, keyword) = if deserializer.is_human_readable() {
            match WrittenArgument::deserialize(deserializer)? {
                WrittenArgument::Index(index) => (Some(index), None),
                WrittenArgument::Named(named) => (named.index, named.keyword),
            }
        } else {
            Deserialize::deserialize(deserializer)?
        };
        Ok(Self { index, keyword })
    }
}

/// The unit of a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DurationUnit {
    /// A value of the language's duration type.
    #[serde(rename = "duration")]
    Duration,
    /// Minutes.
    #[serde(rename = "min")]
    Minutes,
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
}

impl DurationUnit {
    /// Returns how many milliseconds one is; none for a value that has its own unit.
    #[must_use]
    pub fn milliseconds(self) -> Option<f64> {
        match self {
            Self::Duration => None,
            Self::Minutes => Some(60_000.0),
            Self::Seconds => Some(1000.0),
            Self::Milliseconds => Some(1.0),
            Self::Microseconds => Some(1e-3),
            Self::Nanoseconds => Some(1e-6),
        }
    }
}

/// An argument whose type must carry a trait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Carrier {
    /// The argument.
    pub argument: Argument,
    /// The trait's path.
    #[serde(rename = "trait")]
    pub trait_path: String,
}

/// What an argument changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct When {
    /// The argument.
    pub argument: Argument,
    /// It equals this literal.
    #[serde(deserialize_with = "literal")]
    pub is: Option<Literal>,
    /// It is Python's `None`.
    pub none: Option<bool>,
    /// It is there, or is not.
    pub given: Option<bool>,
    /// It is of one of these types, or of one that extends one; or it is one of these constants (Python).
    #[serde(rename = "type")]
    pub types: Vec<String>,
    /// It is a text with the address of a host in numbers, or of this one.
    pub numeric: bool,
    /// It is a number less than this one.
    pub below: Option<f64>,
    /// It is a text that begins with one of these.
    pub begins: Vec<String>,
    /// The effect that the call has then.
    pub effect: Option<Effect>,
    /// What the thread waits for then.
    pub waits: Option<Waits>,
    /// What to say then.
    pub reason: Option<String>,
    /// Whether the risk is a step higher then.
    pub raise: bool,
    /// The type of the result then.
    pub returns: Option<String>,
    /// What the call proves then.
    pub proves: Option<String>,
    /// Whether threads of the runtime's own run tasks then.
    pub workers: Option<bool>,
}

/// Who says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// nostall's own data.
    #[default]
    BuiltIn,
    /// The project's config.
    User,
}

/// A type that calls hang on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct TypeEntry {
    /// The full path where it is defined.
    pub path: String,
    /// Other public paths.
    pub also: Vec<String>,
    /// `handle` (a file, a socket), `client`, `guard` (held while it lives), `executor` (runs callables), `future`, `plain`.
    pub kind: TypeKind,
    /// Constants of the type that are lengths of time, in milliseconds: `{ ZERO = 0 }` of Rust's `Duration`.
    pub lengths: BTreeMap<String, u32>,
    /// Public fields, attributes and properties with their types: `{ stdout = "std::vec::Vec<u8>" }`; in a tuple struct `"0"`, of
    /// an enum's variant `"Vacant.0"`.
    pub fields: BTreeMap<String, String>,
    /// `true` for a Python type that values of many other types pass for, also such as never wait (`typing.BinaryIO` is a
    /// `BytesIO`, too): what its methods do has confidence possible.
    pub protocol: bool,
    /// For a Python class that programs extend: the methods and properties that its framework's loop calls, async or not
    /// (`data_received` of `asyncio.Protocol`); `on_*` stands for all that begin with `on_`.
    pub on_loop: Vec<String>,
    /// For a Python class that programs extend: the methods that run whenever an object is made, beside `__init__`.
    pub on_construction: Vec<String>,
    /// For `kind = "guard"`, what is held while it lives, and for a `handle` of Python what is held in a `with` of it: `lock`
    /// (of threads), `task-lock` (of tasks), `borrow`, `span`. All but `task-lock` must not live over an await; a lock held makes
    /// a wait a step worse, in Python one of threads.
    pub guards: Option<Guards>,
    /// For a Python type whose objects hold what the program stores in them, wherever it does: in `attributes`
    /// (`app.state.db = ..`), or under keys, as `items` (`app["db"] = ..`).
    pub keeps: Option<Keeps>,
    /// Names of its type parameters: `["T"]`.
    pub params: Vec<String>,
    /// For Python: what its parameters stand for where nothing else is known: `{ T = "django.db.models.base.Model" }`.
    pub defaults: BTreeMap<String, String>,
    /// For Rust: type arguments with which what its methods wait for is brief, as all of it is in memory. An argument that the
    /// library does not have says of a value how it was made: `rusqlite::Connection<rusqlite::InMemory>`.
    pub brief_with: Vec<String>,
    /// What it derefs to: `"std::path::Path"`, or a parameter, `"T"`. In Python a type that is only a note: the value is a `T`
    /// that its library has made, so that its class's attributes with a `__get__` in the catalogue are not there before they are
    /// asked for.
    pub deref: Option<String>,
    /// It is only another name: `std::io::Result` with `params = ["T"]` is `"std::result::Result<T, std::io::Error>"`.
    pub alias: Option<String>,
    /// What iterating over it yields: `"std::io::Result<std::fs::DirEntry>"`.
    pub item: Option<String>,
    /// Base classes (Python).
    pub extends: Vec<String>,
    /// What `with x as y` binds (Python), when it is not the object itself.
    pub enter: Option<String>,
    /// For a future: what awaiting it gives.
    pub awaits: Option<String>,
    /// For Rust: the entry of what happens when a value of it is dropped (`"tokio::runtime::Runtime::drop"`).
    pub drop: Option<String>,
    /// Which threads its methods may run on, where they do not say so themselves: `any`, `same`.
    pub thread: Option<Thread>,
    /// For Rust, how another thread can be given one of its own: `copied` (it is `Copy`, where its parameters are), `parts`
    /// (`clone` copies what is in it, where its parameters have `clone`), `shared` (`clone` makes another handle to the same
    /// thing, whatever is in it: an `Arc`, a channel's sender, a client). Left out where it has no `clone`.
    pub clones: Option<Clones>,
    /// Where the fact can be checked.
    pub source: String,
    /// Its language: the file's.
    #[serde(skip)]
    pub language: Option<Language>,
}

impl TypeEntry {
    /// Returns its language.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language.unwrap_or_else(|| language_of(&self.path))
    }
}

/// What a clone of a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clones {
    /// The value copies itself.
    Copied,
    /// A copy of all that is in it.
    Parts,
    /// Another handle to the same thing.
    Shared,
}

/// An async runtime, or a framework with its own way to run work off the executor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct RuntimeEntry {
    /// Its name, as in `instead`.
    pub key: String,
    /// The crates, or the first names of imports, that show that code uses it.
    pub shown_by: Vec<String>,
    /// The runtimes that it runs on, by their keys: code that uses both uses this one. Their twins in `instead` are good here
    /// too.
    pub over: Vec<String>,
    /// The function that runs a callable off the executor, for people: `tokio::task::spawn_blocking`.
    pub offloader: String,
    /// The expression that runs work off the executor and gives its value; `{work}` is the work: a closure in Rust, a function
    /// and its arguments in Python, where `{function}` and `{arguments}` can stand apart.
    pub offload: String,
    /// The expression that only begins the work, for code that cannot await. Left out where there is none.
    pub start: Option<String>,
    /// The statement that brings the names of the expressions into scope (Python).
    pub import: Option<String>,
    /// `true` where keyword arguments after the function reach it (Python).
    pub keywords: bool,
    /// The function that binds keyword arguments where they do not reach it (Python): `functools.partial`. Left out, a `lambda`
    /// makes the call.
    pub partial: Option<String>,
    /// The way of versions of the language that lack `offload` (Python):
    /// `{ before = "3.9", offloader = "..", offload = "..", partial = ".." }`. It is told where a project says that it runs on one.
    pub older: Option<OlderWay>,
    /// `true` for a web framework that runs endpoints which are plain functions on threads of its own.
    pub sync_endpoints: bool,
    /// A name that the expressions need as `{through}`: a variable, or an attribute of `self`. Where code has neither, what this
    /// runtime runs on is spoken of.
    pub through: Option<String>,
    /// Where the fact can be checked.
    pub source: String,
    /// Its language: the file's.
    #[serde(skip)]
    pub language: Option<Language>,
}

impl RuntimeEntry {
    /// Returns its language.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
            .unwrap_or_else(|| language_of(&self.offloader))
    }

    /// Returns the entry as it is for code that has to run on a version of the language: with the older way where that lacks the
    /// usual one.
    #[must_use]
    pub fn on_version(&self, lowest: Option<Version>) -> Cow<'_, Self> {
        let lacks =
            |way: &&OlderWay| lowest.is_some_and(|own| Version::parse(&way.before) > Some(own));
        match self.older.as_ref().filter(lacks) {
            Some(way) => Cow::Owned(Self {
                offloader: way.offloader.clone(),
                offload: way.offload.clone(),
                partial: way.partial.clone(),
                keywords: false,
                ..self.clone()
            }),
            None => Cow::Borrowed(self),
        }
    }
}

/// A runtime's way to run work off the executor in older versions of the language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct OlderWay {
    /// The first version that has the usual way: `3.9`.
    pub before: String,
    /// As of the runtime.
    pub offloader: String,
    /// As of the runtime. Keyword arguments do not reach the function.
    pub offload: String,
    /// As of the runtime.
    pub partial: Option<String>,
}

/// A feature that a library has to be built with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct FeatureEntry {
    /// The path that is there with this feature alone, and all below it: `tokio::fs`.
    pub path: String,
    /// The feature's name; a path that needs several has an entry for each.
    pub name: String,
    /// Only where it is used in place of a call of this category: a file that is read and written needs another feature than a
    /// socket.
    pub category: Option<Category>,
    /// Other features that bring it.
    pub implied_by: Vec<String>,
    /// Where the fact can be checked.
    pub source: String,
    /// The library's name as manifests write it: the file's.
    #[serde(skip)]
    pub library: String,
}

/// Where objects hold what the program stores in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeps {
    /// In attributes.
    Attributes,
    /// Under keys.
    Items,
}

/// What kind of type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypeKind {
    /// A file, a socket.
    Handle,
    /// A client of a service.
    Client,
    /// Held while it lives.
    Guard,
    /// Runs callables.
    Executor,
    /// Is awaited.
    Future,
    /// Anything else.
    #[default]
    Plain,
}

/// A trait whose methods block only on some types.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct TraitEntry {
    /// The full path where it is defined.
    pub path: String,
    /// Other public paths.
    pub also: Vec<String>,
    /// Types that carry it: `["std::fs::File", "std::net::TcpStream"]`; `["*"]` where all do, or nearly all. For Rust it also
    /// decides which receivers an `impl<T: Trait> Other for T` of the program is for.
    pub on: Vec<String>,
    /// For Rust: types of `on` that do not carry it as they are made: `["std::string::String<std::net::SocketAddr>"]`, the text of
    /// an address, as the entry that gives it says in `returns`.
    pub not_on: Vec<String>,
    /// What blocks when it is called on the types of this table's `on`, where it is something else than its methods say: `net`
    /// for a `std::io::Read` on a socket. Needs `waits`.
    pub category: Option<Category>,
    /// What the thread waits for then. Needs `category`.
    pub waits: Option<Waits>,
    /// Wrappers that carry it when their first type parameter does, or carries one of its supertraits: `["std::io::BufReader"]`.
    pub through: Vec<String>,
    /// `true` where a method of it may be assumed of a receiver that nothing is known of, in files that import the trait: the
    /// queries of diesel are types that macros make.
    pub assume: bool,
    /// For a trait of Rust that programs implement: the methods that a library calls on the executor's threads, async or not
    /// (`call` of `tower::Service`).
    pub on_loop: Vec<String>,
    /// `true` where types that derive it are what a command line is parsed into (`clap::Parser`): a function that is given one
    /// carries out a command, and its future is a program's first one.
    pub command_line: bool,
    /// Types that, as a parameter of such a method, say that another thread calls it (`actix::SyncContext`).
    pub off_loop_with: Vec<String>,
    /// Traits that come with it: `std::io::BufRead` comes with `std::io::Read`.
    pub supertraits: Vec<String>,
    /// Where the fact can be checked.
    pub source: String,
    /// What is waited for on types of `on`, by their paths.
    #[serde(skip)]
    pub(crate) waits_on: Vec<(String, Wait)>,
    /// Its language: the file's.
    #[serde(skip)]
    pub language: Option<Language>,
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wait {
    /// What kind of thing blocks.
    pub category: Category,
    /// What the thread waits for.
    pub waits: Waits,
}

impl TraitEntry {
    /// Returns its language.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language.unwrap_or_else(|| language_of(&self.path))
    }
}
