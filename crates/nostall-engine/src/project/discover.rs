//! Finding files: the project around what was named, `.gitignore` respected.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use nostall_model::Language;
use walkdir::WalkDir;

/// Folders that hold what was built or installed, never the project's own code.
const SKIPPED: [&str; 10] = [
    "target",
    "node_modules",
    "__pycache__",
    "site-packages",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".git",
    ".mypy_cache",
];

/// How to walk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    pub(crate) no_ignore: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Source files.
    pub(crate) files: BTreeSet<PathBuf>,
    /// `Cargo.toml` files.
    pub(crate) manifests: BTreeSet<PathBuf>,
    /// Folders that have been walked.
    pub(crate) walked: Vec<PathBuf>,
}

/// Returns the language of a file by its name.
#[must_use]
pub fn language_of(path: &Path) -> Option<Language> {
    match path.extension()?.to_str()? {
        "rs" => Some(Language::Rust),
        "py" | "pyi" => Some(Language::Python),
        _ => None,
    }
}

/// Returns the folder that a path's project is rooted in: the Cargo workspace or Python project around it, else the
/// repository, else the folder itself.
pub(crate) fn project_root(path: &Path) -> PathBuf {
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    let mut nearest = None;
    for ancestor in folder.ancestors() {
        let manifest = ancestor.join("Cargo.toml");
        if manifest.is_file() {
            nearest.get_or_insert_with(|| ancestor.to_path_buf());
            if is_workspace(&manifest) {
                return ancestor.to_path_buf();
            }
        } else if is_python_project(ancestor) {
            nearest.get_or_insert_with(|| ancestor.to_path_buf());
        }
        if ancestor.join(".git").exists() {
            break;
        }
    }
    nearest.unwrap_or_else(|| folder.to_path_buf())
}

fn is_workspace(manifest: &Path) -> bool {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    text.lines()
        .any(|line| line.trim_start().starts_with("[workspace"))
}

fn is_python_project(folder: &Path) -> bool {
    ["pyproject.toml", "setup.py", "setup.cfg"]
        .iter()
        .any(|name| folder.join(name).is_file())
}

/// Finds the files under the named paths, and those of the projects around them.
pub(crate) fn find(walk: &Walk, named: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in named {
        if path.is_dir() {
            walk.folder(path, &mut found, None);
        } else {
            found.files.insert(path.clone());
        }
    }
    // Around what was named only the files of its own language can matter.
    for language in [Language::Rust, Language::Python] {
        let own = named
            .iter()
            .filter(|path| has_language(path, &found, language));
        let roots: BTreeSet<PathBuf> = own.map(|path| language_root(path, language)).collect();
        for root in roots
            .iter()
            .filter(|root| !found.walked.iter().any(|walked| root.starts_with(walked)))
            .cloned()
            .collect::<Vec<_>>()
        {
            walk.folder(&root, &mut found, Some(language));
        }
    }
    found
}

fn has_language(path: &Path, found: &Found, language: Language) -> bool {
    found
        .files
        .iter()
        .any(|file| file.starts_with(path) && language_of(file) == Some(language))
}

/// The Cargo workspace or the Python project around a path. A loose file is looked at alone.
fn language_root(path: &Path, language: Language) -> PathBuf {
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    let mut nearest: Option<&Path> = None;
    for ancestor in folder.ancestors() {
        match language {
            Language::Rust if ancestor.join("Cargo.toml").is_file() => {
                nearest.get_or_insert(ancestor);
                if is_workspace(&ancestor.join("Cargo.toml")) {
                    nearest = Some(ancestor);
                    break;
                }
            }
            Language::Python if is_python_project(ancestor) => {
                nearest = Some(ancestor);
                break;
            }
            // A folder that holds what was built or installed belongs to nothing above it.
            _ if ancestor
                .file_name()
                .is_some_and(|name| SKIPPED.iter().any(|skipped| name == *skipped)) =>
            {
                break;
            }
            _ => {}
        }
        if ancestor.join(".git").exists() {
            break;
        }
    }
    nearest.map_or_else(|| path.to_path_buf(), Path::to_path_buf)
}

impl Walk {
    /// Walks a folder. `only` leaves out the files of other languages.
    pub(crate) fn folder(&self, folder: &Path, found: &mut Found, only: Option<Language>) {
        found.walked.push(folder.to_path_buf());
        if self.no_ignore {
            let entries = WalkDir::new(folder)
                .into_iter()
                .filter_entry(|entry| entry.depth() == 0 || !is_skipped(entry.path()));
            for entry in entries
                .filter_map(Result::ok)
                .filter(|entry| entry.file_type().is_file())
            {
                found.add(entry.into_path(), only);
            }
            return;
        }
        let mut builder = WalkBuilder::new(folder);
        // A folder that was named counts, whatever the files above it say of it.
        builder
            .parents(false)
            .require_git(false)
            .follow_links(false)
            .filter_entry(|entry| entry.depth() == 0 || !is_skipped(entry.path()));
        for entry in builder.build().filter_map(Result::ok) {
            // Only regular files: opening a pipe would wait for whoever writes to it.
            if entry.file_type().is_some_and(|kind| kind.is_file()) {
                found.add(entry.into_path(), only);
            }
        }
    }
}

fn is_skipped(path: &Path) -> bool {
    path.is_dir()
        && path
            .file_name()
            .is_some_and(|name| SKIPPED.iter().any(|skipped| name == *skipped))
}

impl Found {
    fn add(&mut self, path: PathBuf, only: Option<Language>) {
        if path.file_name().is_some_and(|name| name == "Cargo.toml") {
            self.manifests.insert(path);
            return;
        }
        let language = language_of(&path);
        if language.is_some() && (only.is_none() || only == language) {
            self.files.insert(path);
        }
    }
}
