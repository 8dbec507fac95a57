//! Finding files: the project around what was named, `.gitignore` respected.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use nostall_model::Language;

use super::roots::{Around, folder_of, is_cargo_workspace};

/// Folders that hold what was built or installed, never the project's own code.
pub(crate) const SKIPPED: [&str; 10] = [
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
    /// What could not be looked at, and why.
    pub(crate) refused: BTreeMap<PathBuf, String>,
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

/// Finds the files under the named paths, and those of the programs around them.
pub(crate) fn find(walk: &Walk, named: &[PathBuf], places: &BTreeMap<PathBuf, Around>) -> Found {
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
        let roots: BTreeSet<PathBuf> = own
            .filter_map(|path| Some(language_root(path, language, places.get(folder_of(path))?)))
            .collect();
        for root in roots {
            if !found.walked.iter().any(|walked| root.starts_with(walked)) {
                walk.folder(&root, &mut found, Some(language));
            }
        }
    }
    found
}

fn has_language(path: &Path, found: &Found, language: Language) -> bool {
    if found.files.contains(path) {
        return language_of(path) == Some(language);
    }
    // Files are in order: those of a folder stand together.
    let below = found
        .files
        .range::<Path, _>((Bound::Included(path), Bound::Unbounded));
    below
        .take_while(|file| file.starts_with(path))
        .any(|file| language_of(file) == Some(language))
}

/// The Cargo workspace, or all that Python's imports can reach. A loose Rust file is looked at alone.
fn language_root(path: &Path, language: Language, around: &Around) -> PathBuf {
    match language {
        Language::Python => around.root.clone(),
        Language::Rust if around.project.join("Cargo.toml").is_file() => around.project.clone(),
        Language::Rust => cargo_root(path, &around.root).unwrap_or_else(|| path.to_path_buf()),
    }
}

/// The workspace or package around a path whose nearest project is another language's.
fn cargo_root(path: &Path, root: &Path) -> Option<PathBuf> {
    let within = path
        .ancestors()
        .take_while(|folder| folder.starts_with(root));
    let mut packages = within.filter(|folder| folder.join("Cargo.toml").is_file());
    let package = packages.next()?;
    let workspace = std::iter::once(package)
        .chain(packages)
        .find(|folder| is_cargo_workspace(folder, package));
    Some(workspace.unwrap_or(package).to_path_buf())
}

impl Walk {
    /// Walks a folder. `only` leaves out the files of other languages.
    pub(crate) fn folder(&self, folder: &Path, found: &mut Found, only: Option<Language>) {
        found.walked.push(folder.to_path_buf());
        let mut builder = WalkBuilder::new(folder);
        // A folder that was named counts, whatever the files above it say of it.
        builder
            .parents(false)
            .require_git(false)
            .follow_links(false)
            .filter_entry(|entry| entry.depth() == 0 || !is_skipped(entry.path()));
        if self.no_ignore {
            builder
                .ignore(false)
                .git_ignore(false)
                .git_global(false)
                .git_exclude(false);
        }
        for entry in builder.build() {
            match entry {
                // Only regular files: opening a pipe would wait for whoever writes to it.
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    found.add(entry.into_path(), only);
                }
                Ok(_) => {}
                Err(error) => found.refused.extend(unreadable(&error)),
            }
        }
    }
}

/// The path that could not be looked at, and why. What is wrong in a `.gitignore` keeps nothing from being read.
fn unreadable(error: &ignore::Error) -> Option<(PathBuf, String)> {
    match error {
        ignore::Error::WithPath { path, err } => {
            let io = err.io_error()?;
            Some((path.clone(), io.to_string()))
        }
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            unreadable(err)
        }
        _ => None,
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
