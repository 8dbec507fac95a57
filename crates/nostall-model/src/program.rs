//! What a language answers when it resolves: which bodies there are, and what each call of them may reach.
//!
//! A file can be part of the program more than once (a Rust module mounted in two crates). Each such *mount* has its own
//! copies of the file's bodies and calls, numbered one after the other: body `b` of a mount is `mount.first_body + b`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::{BodyId, CallId, DefinitionId, ExprId, FileFacts};
use crate::finding::Entry;
use crate::layout::Version;
use crate::{Confidence, Context, FileId};

/// Names a body of the program: all mounts counted through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProgramBody(pub u32);

/// Names a call of the program: all mounts counted through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProgramCall(pub u32);

impl ProgramBody {
    /// Returns the id as an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ProgramCall {
    /// Returns the id as an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One appearance of a file in the program.
#[derive(Clone, Copy, Debug)]
pub struct Mount {
    /// The file.
    pub file: FileId,
    /// The number of the file's first body.
    pub first_body: u32,
    /// The number of the file's first call.
    pub first_call: u32,
}

impl Mount {
    /// Returns a body of this mount.
    #[must_use]
    pub fn body(&self, body: BodyId) -> ProgramBody {
        ProgramBody(self.first_body + body.0)
    }

    /// Returns a call of this mount.
    #[must_use]
    pub fn call(&self, call: CallId) -> ProgramCall {
        ProgramCall(self.first_call + call.0)
    }
}

/// What a language knows after resolution.
#[derive(Debug, Default)]
pub struct Resolution {
    /// Appearances of files, in the order of their numbers.
    pub mounts: Vec<Mount>,
    /// Per body.
    pub bodies: Vec<ResolvedBody>,
    /// Per call.
    pub calls: Vec<ResolvedCall>,
    /// Pool: what calls may reach.
    pub targets: Vec<Target>,
    /// Pool: callables that calls are given.
    pub passed: Vec<Passed>,
    /// Targets that count only where a type parameter stands for some type: by their place in `targets`, in that order.
    pub conditions: Vec<(u32, Condition)>,
    /// What calls say of the type parameters of what they call, in the order of the calls.
    pub instantiations: Vec<(ProgramCall, Instantiation)>,
    /// Calls that make a channel, or wait for room in one, in their order.
    pub channels: Vec<ChannelUse>,
    /// Questions about the types of arguments that are answered with yes, in the order of the calls.
    pub type_matches: Vec<TypeMatch>,
    /// Tests of called bodies that ask a parameter for a type, and what a call gives is not of it; in the order of the calls.
    pub refuted: Vec<Refuted>,
    /// Values that hold something while they live.
    pub guards: Vec<Guard>,
    /// What calls in async code use of the code around them, in the order of the calls.
    pub captured: Vec<Captured>,
    /// The libraries that the code of each file can use, from manifests and imports.
    pub libraries: BTreeMap<FileId, Arc<Libraries>>,
    /// Per call: how its callee was found, for people. Empty unless it was asked for.
    pub reasons: Vec<Box<str>>,
    /// What could not be done.
    pub problems: Vec<crate::finding::Problem>,
}

/// Libraries that code can use.
#[derive(Clone, Debug, Default)]
pub struct Libraries {
    /// Their names as code writes them.
    pub names: BTreeSet<String>,
    /// The features that manifests ask for, of each library of which that is known.
    pub features: BTreeMap<String, BTreeSet<String>>,
    /// The lowest version of the language that the code has to run on, where that is known.
    pub version: Option<Version>,
}

/// What is known of one body.
#[derive(Clone, Debug)]
pub struct ResolvedBody {
    /// The qualified path: `crate::module::Type::method`, `package.module.Class.method`; closures end in `{closure}`.
    pub path: String,
    /// Where it runs when nobody in the program says otherwise.
    pub context: Context,
    /// Why it runs on the executor, where it does.
    pub entry: Option<Entry>,
    /// How sure that is.
    pub confidence: Confidence,
    /// Tests only, or under a condition that never holds.
    pub presence: Presence,
    /// Which async runtime the code around it uses, for advice; none where it is known to use none that is known.
    pub runtime: Option<RuntimeId>,
}

/// Whether a body is part of what is analysed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Presence {
    /// Part of the program.
    Present,
    /// Part of its tests, benchmarks, examples or build script.
    Test,
    /// Never: `cfg(any())`, `if TYPE_CHECKING`.
    Absent,
}

/// Names a runtime of the catalogue: its number there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuntimeId(pub u16);

/// What is known of one call.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResolvedCall {
    /// What it may reach (`targets`), best confidence first; empty only where the call runs nothing.
    pub targets: crate::facts::Run,
    /// The callables among its arguments (`passed`).
    pub passed: crate::facts::Run,
}

/// What a call may reach, or a callable value may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What.
    pub kind: TargetKind,
    /// How sure that is.
    pub confidence: Confidence,
}

/// The kinds of target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// Code of the program.
    Body(ProgramBody),
    /// An entry of the catalogue, by its number there.
    Api(u32),
    /// Something outside the program that the catalogue does not speak of, by its path.
    External(Box<str>),
    /// A callable that a body was given: this body's own parameter with this index, or that of one around it.
    Parameter(ProgramBody, u16),
    /// Not known, with the reason. Kept and counted, never dropped.
    Unresolved(Unresolved),
}

/// Why a target is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unresolved {
    /// The name is not found where it should be.
    Name,
    /// The type of the receiver is not known.
    Receiver,
    /// The type is known, its method is not.
    Method,
    /// The callee is a value that is not known.
    Value,
    /// A macro that is not known.
    Macro,
    /// Too many steps.
    Budget,
}

impl Unresolved {
    /// Returns the reason for people.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Name => "the name is not found",
            Self::Receiver => "the receiver's type is not known",
            Self::Method => "the receiver's type has no such method that is known",
            Self::Value => "the called value is not known",
            Self::Macro => "the macro is not known",
            Self::Budget => "it takes too many steps to find out",
        }
    }
}

/// A type parameter; the number means something to the language alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterKey(pub u32);

/// A property of types, such as being a struct or having a trait; the number means something to the language alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeKey(pub u32);

/// A target counts only where a type parameter stands for a type with this property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// The parameter.
    pub parameter: ParameterKey,
    /// The property.
    pub is: TypeKey,
    /// Whether nothing is said where the type is not known.
    pub strict: bool,
}

/// What a call says of a type parameter of what it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instantiation {
    /// The parameter of the called function, or of the type or trait that the function belongs to.
    pub parameter: ParameterKey,
    /// What it stands for.
    pub value: Instance,
}

/// What a type parameter stands for at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instance {
    /// A type with this property; a type may have several, each in an instantiation of its own.
    Is(TypeKey),
    /// A type parameter of the caller.
    Parameter(ParameterKey),
}

/// A condition of a catalogue entry on the type of an argument, that holds at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeMatch {
    /// The call.
    pub call: ProgramCall,
    /// The entry's number.
    pub api: u32,
    /// Which of the entry's conditions.
    pub condition: u16,
}

/// A call that makes a channel, or waits for room in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelUse {
    /// The call.
    pub call: ProgramCall,
    /// The entry's number.
    pub api: u32,
    /// The type of the messages, where it is known to its last part.
    pub message: Option<TypeKey>,
    /// Which program of the project it is in: what one makes never reaches another.
    pub program: u32,
}

/// A test for a type in a called body that what a call gives does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refuted {
    /// The call.
    pub call: ProgramCall,
    /// The file of the test.
    pub file: FileId,
    /// Which of the file's branch tests.
    pub test: u32,
}

/// A value that holds something while it lives: a lock, a borrow, a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The body in which it lives.
    pub body: ProgramBody,
    /// What keeps it.
    pub keeper: Keeper,
    /// Its type, by its path in the catalogue.
    pub type_: Box<str>,
    /// How sure the type is.
    pub confidence: Confidence,
    /// The calls whose method takes its variable by value: it ends there.
    pub taken_by: Vec<CallId>,
}

/// What keeps a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keeper {
    /// The variable of a definition, until it is moved or its scope ends.
    Variable(DefinitionId),
    /// Nobody: the value of a call lives to the end of its statement.
    Temporary(CallId),
    /// The `with` that was entered by this call, to its end (Python).
    Entered(CallId),
}

/// A variable, or a field of one, that a call in async code uses: what it takes to give it to another thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The call.
    pub call: ProgramCall,
    /// The variable, or the field, in the call's file.
    pub value: ExprId,
    /// How it can be handed on.
    pub ownership: Ownership,
    /// Whether a method of the program is called on it that changes it.
    pub changed: bool,
}

/// How a value can be given to another thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ownership {
    /// It copies itself.
    Copied,
    /// It is a value; whether it has `clone`.
    Owned {
        /// Has `clone`.
        clones: bool,
    },
    /// It is a reference; whether what it refers to has `clone` or `to_owned`.
    Borrowed {
        /// Has `clone` or `to_owned`.
        clones: bool,
    },
    /// It borrows from something that the code around owns, and can be nobody else's for longer.
    Tied,
    /// It stays on its thread, or borrows from what does.
    Bound,
    /// Its type is not known.
    Unknown,
}

/// A callable that is an argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Which argument, by position.
    pub index: u16,
    /// What it may be.
    pub target: Target,
}

/// A call in its file, for those who rewrite it.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The file's text.
    pub text: &'a str,
    /// The file's facts.
    pub facts: &'a FileFacts,
    /// The call.
    pub call: CallId,
    /// What it uses of the code around it, and what becomes of its value.
    pub captured: &'a [Captured],
    /// Whether its value is an iterator that does the work while it is iterated.
    pub lazy: bool,
    /// Calls in what it is called on and given that block as well.
    pub blocking: &'a [CallId],
    /// Calls in what it is called on and given whose answer is about the thread that makes them.
    pub own_thread: &'a [CallId],
}

/// Why a call cannot be handed to another thread as one expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Something stays on its thread, or is wanted back: its name as written, empty where it has none.
    Stays(String),
    /// The call takes something that is used later, or changes it: its name as written.
    Changes(String),
    /// The call changes what somebody else owns: its name as written.
    Shared(String),
    /// The call is a method of `self`, of which there is only a reference.
    Itself,
    /// The expression awaits or returns, is too long for one line, or has a form that no function can take.
    Form,
}
