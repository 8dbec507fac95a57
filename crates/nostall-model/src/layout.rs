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
