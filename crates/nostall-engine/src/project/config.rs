//! The config: `nostall.toml`, tables in `Cargo.toml` and `pyproject.toml`, the command line.

use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use nostall_catalog::{Api, FormError, Tables, TraitEntry, TypeEntry, UserEntries};
use nostall_model::{Confidence, Risk};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Request, absolute, display};
use crate::rules::RuleSet;

/// What is asked for, all sources put together.
#[derive(Clone, Debug)]
pub struct Config {
    /// The rules that are on.
    pub select: RuleSet,
    /// Of those, the rules that are off.
    pub ignore: RuleSet,
    /// Files whose findings are not reported.
    pub exclude: GlobSet,
    /// Findings below this risk are hidden.
    pub min_risk: Risk,
    /// Findings below this confidence are hidden.
    pub min_confidence: Confidence,
    /// From which risk on findings make the exit code 1.
    pub fail_on: FailOn,
    /// Whether tests, benchmarks, examples and build scripts count.
    pub tests: bool,
    /// Larger files are skipped, in bytes.
    pub max_file_size: u64,
    /// The baseline file.
    pub baseline: Option<PathBuf>,
    /// The project's own catalogue entries.
    pub entries: UserEntries,
    /// The folder that paths and globs of the config start from.
    pub base: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            select: RuleSet::all(),
            ignore: RuleSet::none(),
            exclude: GlobSet::empty(),
            min_risk: Risk::Medium,
            min_confidence: Confidence::Likely,
            fail_on: FailOn::Any,
            tests: false,
            max_file_size: 4 << 20,
            baseline: None,
            entries: UserEntries::default(),
            base: PathBuf::new(),
        }
    }
}

/// From which risk on findings make a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Any finding that is shown.
    Any,
    /// None.
    Never,
    /// This risk or a higher one.
    #[serde(untagged)]
    Risk(Risk),
}

/// Options of one source. What is not given leaves the next source's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConfigLayer {
    /// Rule ids, `blocking`, `practice`, `all`.
    pub select: Option<Vec<String>>,
    /// Rule ids, `blocking`, `practice`, `all`.
    pub ignore: Option<Vec<String>>,
    /// Globs.
    pub exclude: Option<Vec<String>>,
    /// `low`, `medium`, `high`, `critical`.
    pub min_risk: Option<Risk>,
    /// `possible`, `likely`, `certain`.
    pub min_confidence: Option<Confidence>,
    /// A risk, `any` or `never`.
    pub fail_on: Option<FailOn>,
    /// Whether tests count.
    pub tests: Option<bool>,
    /// In bytes.
    pub max_file_size: Option<u64>,
    /// A path.
    pub baseline: Option<PathBuf>,
    /// Paths of functions that run their first argument off the executor.
    #[serde(default)]
    pub offloaders: Vec<String>,
    /// Catalogue entries.
    #[serde(default)]
    pub api: Vec<Api>,
    /// Catalogue entries.
    #[serde(default, rename = "type")]
    pub types: Vec<TypeEntry>,
    /// Catalogue entries.
    #[serde(default, rename = "trait")]
    pub traits: Vec<TraitEntry>,
}

/// A config that is not valid.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("config {path}: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is not TOML, or has keys or values that mean nothing.
    #[error("config {path}:{line}: {message}")]
    Form {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong, with a suggestion.
        message: String,
    },
    /// A value means nothing.
    #[error("config {path}: {message}")]
    Value {
        /// The file, or the command line.
        path: String,
        /// What is wrong.
        message: String,
    },
}

/// A config file: which kind it is, and where.
struct Found {
    path: PathBuf,
    layer: ConfigLayer,
}

/// Finds the config for a request and puts the command line's options before it.
pub(crate) fn load(request: &Request, root: &Path) -> Result<Config, ConfigError> {
    let start = request.paths.first().map_or_else(
        || request.current_dir.clone(),
        |path| absolute(&request.current_dir, path),
    );
    let found = match &request.config {
        Some(path) => Some(
            read(&absolute(&request.current_dir, path), request)?.unwrap_or_else(|| Found {
                path: path.clone(),
                layer: ConfigLayer::default(),
            }),
        ),
        None => nearest(&start, root, request)?,
    };
    let mut config = Config {
        base: root.to_path_buf(),
        ..Config::default()
    };
    if let Some(found) = found {
        config.base = found
            .path
            .parent()
            .map_or_else(|| root.to_path_buf(), Path::to_path_buf);
        let shown = display(&request.current_dir, &found.path);
        apply(&mut config, found.layer, &shown)?;
    }
    apply(
        &mut config,
        request.overrides.clone(),
        "of the command line",
    )?;
    Ok(config)
}

/// The config nearest to what is checked. In one folder `nostall.toml` goes before the others.
fn nearest(start: &Path, root: &Path, request: &Request) -> Result<Option<Found>, ConfigError> {
    let folder = if start.is_dir() {
        start
    } else {
        start.parent().unwrap_or(start)
    };
    for ancestor in folder.ancestors() {
        for name in ["nostall.toml", "Cargo.toml", "pyproject.toml"] {
            let path = ancestor.join(name);
            if path.is_file()
                && let Some(found) = read(&path, request)?
            {
                return Ok(Some(found));
            }
        }
        if ancestor == root {
            break;
        }
    }
    Ok(None)
}

/// Reads the layer of a file; none where the file is a manifest without one.
fn read(path: &Path, request: &Request) -> Result<Option<Found>, ConfigError> {
    let shown = display(&request.current_dir, path);
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
        path: shown.clone(),
        error,
    })?;
    let layer = match path.file_name().and_then(|name| name.to_str()) {
        Some("Cargo.toml") if !text.contains("nostall") => None,
        Some("pyproject.toml") if !text.contains("nostall") => None,
        Some("Cargo.toml") => parse::<CargoFile>(&text, &shown)?.layer(),
        Some("pyproject.toml") => parse::<PythonFile>(&text, &shown)?.layer(),
        _ => Some(parse::<ConfigLayer>(&text, &shown)?),
    };
    Ok(layer.map(|layer| Found {
        path: path.to_path_buf(),
        layer,
    }))
}

#[derive(Deserialize)]
struct CargoFile {
    workspace: Option<HasMetadata>,
    package: Option<HasMetadata>,
}

#[derive(Deserialize)]
struct HasMetadata {
    metadata: Option<HasNostall>,
}

#[derive(Deserialize)]
struct PythonFile {
    tool: Option<HasNostall>,
}

#[derive(Deserialize)]
struct HasNostall {
    nostall: Option<ConfigLayer>,
}

impl CargoFile {
    fn layer(self) -> Option<ConfigLayer> {
        let of = |table: Option<HasMetadata>| {
            table
                .and_then(|table| table.metadata)
                .and_then(|metadata| metadata.nostall)
        };
        of(self.package).or_else(|| of(self.workspace))
    }
}

impl PythonFile {
    fn layer(self) -> Option<ConfigLayer> {
        self.tool.and_then(|tool| tool.nostall)
    }
}

fn parse<T: DeserializeOwned>(text: &str, path: &str) -> Result<T, ConfigError> {
    nostall_catalog::parse(text).map_err(|FormError { line, message }| ConfigError::Form {
        path: path.to_owned(),
        line,
        message,
    })
}

/// Puts a layer over what is known.
fn apply(config: &mut Config, layer: ConfigLayer, path: &str) -> Result<(), ConfigError> {
    let value = |message: String| ConfigError::Value {
        path: path.to_owned(),
        message,
    };
    if let Some(words) = &layer.select {
        config.select = RuleSet::parse(words).map_err(|error| value(format!("select: {error}")))?;
    }
    if let Some(words) = &layer.ignore {
        config.ignore = RuleSet::parse(words).map_err(|error| value(format!("ignore: {error}")))?;
    }
    if let Some(globs) = &layer.exclude {
        config.exclude = glob_set(globs).map_err(|error| value(format!("exclude: {error}")))?;
    }
    config.min_risk = layer.min_risk.unwrap_or(config.min_risk);
    config.min_confidence = layer.min_confidence.unwrap_or(config.min_confidence);
    config.fail_on = layer.fail_on.unwrap_or(config.fail_on);
    config.tests = layer.tests.unwrap_or(config.tests);
    config.max_file_size = layer.max_file_size.unwrap_or(config.max_file_size);
    if let Some(baseline) = layer.baseline {
        config.baseline = Some(absolute(&config.base, &baseline));
    }
    let tables = Tables {
        api: layer.api,
        types: layer.types,
        traits: layer.traits,
        ..Tables::default()
    };
    let entries =
        UserEntries::new(tables, &layer.offloaders).map_err(|error| value(error.to_string()))?;
    if !entries.is_empty() {
        config.entries = entries;
    }
    Ok(())
}

fn glob_set(globs: &[String]) -> Result<GlobSet, globset::Error> {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(Glob::new(glob)?);
        // `exclude = ["vendor"]` means all that is in there.
        builder.add(Glob::new(&format!("{}/**", glob.trim_end_matches('/')))?);
    }
    builder.build()
}
