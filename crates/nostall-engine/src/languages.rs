//! The languages that nostall reads: the one list of them.

use nostall_catalog::{Catalog, RuntimeEntry};
use nostall_model::facts::FileFacts;
use nostall_model::finding::{Code, Offload};
use nostall_model::layout::Layout;
use nostall_model::program::{Obstacle, Resolution, Site};
use nostall_model::{FileId, Language, Source};

/// What a language answers. Both steps are pure: no input or output, no failure.
pub trait FrontEnd: Sync {
    /// Returns which language it is.
    fn language(&self) -> Language;

    /// Reads one file, seen alone.
    fn extract(&self, source: &Source) -> FileFacts;

    /// Resolves the calls of all files of this language; with `reasons`, says for people how.
    fn resolve(
        &self,
        files: &[(FileId, &str, &FileFacts)],
        layout: &Layout,
        catalog: &Catalog,
        reasons: bool,
    ) -> Resolution;

    /// Returns the paths that a file asks for and discovery may not have walked.
    fn referenced_paths(&self, path: &str, facts: &FileFacts) -> Vec<String>;

    /// Rewrites a call so that it runs off the executor; `awaits` says whether the code around can await.
    ///
    /// # Errors
    /// What stands in the way of one expression.
    fn offload(
        &self,
        site: &Site<'_>,
        runtime: &RuntimeEntry,
        awaits: bool,
    ) -> Result<Offload, Obstacle>;

    /// Puts an async function in the place of a called one that takes the same and gives the same.
    fn twin(&self, site: &Site<'_>, path: &str) -> Option<Code>;

    /// Rewrites a call that runs a future to its end, so that the future is awaited.
    fn awaited(&self, site: &Site<'_>) -> Option<Code>;
}

/// All languages.
pub static LANGUAGES: &[&dyn FrontEnd] = &[&Rust, &Python];

/// Returns the front end of a language.
#[must_use]
pub fn front_end(language: Language) -> &'static dyn FrontEnd {
    match language {
        Language::Rust => &Rust,
        Language::Python => &Python,
    }
}

struct Rust;

impl FrontEnd for Rust {
    fn language(&self) -> Language {
        Language::Rust
    }

    fn extract(&self, source: &Source) -> FileFacts {
        nostall_rust::extract::extract(source)
    }

    fn resolve(
        &self,
        files: &[(FileId, &str, &FileFacts)],
        layout: &Layout,
        catalog: &Catalog,
        reasons: bool,
    ) -> Resolution {
        nostall_rust::resolve::resolve(&nostall_rust::resolve::Input {
            files,
            layout,
            catalog,
            reasons,
        })
    }

    fn referenced_paths(&self, path: &str, facts: &FileFacts) -> Vec<String> {
        nostall_rust::resolve::referenced_paths(path, facts)
    }

    fn offload(
        &self,
        site: &Site<'_>,
        runtime: &RuntimeEntry,
        awaits: bool,
    ) -> Result<Offload, Obstacle> {
        nostall_rust::rewrite::offload(site, runtime, awaits)
    }

    fn twin(&self, site: &Site<'_>, path: &str) -> Option<Code> {
        nostall_rust::rewrite::twin(site, path)
    }

    fn awaited(&self, site: &Site<'_>) -> Option<Code> {
        nostall_rust::rewrite::awaited(site)
    }
}

struct Python;

impl FrontEnd for Python {
    fn language(&self) -> Language {
        Language::Python
    }

    fn extract(&self, source: &Source) -> FileFacts {
        nostall_python::extract(source)
    }

    fn resolve(
        &self,
        files: &[(FileId, &str, &FileFacts)],
        layout: &Layout,
        catalog: &Catalog,
        _reasons: bool,
    ) -> Resolution {
        nostall_python::resolve(&nostall_python::Input {
            files,
            layout,
            catalog,
        })
    }

    fn referenced_paths(&self, _path: &str, _facts: &FileFacts) -> Vec<String> {
        Vec::new()
    }

    fn offload(
        &self,
        site: &Site<'_>,
        runtime: &RuntimeEntry,
        awaits: bool,
    ) -> Result<Offload, Obstacle> {
        nostall_python::rewrite::offload(site, runtime, awaits).ok_or(Obstacle::Form)
    }

    fn twin(&self, site: &Site<'_>, path: &str) -> Option<Code> {
        nostall_python::rewrite::twin(site, path)
    }

    fn awaited(&self, site: &Site<'_>) -> Option<Code> {
        nostall_python::rewrite::awaited(site)
    }
}
