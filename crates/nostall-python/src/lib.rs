//! Python for nostall: facts from tree-sitter, imports and calls resolved.
//!
//! [`extract`] reads one file, seen alone, and says what is written there; it is purely syntactic. Nothing outside
//! `extract` knows tree-sitter. [`resolve`] sees the facts of all files and says what each call may reach.

mod extract;
mod resolve;
pub mod rewrite;

pub use extract::extract;
pub use resolve::{Input, resolve};
