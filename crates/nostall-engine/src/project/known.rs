//! Baselines on disk: their entries speak of files from their own folder on.

use std::path::{Path, PathBuf};

use nostall_model::{Finding, Sources};

use super::{BaselineFile, Project, absolute, display};
use crate::baseline::{Baseline, BaselineError, Document, Entry, Known};

/// A baseline that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadBaseline {
    /// It is not there.
    #[error("baseline `{path}` does not exist")]
    Missing {
        /// The file, as reports print it.
        path: String,
    },
    /// The system does not give it.
    #[error("baseline `{path}`: {error}")]
    Unreadable {
        /// The file, as reports print it.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// It says nothing that can be used.
    #[error("baseline `{path}`: {error}")]
    Form {
        /// The file, as reports print it.
        path: String,
        /// What is wrong.
        error: BaselineError,
    },
}

impl Project {
    /// Reads a baseline.
    ///
    /// # Errors
    /// When it is not there, or not what `nostall baseline` writes.
    pub fn read_baseline(&self, path: &Path) -> Result<Baseline, UnreadBaseline> {
        let shown = || self.shown(path);
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => UnreadBaseline::Missing { path: shown() },
            _ => UnreadBaseline::Unreadable {
                path: shown(),
                error,
            },
        })?;
        let document = Document::from_json(&text).map_err(|error| UnreadBaseline::Form {
            path: shown(),
            error,
        })?;
        let folder = path.parent().unwrap_or(&self.root);
        let known = document.findings.into_iter();
        Ok(Baseline {
            known: known.map(|entry| self.known(entry, folder)).collect(),
        })
    }

    fn known(&self, entry: Entry, folder: &Path) -> Known {
        let path = absolute(folder, Path::new(&entry.path));
        Known {
            path: display(&self.root, &path),
            gone: !path.exists(),
            asked: self.config.is_asked(&path),
            entry,
        }
    }

    /// Reads the baselines that hold for the run. One that a config names and that is not there yet holds nothing: it is
    /// answered beside the others.
    ///
    /// # Errors
    /// As [`Project::read_baseline`]; a file that the command line names must be there.
    pub fn read_baselines(&self) -> Result<(Baseline, Vec<BaselineFile>), UnreadBaseline> {
        let mut all = Baseline::default();
        let mut missing = Vec::new();
        for file in &self.config.baselines {
            match self.read_baseline(&file.path) {
                Ok(baseline) => all.known.extend(baseline.known),
                Err(UnreadBaseline::Missing { .. }) if !file.by_command_line => {
                    missing.push(file.clone());
                }
                Err(error) => return Err(error),
            }
        }
        Ok((all, missing))
    }
}

/// Writes down findings for a baseline that lies in a folder.
#[must_use]
pub fn entries(
    findings: &[Finding],
    sources: &Sources,
    current_dir: &Path,
    folder: &Path,
) -> Vec<Entry> {
    let entry = |finding: &Finding| {
        let file = finding.place.file;
        let path = absolute(current_dir, Path::new(&sources.get(file).path));
        Entry {
            path: from_folder(folder, &path),
            line: sources.place(file, finding.place.span.start).line,
            rule: finding.rule.id.0.to_owned(),
            function: finding.function.clone(),
            call: finding.call().to_owned(),
        }
    };
    findings.iter().map(entry).collect()
}

/// A path from a folder on, with `..` where it lies outside.
pub(crate) fn from_folder(folder: &Path, path: &Path) -> String {
    let shared = folder
        .ancestors()
        .find(|ancestor| path.starts_with(ancestor));
    let Some(shared) = shared.filter(|shared| shared.parent().is_some()) else {
        return super::with_slashes(path);
    };
    let ups = folder.components().count() - shared.components().count();
    let rest = path.strip_prefix(shared).unwrap_or(path);
    let whole: PathBuf = std::iter::repeat_n(Path::new(".."), ups)
        .chain([rest])
        .collect();
    super::with_slashes(&whole)
}
