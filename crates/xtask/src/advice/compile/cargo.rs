//! Copies of crates, built together as far as one workspace can hold them: what they share is built once.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::eval::Package;

/// Crates that are built together.
pub(super) struct Workspace {
    folder: PathBuf,
    target: PathBuf,
    trees: Vec<String>,
}

/// What the compiler said.
pub(super) struct Checked {
    pub(super) errors: Vec<Error>,
    /// The folders of what was compiled, members and dependencies.
    compiled: BTreeSet<String>,
}

impl Checked {
    /// Whether a crate compiled.
    pub(super) fn is_good(&self, tree: &str) -> bool {
        self.compiled.contains(tree) && self.errors.iter().all(|error| error.tree != tree)
    }
}

/// An error of the compiler.
pub(super) struct Error {
    pub(super) tree: String,
    pub(super) message: String,
    code: String,
    /// All places that it speaks of, those of its notes included.
    pub(super) spans: Vec<(PathBuf, Range<usize>)>,
}

impl Error {
    /// Its number and what it says.
    pub(super) fn text(&self) -> String {
        let first = self.message.lines().next().unwrap_or_default();
        format!("{} {first}", self.code).trim().to_owned()
    }
}

impl Workspace {
    /// Puts each crate into the first workspace that can hold it: two versions of one native library exclude each other.
    pub(super) fn group(packages: &[&Package], scratch: &Path) -> Result<Vec<Self>> {
        let mut all: Vec<Self> = Vec::new();
        for package in packages {
            let mut placed = false;
            for workspace in &mut all {
                placed = placed || workspace.add(package)?;
            }
            if !placed {
                let mut workspace = Self {
                    folder: scratch.join(format!("workspace-{}", all.len() + 1)),
                    target: scratch.join("target"),
                    trees: Vec::new(),
                };
                if workspace.folder.exists() {
                    std::fs::remove_dir_all(&workspace.folder)?;
                }
                if workspace.add(package)? {
                    all.push(workspace);
                } else {
                    println!("{} cannot be resolved", package.tree);
                }
            }
        }
        Ok(all)
    }

    pub(super) fn trees(&self) -> impl Iterator<Item = &str> {
        self.trees.iter().map(String::as_str)
    }

    /// Where a crate's copy is, if it is in this workspace.
    pub(super) fn folder_of(&self, tree: &str) -> Option<PathBuf> {
        let is_member = self.trees().any(|own| own == tree);
        is_member.then(|| self.folder.join(tree))
    }

    fn add(&mut self, package: &Package) -> Result<bool> {
        let to = self.folder.join(&package.tree);
        copy(&package.folder, &to)?;
        self.trees.push(package.tree.clone());
        self.write_manifest()?;
        let status = self
            .cargo()
            .args(["generate-lockfile", "--quiet"])
            .stderr(Stdio::null())
            .status()
            .context("run cargo")?;
        if !status.success() {
            self.trees.pop();
            self.write_manifest()?;
            std::fs::remove_dir_all(&to)?;
        }
        Ok(status.success())
    }

    fn write_manifest(&self) -> Result<()> {
        let members: Vec<String> = self.trees().map(|tree| format!("{tree:?}")).collect();
        let text = format!(
            "[workspace]\nresolver = \"2\"\nmembers = [{}]\n[profile.dev]\ndebug = 0\n",
            members.join(", ")
        );
        std::fs::write(self.folder.join("Cargo.toml"), text).context("write a manifest")
    }

    fn cargo(&self) -> Command {
        let mut command = Command::new("cargo");
        command
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .stdin(Stdio::null());
        command
    }

    /// Checks all crates with their default features.
    pub(super) fn check(&self) -> Result<Checked> {
        let output = self
            .cargo()
            .args(["check", "--workspace", "--lib", "--bins", "--keep-going"])
            .args(["--quiet", "--message-format", "json"])
            .stderr(Stdio::null())
            .output()
            .context("run cargo check")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let messages = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let messages: Vec<Value> = messages.collect();
        let compiled = messages
            .iter()
            .filter(|it| it["reason"] == "compiler-artifact");
        Ok(Checked {
            errors: messages.iter().filter_map(|it| self.error(it)).collect(),
            compiled: compiled.filter_map(folder).collect(),
        })
    }

    fn error(&self, message: &Value) -> Option<Error> {
        let own = &message["message"];
        // The last line of a run, which counts the errors, stands nowhere.
        let spans = own["spans"].as_array().filter(|spans| !spans.is_empty())?;
        let code = own["code"]["code"].as_str().unwrap_or_default();
        // A lint that a crate denies is no fault of the code.
        if own["level"] != "error" || !code.is_empty() && !code.starts_with('E') {
            return None;
        }
        let notes = own["children"].as_array().into_iter().flatten();
        let notes = notes.filter_map(|note| note["spans"].as_array()).flatten();
        Some(Error {
            tree: folder(message)?,
            message: own["message"].as_str()?.to_owned(),
            code: code.to_owned(),
            spans: spans
                .iter()
                .chain(notes)
                .filter_map(|span| self.span(span))
                .collect(),
        })
    }

    fn span(&self, span: &Value) -> Option<(PathBuf, Range<usize>)> {
        let at = |key: &str| usize::try_from(span[key].as_u64()?).ok();
        let file = self.folder.join(span["file_name"].as_str()?);
        Some((file, at("byte_start")?..at("byte_end")?))
    }
}

/// The name of the folder of what a message is about.
fn folder(message: &Value) -> Option<String> {
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let folder = manifest.parent()?.file_name()?.to_str()?;
    Some(folder.to_owned())
}

/// Copies a crate without what would tie it to versions or toolchains of its own.
fn copy(from: &Path, to: &Path) -> Result<()> {
    const LEFT_OUT: [&str; 5] = [
        "Cargo.lock",
        ".cargo",
        ".cargo-ok",
        "rust-toolchain",
        "rust-toolchain.toml",
    ];
    let entries = walkdir::WalkDir::new(from)
        .into_iter()
        .filter_entry(|entry| {
            let name = entry.file_name().to_str();
            entry.depth() != 1 || !name.is_some_and(|name| LEFT_OUT.contains(&name))
        });
    for entry in entries {
        let entry = entry?;
        let file = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&file)?;
        } else {
            std::fs::copy(entry.path(), &file)?;
        }
    }
    Ok(())
}
