//! How the files of a project belong together, as its manifests say.

use std::collections::{BTreeMap, BTreeSet};

use crate::FileId;

/// The layout of a project: what discovery found out about it.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Rust targets: each has a root file.
    pub targets: Vec<Target>,
    /// Python import roots, as folders in the form of this layout's paths (`""` is the root), longest first.
    pub python_roots: Vec<String>,
    /// The lowest Python that a folder's project says it runs on, by the folder in the form of this layout's paths.
    pub python_versions: BTreeMap<String, Version>,
    /// Path to file, for `mod x;`, `#[path]` and imports. Paths start from the root of the project, whatever the current
    /// folder is; those outside it are absolute.
    pub files: BTreeMap<String, FileId>,
}

impl Layout {
    /// Returns the paths of the files, each at the index of its file.
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        for (path, file) in &self.files {
            if paths.len() <= file.index() {
                paths.resize(file.index() + 1, "");
            }
            paths[file.index()] = path.as_str();
        }
        paths
    }

    /// Returns the lowest Python that a file has to run on, if its project says so: the innermost folder's.
    #[must_use]
    pub fn python_version(&self, path: &str) -> Option<Version> {
        let mut folders = std::iter::successors(Some(folder(path)), |path| {
            (!path.is_empty()).then(|| folder(path))
        });
        folders.find_map(|folder| self.python_versions.get(folder).copied())
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A version of a language: 3.9. Versions that differ in what comes after are one here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 3 of 3.9.
    pub major: u16,
    /// 9 of 3.9.
    pub minor: u16,
}

impl Version {
    /// Reads the first two numbers of a version; what stands after them is not looked at: `3.9`, `3.9.1`, `3`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_part = |c: char| c.is_ascii_digit() || c == '.';
        let text = text.trim();
        let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
        let mut parts = text[..end].split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next().and_then(|part| part.parse().ok());
        Some(Self {
            major,
            minor: minor.unwrap_or(0),
        })
    }
}

/// A Rust compilation unit: library, binary, test, example, build script.
#[derive(Clone, Debug)]
pub struct Target {
    /// The package it belongs to.
    pub package: String,
    /// The name of the crate, with `_`.
    pub name: String,
    /// The root file.
    pub root: FileId,
    /// What is built from it.
    pub kind: TargetKind,
    /// The edition, such as 2021.
    pub edition: u16,
    /// Other crates by the name this one uses for them.
    pub dependencies: BTreeMap<String, Dependency>,
    /// Those of them that only its tests can use.
    pub for_tests: BTreeSet<String>,
    /// Those of them that a build with the default features does not have.
    pub optional: BTreeSet<String>,
    /// The features that manifests ask for, of each dependency whose entry is known, by the name that this crate uses for it.
    pub features: BTreeMap<String, BTreeSet<String>>,
    /// Whether the dependencies are all known: false for a file without a manifest.
    pub closed: bool,
}

/// What is built from a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// A library or a procedural macro.
    Library,
    /// A program.
    Binary,
    /// Tests, benchmarks or examples: off unless asked for.
    Test,
    /// A build script: off unless asked for.
    BuildScript,
    /// A file that no target reaches.
    Loose,
}

/// A crate that another one uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// A target of this project: its index in [`Layout::targets`].
    Local(usize),
    /// A crate from elsewhere, by its own name with `_`.
    External(String),
}
