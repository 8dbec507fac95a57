//! The words of nostall as plain data. No input or output, no parser, no verdicts.
//!
//! | word | type |
//! | --- | --- |
//! | source | [`Source`]: one file's text and language |
//! | facts | [`FileFacts`](facts::FileFacts): what a front end says about one source, seen alone |
//! | body | [`Body`](facts::Body): the code of a function, closure, async block, comprehension, module |
//! | context | [`Context`]: where a body runs |
//! | target | [`Target`](program::Target): what a call may resolve to, with a confidence |
//! | finding | [`Finding`]: one place in async code that blocks |
//! | risk | [`Risk`]: how long and how unboundedly the executor thread waits |
//! | confidence | [`Confidence`]: how sure we are of target and context |
//!
//! [`facts`] is written by the language crates with [`build`], [`program`] is what they answer when they resolve,
//! [`finding`] is what the engine hands to the reports.

pub mod build;
pub mod components;
pub mod dump;
pub mod explain;
pub mod facts;
pub mod finding;
pub mod layout;
mod names;
pub mod program;
pub mod queries;
mod source;

pub use finding::{
    Category, Confidence, Context, Edit, Finding, Report, Risk, Rule, RuleId, Stats, Waits,
};
pub use names::{Name, Names};
pub use source::{FileId, Language, LineColumn, LineIndex, Role, Source, Sources, Span};
