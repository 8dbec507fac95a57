//! Advice put in place of calls in published crates, and compiled there. Nothing is run but what cargo runs to build them.

mod cargo;
mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use sha2::{Digest, Sha256};

use super::entry::{Entry, Found};
use crate::eval::Package;
use cargo::Workspace;
use place::{Edit, Text};

/// What to compile.
#[derive(Args)]
pub(crate) struct CompileOptions {
    /// Compiles the code of so many findings of the crates in place.
    #[arg(long, value_name = "COUNT")]
    compile: Option<usize>,
    /// Decides which findings are drawn.
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// The most of one crate.
    #[arg(long, default_value_t = 4)]
    per_package: usize,
    /// Looks at these packages alone: building all of them takes hours.
    #[arg(long, value_delimiter = ',')]
    crates: Vec<String>,
    /// Where the copies are built.
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
}

/// What came of it.
pub(super) struct Compiled {
    pub(super) seed: u32,
    pub(super) outcomes: Vec<Outcome>,
}

/// One piece of advice, compiled.
pub(super) struct Outcome {
    pub(super) package: String,
    /// File and line.
    pub(super) place: String,
    pub(super) rule: String,
    pub(super) code: String,
    /// What the compiler said first; none where it compiles.
    pub(super) error: Option<String>,
}

/// A drawn finding with the advice that is tried.
struct Drawn {
    package: Package,
    found: Found,
    edit: Edit,
    code: String,
}

impl CompileOptions {
    /// Draws from the findings of all packages, compiles, prints; none where nothing is asked.
    pub(super) fn run(&self, all: Vec<(Package, Vec<Found>)>) -> Result<Option<Compiled>> {
        let Some(count) = self.compile else {
            return Ok(None);
        };
        let scratch = match &self.scratch {
            Some(folder) => std::path::absolute(folder)?,
            None => crate::root().join("target/advice"),
        };
        let drawn = self.draw(all);
        let outcomes = compile(drawn, &scratch, count, self.per_package)?;
        let compiled = Compiled {
            seed: self.seed,
            outcomes,
        };
        print!("{}", super::page::compiled(&compiled));
        Ok(Some(compiled))
    }

    /// Whether a package is looked at.
    pub(super) fn looks_at(&self, tree: &str) -> bool {
        let mut names = self.crates.iter();
        self.crates.is_empty() || names.any(|name| name_of(tree) == name)
    }

    /// All that can be drawn, in the order of the seed.
    fn draw(&self, all: Vec<(Package, Vec<Found>)>) -> Vec<Drawn> {
        let mut drawn: Vec<([u8; 32], Drawn)> = Vec::new();
        for (package, found) in all {
            for found in found {
                let Some(entry) = found.advice.first() else {
                    continue;
                };
                let Some(edit) = edit(entry, &found, &package) else {
                    continue;
                };
                let key = format!(
                    "{} {} {}:{}",
                    self.seed,
                    package.tree,
                    edit.file.display(),
                    found.offset
                );
                let code = entry.text();
                let package = package.clone();
                let one = Drawn {
                    package,
                    found,
                    edit,
                    code,
                };
                drawn.push((Sha256::digest(key).into(), one));
            }
        }
        drawn.sort_by_key(|(key, _)| *key);
        drawn.into_iter().map(|(_, one)| one).collect()
    }
}

/// `svm-rs` of `svm-rs-0.5.32`.
fn name_of(tree: &str) -> &str {
    let version = tree
        .match_indices('-')
        .find(|(at, _)| tree[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    version.map_or(tree, |(at, _)| &tree[..at])
}

/// What takes the call's place, where nothing is left to the reader.
fn edit(entry: &Entry, found: &Found, package: &Package) -> Option<Edit> {
    let code = entry.code.as_deref()?;
    if !entry.borrowed.is_empty() {
        return None;
    }
    // Within brackets it stands wherever the call stood.
    let text = if entry.before.is_empty() {
        format!("({code})")
    } else {
        format!("({{ {} {code} }})", entry.before.join(" "))
    };
    Some(Edit {
        file: found.file.strip_prefix(&package.folder).ok()?.to_owned(),
        range: entry.start?..entry.end?,
        text,
    })
}

/// Builds the crates as they are, then with the advice in place.
fn compile(
    drawn: Vec<Drawn>,
    scratch: &Path,
    count: usize,
    per_package: usize,
) -> Result<Vec<Outcome>> {
    let mut packages: Vec<&Package> = Vec::new();
    for one in &drawn {
        if packages.iter().all(|it| it.tree != one.package.tree) {
            packages.push(&one.package);
        }
    }
    packages.sort_by_key(|it| &it.tree);
    let workspaces = Workspace::group(&packages, scratch)?;
    let mut builds: BTreeSet<String> = BTreeSet::new();
    for workspace in &workspaces {
        let checked = workspace.check()?;
        for tree in workspace.trees() {
            if checked.is_good(tree) {
                builds.insert(tree.to_owned());
            } else {
                println!("{tree} does not build as it is");
            }
        }
    }
    let mut drawn: Vec<Drawn> = drawn
        .into_iter()
        .filter(|one| builds.contains(&one.package.tree))
        .collect();
    drop_overlapping(&mut drawn);
    let built = built(&drawn, &workspaces)?;
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut sample: Vec<Drawn> = Vec::new();
    for (one, built) in drawn.into_iter().zip(built) {
        let of_package = taken.entry(one.package.tree.clone()).or_default();
        if built && *of_package < per_package && sample.len() < count {
            *of_package += 1;
            sample.push(one);
        }
    }
    let errors = errors(&sample, &workspaces)?;
    let outcomes = sample.into_iter().zip(errors);
    Ok(outcomes
        .map(|(one, error)| Outcome {
            package: one.package.tree,
            place: format!("{}:{}", one.edit.file.display(), one.found.line),
            rule: one.found.rule,
            code: one.code,
            error,
        })
        .collect())
}

/// Calls within calls: the first drawn one stays.
fn drop_overlapping(drawn: &mut Vec<Drawn>) {
    let mut kept: Vec<(String, Edit)> = Vec::new();
    drawn.retain(|one| {
        let tree = &one.package.tree;
        let free = kept
            .iter()
            .all(|(other, edit)| other != tree || !edit.overlaps(&one.edit));
        if free {
            kept.push((tree.clone(), one.edit.clone()));
        }
        free
    });
}

/// Whether each place is built at all: a compiler error in its place says so. What `cfg` leaves out says nothing.
fn built(drawn: &[Drawn], workspaces: &[Workspace]) -> Result<Vec<bool>> {
    let marks = drawn.iter().enumerate().map(|(index, one)| {
        let text = format!("compile_error!(\"advice {index} stands here\")");
        Some(Edit {
            text,
            ..one.edit.clone()
        })
    });
    let mut seen = vec![false; drawn.len()];
    let edits: Vec<Option<Edit>> = marks.collect();
    for error in check_with(drawn, &edits, workspaces)?.errors {
        let number = error.message.strip_prefix("advice ");
        let number = number.and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        if let Some(seen) = number.and_then(|number| seen.get_mut(number)) {
            *seen = true;
        }
    }
    Ok(seen)
}

/// What the compiler says of each piece of advice. Those that fail are taken out again until the rest compiles together.
fn errors(sample: &[Drawn], workspaces: &[Workspace]) -> Result<Vec<Option<String>>> {
    let mut errors: Vec<Option<String>> = vec![None; sample.len()];
    loop {
        let edits: Vec<Option<Edit>> = sample
            .iter()
            .zip(&errors)
            .map(|(one, error)| error.is_none().then(|| one.edit.clone()))
            .collect();
        let said = check_with(sample, &edits, workspaces)?;
        let before = errors.iter().flatten().count();
        for (error, hit) in said.errors.iter().zip(said.hits) {
            for index in hit {
                errors[index].get_or_insert_with(|| error.text());
            }
        }
        if errors.iter().flatten().count() > before {
            continue;
        }
        // An error elsewhere: all that is left of its crate is under suspicion.
        let failing: Vec<(String, String)> = said
            .errors
            .iter()
            .map(|error| (error.tree.clone(), error.text()))
            .collect();
        for (tree, text) in failing {
            let of_crate = sample.iter().enumerate();
            for (index, _) in of_crate.filter(|(_, one)| one.package.tree == tree) {
                errors[index].get_or_insert_with(|| format!("somewhere in the crate: {text}"));
            }
        }
        if errors.iter().flatten().count() == before {
            return Ok(errors);
        }
    }
}

/// The compiler's errors, and which edits each of them touches.
struct Said {
    errors: Vec<cargo::Error>,
    hits: Vec<Vec<usize>>,
}

/// Puts edits in place, checks, and puts the files back.
fn check_with(drawn: &[Drawn], edits: &[Option<Edit>], workspaces: &[Workspace]) -> Result<Said> {
    let mut said = Said {
        errors: Vec::new(),
        hits: Vec::new(),
    };
    for workspace in workspaces {
        let mut texts: BTreeMap<PathBuf, Text> = BTreeMap::new();
        for (index, (one, edit)) in drawn.iter().zip(edits).enumerate() {
            let Some(edit) = edit else { continue };
            if let Some(folder) = workspace.folder_of(&one.package.tree) {
                let original = one.package.folder.join(&edit.file);
                let text = texts.entry(folder.join(&edit.file)).or_default();
                text.original = original;
                text.edits.push((index, edit.clone()));
            }
        }
        if texts.is_empty() {
            continue;
        }
        let mut places: BTreeMap<PathBuf, Vec<(usize, std::ops::Range<usize>)>> = BTreeMap::new();
        for (file, text) in &mut texts {
            let (new, ranges) = text.edited()?;
            std::fs::write(file, new).with_context(|| format!("write {}", file.display()))?;
            places.insert(file.clone(), ranges);
        }
        let checked = workspace.check()?;
        for (file, text) in &texts {
            std::fs::copy(&text.original, file)?;
        }
        for error in checked.errors {
            let touched = error.spans.iter().flat_map(|(file, span)| {
                let ranges = places.get(file).into_iter().flatten();
                let touched =
                    ranges.filter(|(_, own)| own.start < span.end && span.start < own.end);
                touched.map(|(index, _)| *index)
            });
            said.hits.push(touched.collect());
            said.errors.push(error);
        }
    }
    Ok(said)
}
