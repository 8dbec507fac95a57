//! Python for nostall: facts from tree-sitter, imports and calls resolved.
//!
//! [`extract`] reads one file, seen alone, and says what is written there; it is purely syntactic. Nothing outside
//! `extract` knows tree-sitter.

mod extract;

pub use extract::extract;
