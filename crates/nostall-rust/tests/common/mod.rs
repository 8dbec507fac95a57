//! What the tests share.

use std::sync::Arc;

use nostall_model::facts::FileFacts;
use nostall_model::{Language, Role, Source};
use nostall_rust::extract::extract;

/// The facts of a text.
pub(crate) fn facts(text: &str) -> FileFacts {
    extract(&Source {
        path: "case.rs".to_owned(),
        language: Language::Rust,
        role: Role::Report,
        text: Arc::from(text),
        decoded: false,
    })
}
