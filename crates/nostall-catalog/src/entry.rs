//! Entries: one callable, one type, one trait.

use std::borrow::Cow;

use nostall_model::{Category, Language, Waits};

/// A text that is part of the program or was read from a project's config.
pub type Text = Cow<'static, str>;
/// A list of either kind.
pub type List<T> = Cow<'static, [T]>;

/// Names an [`Api`] of a [`Catalog`](crate::Catalog).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiId(pub u32);

/// Names a [`TraitEntry`] of a [`Catalog`](crate::Catalog).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraitId(pub u32);

/// What a callable says of a running event loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventLoop {
    /// It fails where none runs on the calling thread.
    Needed,
    /// It answers whether one runs.
    Told,
}

/// One callable.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// Its language.
    pub language: Language,
    /// The crate or distribution.
    pub library: Text,
    /// Where it is defined; ends in `::*` or `.*` for everything below.
    pub path: Text,
    /// Other public paths.
    pub also: List<Text>,
    /// What calling it does.
    pub effect: Effect,
    /// What kind of thing; always there where it blocks.
    pub category: Option<Category>,
    /// What the thread waits for; always there where it blocks.
    pub waits: Option<Waits>,
    /// What happens on the calling thread.
    pub why: Text,
    /// The async twin per runtime or library.
    pub instead: List<(Text, Text)>,
    /// The type of the result, in the words of the language.
    pub returns: Option<Text>,
    /// Which argument is run.
    pub callable: Option<Argument>,
    /// The types that the callable is called with.
    pub gives: List<Text>,
    /// Whether all callables among the arguments are run, not only that one.
    pub every: bool,
    /// Whether it takes all elements of its arguments, so that the code of a generator among them runs.
    pub iterates: bool,
    /// Whether it ends a block, and waits for what an `await` in the block has waited for already.
    pub settled: bool,
    /// What it says of a running event loop.
    pub event_loop: Option<EventLoop>,
    /// How often the callable runs, where that is known not to be once per call.
    pub times: Option<Times>,
    /// What this call says of a route, for the name of the handler's entry.
    pub route: Option<Route>,
    /// Whether what it is given runs beside other tasks: a server, a `select!`, a stream of futures in flight.
    pub concurrent: bool,
    /// Which argument holds the length of a sleep, or of the duration that is made.
    pub duration: Option<Argument>,
    /// The unit of that argument.
    pub duration_unit: DurationUnit,
    /// Whether it panics inside an async runtime.
    pub panics: bool,
    /// Blocks only where an argument's type does.
    pub carrier: Option<Carrier>,
    /// The type that its receiver has where it answers yes.
    pub proves: Option<Text>,
    /// Whether it, as a decorator, hands the function over and leaves its name alone.
    pub registers: bool,
    /// What arguments change; the first that holds counts.
    pub when: List<When>,
    /// For a wildcard: names below that do not count.
    pub except: List<Text>,
    /// Where the fact can be checked.
    pub source: Text,
    /// Who says so.
    pub origin: Origin,
}

/// What calling an api does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Holds the calling thread.
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

/// How often a callable runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Once in the life of the program: an initialiser.
    Once,
    /// Once per element of something.
    Many,
}

/// What a call or an attribute says of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method.
    pub method: Option<Text>,
    /// Which argument holds the path.
    pub path: Option<Argument>,
}

impl Route {
    /// Returns the route's name for people, `GET /users`, of what is known of it.
    #[must_use]
    pub fn name(method: Option<&str>, path: Option<&str>) -> Option<String> {
        match (method, path) {
            (Some(method), Some(path)) => Some(format!("{method} {path}")),
            (Some(method), None) => Some(format!("{method} handler")),
            (None, Some(path)) => Some(format!("route {path}")),
            (None, None) => None,
        }
    }
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its position, from 0, without the receiver.
    pub index: Option<u16>,
    /// Its keyword.
    pub keyword: Option<Text>,
}

/// The unit of a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationUnit {
    /// A value of the language's duration type.
    Duration,
    /// Minutes.
    Minutes,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// The argument.
    pub argument: Argument,
    /// The trait's path.
    pub trait_path: Text,
}

/// What an argument changes.
#[derive(Clone, Debug, PartialEq)]
pub struct When {
    /// The argument.
    pub argument: Argument,
    /// What must hold of it.
    pub test: Test,
    /// The effect that the call has then.
    pub effect: Option<Effect>,
    /// What the thread waits for then.
    pub waits: Option<Waits>,
    /// What to say then.
    pub reason: Option<Text>,
    /// Whether the risk is a step higher then.
    pub raise: bool,
    /// The type of the result then.
    pub returns: Option<Text>,
}

/// A question about an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It equals a literal.
    Is(Literal),
    /// It is there, or is not.
    Given(bool),
    /// It is of one of these types, or of one that extends one.
    Type(List<Text>),
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Str(Text),
    /// Python's `None`.
    None,
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// nostall's own data.
    BuiltIn,
    /// The project's config.
    User,
}

/// A type that calls hang on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeEntry {
    /// Its language.
    pub language: Language,
    /// Where it is defined.
    pub path: Text,
    /// Other public paths.
    pub also: List<Text>,
    /// What kind of type.
    pub kind: TypeKind,
    /// Names of its type parameters.
    pub params: List<Text>,
    /// What it derefs to.
    pub deref: Option<Text>,
    /// The type that it is another name of.
    pub alias: Option<Text>,
    /// What iterating over it gives.
    pub item: Option<Text>,
    /// Base classes.
    pub extends: List<Text>,
    /// What `with` binds, where that is not the object itself.
    pub enter: Option<Text>,
    /// What awaiting it gives.
    pub awaits: Option<Text>,
    /// Public fields with their types.
    pub fields: List<(Text, Text)>,
    /// For a guard: what it holds while it lives.
    pub guards: Option<Guards>,
    /// Methods of classes that extend it, which a loop calls.
    pub on_loop: List<Text>,
    /// Whether values of many other types pass for it, also such as never wait: what its methods do is only possible.
    pub protocol: bool,
}

/// What a guard holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guards {
    /// A lock of threads: whoever waits for it holds its thread.
    Lock,
    /// A lock of tasks: whoever waits for it is suspended.
    TaskLock,
    /// A borrow that is checked at run time.
    Borrow,
    /// The current span of a trace.
    Span,
}

impl Guards {
    /// All of them, with their words in the data.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Lock, "lock"),
        (Self::TaskLock, "task-lock"),
        (Self::Borrow, "borrow"),
        (Self::Span, "span"),
    ];
}

/// What kind of type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    Plain,
}

/// A trait whose methods block only on some types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraitEntry {
    /// Its language.
    pub language: Language,
    /// Where it is defined.
    pub path: Text,
    /// Other public paths.
    pub also: List<Text>,
    /// Types that carry it.
    pub on: List<Text>,
    /// Wrappers that carry it when their first type parameter does.
    pub through: List<Text>,
    /// Whether its methods are assumed where it is imported and the receiver's type is not known.
    pub assume: bool,
    /// Traits that come with it.
    pub supertraits: List<Text>,
}
