//! The analysis of nostall: from a project on disk to a report.
//!
//! [`project`] finds and reads the files and is the only module that touches the disk. [`languages`] is the list of front
//! ends. [`program`] joins what they resolved, [`summary`] says what each body does when it runs, [`rules`] turns that into
//! findings, [`suppress`] and [`baseline`] take out what the project vouches for,
//! [`settings`] what nobody asked for. [`analyse`] is the way through all of it.

mod advice;
mod alone;
pub mod analyse;
mod answers;
pub mod baseline;
mod busy;
mod concurrency;
mod contexts;
mod crowds;
mod elsewhere;
mod entries;
mod features;
mod fingerprint;
pub mod given;
mod held;
pub mod inspect;
mod kept;
pub mod languages;
mod loop_told;
mod outcome;
mod over;
mod placement;
pub mod program;
pub mod project;
mod repairs;
pub mod rules;
mod runtimes;
pub mod settings;
mod shown;
pub mod sinks;
mod startup;
pub mod summary;
pub mod suppress;
mod together;
mod told;
mod unknown;
