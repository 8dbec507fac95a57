//! What comes out: findings, problems, statistics, and the words that grade them.

use std::collections::BTreeMap;

mod entry;
mod origin;
mod replacement;
mod rule;

use serde::{Deserialize, Serialize};

pub use entry::{Entry, Form};
pub use origin::{Giver, Origin};
pub use replacement::{
    Advice, Block, Bond, Code, Feature, Offload, Part, Replacement, SyncForm, Twin,
};
pub use rule::{Group, Rule, RuleId};

use crate::program::Unresolved;
use crate::{FileId, Language, Sources, Span};

/// How long and how unboundedly the executor thread waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// A quick call: usually microseconds.
    Low,
    /// A disk access.
    Medium,
    /// A network round trip, or heavy computation.
    High,
    /// Without a bound that the program sets.
    Critical,
}

impl Risk {
    /// All risks, lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Returns the name used in reports and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Returns the severity that every format shows for this risk.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Low => Severity::Note,
            Self::Medium => Severity::Warning,
            Self::High | Self::Critical => Severity::Error,
        }
    }

    /// Returns the next higher risk; critical stays.
    #[must_use]
    pub fn raised(self) -> Self {
        Self::ALL[(self as usize + 1).min(3)]
    }

    /// Returns the next lower risk; low stays.
    #[must_use]
    pub fn lowered(self) -> Self {
        Self::ALL[(self as usize).saturating_sub(1)]
    }
}

/// How a report ranks a finding among other tools' messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Low risk.
    Note,
    /// Medium risk.
    Warning,
    /// High and critical risk.
    Error,
}

impl Severity {
    /// Returns the word that reports begin a finding with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How sure we are of target and context. A chain has the minimum of its hops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One of several, or an external star import, or a value that decides and is unknown.
    Possible,
    /// Inferred type, wildcard entry, sole implementation, framework context.
    Likely,
    /// Explicit origin, entry and async body.
    Certain,
}

impl Confidence {
    /// All confidences, lowest first.
    pub const ALL: [Self; 3] = [Self::Possible, Self::Likely, Self::Certain];

    /// Returns the name used in reports and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// Where a body runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// On the executor.
    Async,
    /// Wherever its caller runs.
    Sync,
    /// On a blocking pool, a thread of its own, another process.
    Offloaded,
    /// Not known.
    Unknown,
}

/// What kind of thing a call has to do with; it gives the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Files and folders.
    Fs,
    /// Sockets and name look-up.
    Net,
    /// HTTP clients.
    Http,
    /// Databases.
    Db,
    /// Caches: Redis, memcached.
    Cache,
    /// Message queues and brokers.
    Queue,
    /// Cloud SDKs.
    Cloud,
    /// Child processes.
    Process,
    /// Sleeping.
    Sleep,
    /// Locks.
    Lock,
    /// Waiting for another thread: channels, joins, conditions.
    Wait,
    /// Long computation.
    Cpu,
    /// The terminal.
    Console,
    /// The async runtime itself.
    Runtime,
}

impl Category {
    /// All categories.
    pub const ALL: [Self; 14] = [
        Self::Fs,
        Self::Net,
        Self::Http,
        Self::Db,
        Self::Cache,
        Self::Queue,
        Self::Cloud,
        Self::Process,
        Self::Sleep,
        Self::Lock,
        Self::Wait,
        Self::Cpu,
        Self::Console,
        Self::Runtime,
    ];

    /// Returns the name used in the catalogue and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fs => "fs",
            Self::Net => "net",
            Self::Http => "http",
            Self::Db => "db",
            Self::Cache => "cache",
            Self::Queue => "queue",
            Self::Cloud => "cloud",
            Self::Process => "process",
            Self::Sleep => "sleep",
            Self::Lock => "lock",
            Self::Wait => "wait",
            Self::Cpu => "cpu",
            Self::Console => "console",
            Self::Runtime => "runtime",
        }
    }
}

/// What the thread waits for; it gives the base risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Waits {
    /// Another party decides when it ends.
    Unbounded,
    /// A sleep, as long as its literal says.
    Timer,
    /// A round trip to another host.
    Network,
    /// A computation made to be slow, or of large input.
    Cpu,
    /// A pass over data in memory, such as compression: as long as there is much of it, which is seldom so.
    Data,
    /// A file's content or a tree.
    Disk,
    /// A quick change of a folder: mkdir, rename, remove.
    Change,
    /// One quick look at the file system: stat, exists, open.
    Metadata,
    /// A short lock, a line to the console, a small computation.
    Brief,
}

impl Waits {
    /// Returns the name used in the catalogue.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unbounded => "unbounded",
            Self::Timer => "timer",
            Self::Network => "network",
            Self::Cpu => "cpu",
            Self::Data => "data",
            Self::Disk => "disk",
            Self::Change => "change",
            Self::Metadata => "metadata",
            Self::Brief => "brief",
        }
    }

    /// Returns the risk of such a wait before its place is looked at. A timer is critical until its length is known.
    #[must_use]
    pub fn base_risk(self) -> Risk {
        match self {
            Self::Unbounded | Self::Timer => Risk::Critical,
            Self::Network | Self::Cpu => Risk::High,
            Self::Disk => Risk::Medium,
            Self::Data | Self::Change | Self::Metadata | Self::Brief => Risk::Low,
        }
    }

    /// Returns what the thread waits for, in words: "a network round trip".
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Unbounded => "waits until another party is done, without a bound",
            Self::Timer => "sleeps",
            Self::Network => "network round trip",
            Self::Cpu => "long computation",
            Self::Data => "computes over all of its data",
            Self::Disk => "reads or writes the disk",
            Self::Change => "one quick change of a folder",
            Self::Metadata => "one quick file-system call",
            Self::Brief => "usually very short",
        }
    }
}

/// A place: a span in a file of the report's [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The bytes.
    pub span: Span,
}

/// One reason for a risk. Codes are stable; texts may change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RiskReason {
    /// A stable word for machines, such as `network` or `in-loop`.
    pub code: &'static str,
    /// The reason for people.
    pub text: String,
}

/// One step from the reported call down to the api.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hop {
    /// The qualified path of the body in which the call stands.
    pub function: String,
    /// The callee's name as written.
    pub place: Place,
    /// What is called: a function of the program, or, in the last hop, the api.
    pub call: String,
    /// What happens there.
    pub kind: HopKind,
}

/// What happens at a hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HopKind {
    /// A call.
    Call,
    /// The task is suspended, while it holds something.
    Await,
}

/// One place in async code that blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is here.
    pub risk: Risk,
    /// Why.
    pub risk_reasons: Vec<RiskReason>,
    /// How sure we are.
    pub confidence: Confidence,
    /// The language of the file.
    pub language: Language,
    /// What kind of thing blocks; none where the rule is about no kind of call.
    pub category: Option<Category>,
    /// The callee's name as written, in the async body.
    pub place: Place,
    /// The whole statement around it.
    pub statement: Span,
    /// The qualified path of the body on the executor.
    pub function: String,
    /// Why that body runs on the executor.
    pub entry: Entry,
    /// Where the entry is written.
    pub entry_place: Option<Place>,
    /// What holds the thread.
    pub cause: Cause,
    /// From the reported call to the api; at least one hop.
    pub chain: Vec<Hop>,
    /// Other apis behind the same call.
    pub also: Vec<String>,
    /// Other calls that this finding speaks for: of the same statement, or steps of the iteration that its call gives.
    pub also_at: Vec<AlsoAt>,
    /// The lock that is held meanwhile, where that raised the risk.
    pub held: Option<HeldLock>,
    /// What to use instead, in this project.
    pub replacement: Option<Replacement>,
    /// The rewrite, if there is one.
    pub fix: Option<Fix>,
    /// Survives moved lines: rule, root-relative path, function, call, ordinal.
    pub fingerprint: String,
}

/// What holds the thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A call of a library.
    Call {
        /// The catalogue's entry.
        api: ApiId,
        /// The path to speak of: an entry can stand for callables of several names.
        path: String,
        /// What the thread waits for.
        waits: Waits,
        /// Whether it panics inside an async runtime.
        panics: bool,
        /// Why it blocks, one sentence from the catalogue.
        why: String,
    },
    /// A value that lives while its task is suspended.
    Guard {
        /// Its type, by its path in the catalogue.
        type_: String,
        /// What it holds.
        guards: Guards,
    },
}

/// Names an entry of the catalogue: its number there, good for one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiId(pub u32);

/// What a guard holds while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guards {
    /// A lock of threads: whoever waits for it holds its thread.
    Lock,
    /// A lock of tasks, made to be held over an await: whoever waits for it is suspended.
    TaskLock,
    /// A borrow that is checked at run time.
    Borrow,
    /// A tracing span.
    Span,
}

impl Finding {
    /// Says whether the api is called in the async body itself.
    #[must_use]
    pub fn reach(&self) -> Reach {
        if self.chain.len() > 1 {
            Reach::Chain
        } else {
            Reach::Direct
        }
    }

    /// Returns the path of what holds the thread: the api's, or the guard's type.
    #[must_use]
    pub fn call(&self) -> &str {
        match &self.cause {
            Cause::Call { path, .. } => path,
            Cause::Guard { type_, .. } => type_,
        }
    }

    /// Returns the place of the blocking call itself: the last hop's.
    #[must_use]
    pub fn sink(&self) -> Place {
        self.chain.last().map_or(self.place, |hop| hop.place)
    }
}

/// A call beside the reported one that has the same repair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlsoAt {
    /// The callee's name as written.
    pub place: Place,
    /// What is called: a function of the program or an api.
    pub call: String,
}

/// A lock that is held while a call blocks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeldLock {
    /// The guard's type.
    pub guard: String,
    /// Where the lock is taken.
    pub place: Place,
}

/// How far below the async body the blocking call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// In the async body itself.
    Direct,
    /// Behind at least one call of the program.
    Chain,
}

/// Whether a fix may be applied unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// Keeps meaning, compiles, leaves no finding.
    Safe,
    /// Applied only when asked for.
    Unsafe,
}

/// A rewrite that answers a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Whether it may be applied unasked.
    pub applicability: Applicability,
    /// The edits, in file order, not overlapping.
    pub edits: Vec<Edit>,
}

/// Replaces a range of bytes by a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Where.
    pub place: Place,
    /// The new text.
    pub text: String,
}

/// Something that could not be done, while the rest went on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The path as reports print it.
    pub path: String,
    /// Where in the file, if it is known.
    pub place: Option<Place>,
    /// A stable word for machines, such as `syntax` or `too-large`.
    pub code: ProblemCode,
    /// What went wrong and what was done instead.
    pub message: String,
}

/// The kinds of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemCode {
    /// A part of a file does not parse.
    Syntax,
    /// A part of a file is nested too deeply to be parsed safely.
    TooDeep,
    /// A file is larger than the limit.
    TooLarge,
    /// A file could not be read.
    Unreadable,
    /// A file's bytes are not text in a known encoding.
    Encoding,
    /// A manifest or a project file is broken or contradicts another.
    Manifest,
    /// A suppression that suppresses nothing.
    UnusedIgnore,
}

impl ProblemCode {
    /// Returns the word used in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::TooDeep => "too-deep",
            Self::TooLarge => "too-large",
            Self::Unreadable => "unreadable",
            Self::Encoding => "encoding",
            Self::Manifest => "manifest",
            Self::UnusedIgnore => "unused-ignore",
        }
    }
}

/// What was looked at, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Files whose findings are reported.
    pub files: usize,
    /// Files that were only analysed for others.
    pub summarised_files: usize,
    /// Files that could not be read or parsed at all.
    pub skipped_files: usize,
    /// Async functions, blocks and closures in reported files.
    pub async_bodies: usize,
    /// Calls in async code.
    pub calls: usize,
    /// Of those, calls that resolve to the program or to a catalogue entry.
    pub resolved_calls: usize,
    /// Of those, calls that leave the program to something the catalogue does not speak of.
    pub external_calls: usize,
    /// Of those, calls whose target is not known.
    pub unknown_calls: usize,
    /// Findings hidden by `--min-risk`.
    pub hidden_by_risk: usize,
    /// Findings hidden by `--min-confidence` (and not by the risk).
    pub hidden_by_confidence: usize,
    /// Findings of rules that are off.
    pub hidden_by_rule: usize,
    /// Async functions, blocks and closures of tests, benchmarks and examples that were not looked at.
    pub test_bodies: usize,
    /// Findings hidden by the baseline.
    pub hidden_by_baseline: usize,
    /// Findings that a comment in the source answers.
    pub suppressed: usize,
    /// Entries of the baseline that no longer match anything.
    pub stale_baseline: usize,
    /// The project's own catalogue entries that no call reaches.
    #[serde(skip)]
    pub idle_entries: Vec<String>,
    /// Shown findings per rule.
    pub by_rule: BTreeMap<String, usize>,
}

/// A call in async code whose target is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnresolvedCall {
    /// The callee's name.
    pub place: Place,
    /// The qualified path of the body.
    pub function: String,
    /// The callee as written, shortened.
    pub text: String,
    /// Why it is not known.
    pub reason: Unresolved,
    /// What the receiver comes from, where knowledge ends.
    pub origin: Option<Origin>,
}

/// A function whose repair answers several findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// Its qualified path.
    pub function: String,
    /// Its name where it is defined.
    pub place: Place,
    /// The findings that are gone when it blocks no more and those before it do not either: their places in the report.
    pub removes: Vec<usize>,
}

/// All that a run has to say. Sorted: the same input gives the same bytes.
#[derive(Debug, Default)]
pub struct Report {
    /// The files that places speak of.
    pub sources: Sources,
    /// What blocks, by path, line, column, rule.
    pub findings: Vec<Finding>,
    /// The functions whose repair answers most findings, the best first. No finding is in two of them.
    pub repairs: Vec<Repair>,
    /// What could not be done.
    pub problems: Vec<Problem>,
    /// Calls that are not known, when asked for.
    pub unresolved: Vec<UnresolvedCall>,
    /// The counts.
    pub stats: Stats,
}
