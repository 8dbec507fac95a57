//! Rust as a language of nostall: facts from syn, names and types resolved over all crates of a workspace.
//!
//! The only crate that knows syn.

pub mod extract;
pub mod resolve;
pub mod rewrite;
