//! The config: `nostall.toml`, tables in `Cargo.toml` and `pyproject.toml`, the command line, each laid over the one before.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use nostall_catalog::{Tables, UserEntries};
use serde::Deserialize;

use super::form::{self, ConfigLayer, OverrideLayer};
use super::{Named, Request, absolute};
use crate::rules::RuleSet;
use crate::settings::FileSettings;

/// The files that a folder's config may stand in. The first that has one counts.
const CONFIG_FILES: [&str; 3] = ["nostall.toml", "Cargo.toml", "pyproject.toml"];

/// The baseline that is found without being named.
pub const BASELINE_FILE: &str = "nostall-baseline.json";

/// The word that stands for marks without use among the rules of `ignore`.
const UNUSED_IGNORE: &str = "unused-ignore";

/// What is asked for, all sources put together.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The project's own catalogue entries.
    pub entries: UserEntries,
    /// The baselines, the outermost first.
    pub baselines: Vec<BaselineFile>,
    /// The config files that were read, as reports print them.
    pub files: Vec<String>,
    /// The outermost first, the command line last.
    layers: Vec<Layer>,
    named: Named,
    force_exclude: bool,
}

/// A baseline that holds for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineFile {
    /// Where it is, or is to be.
    pub path: PathBuf,
    /// The folder whose findings it is for.
    pub folder: PathBuf,
    /// The config that names it; none where it was found by its name.
    pub named_by: Option<String>,
    /// The command line names it.
    pub by_command_line: bool,
}

/// One source of options, checked.
#[derive(Clone, Debug)]
struct Layer {
    /// Where it holds; everywhere if not said.
    scope: Option<PathBuf>,
    /// The folder that its globs start from.
    base: PathBuf,
    /// Whether nothing from above holds within its scope.
    root: bool,
    options: ConfigLayer,
    select: Option<RuleSet>,
    ignore: Option<Ignore>,
    exclude: Globs,
    overrides: Vec<Override>,
}

/// What `ignore` says.
#[derive(Clone, Debug)]
struct Ignore {
    rules: RuleSet,
    unused_ignore: bool,
}

/// One of `[[overrides]]`, checked.
#[derive(Clone, Debug)]
struct Override {
    paths: Globs,
    options: OverrideLayer,
    select: Option<RuleSet>,
    ignore: Ignore,
}

/// Globs from a folder on.
#[derive(Clone, Debug, Default)]
struct Globs {
    written: Vec<String>,
    set: GlobSet,
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

/// Finds the config of all folders from the root down to the files, and lays the command line's options over it.
pub(crate) fn load(
    request: &Request,
    root: &Path,
    named: &Named,
    files: &BTreeSet<PathBuf>,
) -> Result<Config, ConfigError> {
    let mut loader = Loader {
        request,
        root,
        tables: Tables::default(),
        offloaders: Vec::new(),
        config: Config {
            named: named.clone(),
            force_exclude: request.force_exclude,
            ..Config::default()
        },
    };
    match &request.config {
        Some(path) => {
            let path = absolute(&request.current_dir, path);
            let base = path.parent().unwrap_or(root).to_path_buf();
            for options in read(&path, &loader.shown(&path))? {
                loader.add(options, &path, &base, None)?;
            }
        }
        None => loader.folders(&folders(root, named, files))?,
    }
    loader.command_line()?;
    let value = |error: nostall_catalog::CatalogError| ConfigError::Value {
        path: loader.config.files.join(", "),
        message: error.to_string(),
    };
    loader.config.entries = UserEntries::new(loader.tables, &loader.offloaders).map_err(value)?;
    Ok(loader.config)
}

/// The folders from the root down to each file, outer ones first.
fn folders(root: &Path, named: &Named, files: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::from([root.to_path_buf()]);
    let reported = files.iter().filter(|file| named.is_around(file));
    for path in named.iter().chain(reported) {
        for folder in path.ancestors() {
            if !folder.starts_with(root) || (folder.is_dir() && !folders.insert(folder.into())) {
                break;
            }
        }
    }
    folders
}

/// Says whether the config of a folder makes it the root of all that lies in it.
pub(crate) fn is_root(folder: &Path) -> bool {
    let says_so = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        text.contains("root") && read_text(&path, &text).is_ok_and(|layers| is_any_root(&layers))
    };
    CONFIG_FILES.iter().any(|name| says_so(folder.join(name)))
}

fn is_any_root(layers: &[ConfigLayer]) -> bool {
    layers.iter().any(|layer| layer.root == Some(true))
}

/// Puts a config together.
struct Loader<'a> {
    request: &'a Request,
    root: &'a Path,
    tables: Tables,
    offloaders: Vec<String>,
    config: Config,
}

impl Loader<'_> {
    fn shown(&self, path: &Path) -> String {
        super::shown(self.root, &self.request.current_dir, path)
    }

    fn folders(&mut self, folders: &BTreeSet<PathBuf>) -> Result<(), ConfigError> {
        for folder in folders {
            if self.config.is_excluded(folder) {
                continue;
            }
            let baselines = self.config.baselines.len();
            for name in CONFIG_FILES {
                let path = folder.join(name);
                let found = if path.is_file() {
                    read(&path, &self.shown(&path))?
                } else {
                    Vec::new()
                };
                let any = !found.is_empty();
                for options in found {
                    self.add(options, &path, folder, Some(folder))?;
                }
                if any {
                    break;
                }
            }
            let found = folder.join(BASELINE_FILE);
            if self.config.baselines.len() == baselines && found.is_file() {
                self.config.baselines.push(BaselineFile {
                    path: found,
                    folder: folder.clone(),
                    named_by: None,
                    by_command_line: false,
                });
            }
        }
        Ok(())
    }

    /// Adds what a file says.
    fn add(
        &mut self,
        mut options: ConfigLayer,
        path: &Path,
        base: &Path,
        scope: Option<&Path>,
    ) -> Result<(), ConfigError> {
        let shown = self.shown(path);
        self.tables.api.append(&mut options.api);
        self.tables.types.append(&mut options.types);
        self.tables.traits.append(&mut options.traits);
        self.offloaders.append(&mut options.offloaders);
        if let Some(baseline) = &options.baseline {
            self.config.baselines.push(BaselineFile {
                path: absolute(base, baseline),
                folder: base.to_path_buf(),
                named_by: Some(shown.clone()),
                by_command_line: false,
            });
        }
        let layer = Layer::new(options, base, scope, &shown)?;
        self.config.layers.push(layer);
        if self.config.files.last() != Some(&shown) {
            self.config.files.push(shown);
        }
        Ok(())
    }

    fn command_line(&mut self) -> Result<(), ConfigError> {
        let overrides = self.request.overrides.clone();
        let current_dir = &self.request.current_dir;
        if self.request.no_baseline {
            self.config.baselines.clear();
        }
        if let Some(baseline) = &overrides.baseline {
            self.config.baselines = vec![BaselineFile {
                path: absolute(current_dir, baseline),
                folder: current_dir.clone(),
                named_by: None,
                by_command_line: true,
            }];
        }
        let layer = Layer::new(overrides, current_dir, None, "of the command line")?;
        self.config.layers.push(layer);
        Ok(())
    }
}

impl Layer {
    fn new(
        options: ConfigLayer,
        base: &Path,
        scope: Option<&Path>,
        shown: &str,
    ) -> Result<Self, ConfigError> {
        let value = |message: String| ConfigError::Value {
            path: shown.to_owned(),
            message,
        };
        let of_key = |key: &'static str| move |error: String| value(format!("{key}: {error}"));
        let overrides = options.overrides.iter().map(Override::new);
        Ok(Self {
            scope: scope.map(Path::to_path_buf),
            base: base.to_path_buf(),
            root: options.root == Some(true),
            select: rules(options.select.as_deref()).map_err(of_key("select"))?,
            ignore: options
                .ignore
                .as_deref()
                .map(Ignore::new)
                .transpose()
                .map_err(of_key("ignore"))?,
            exclude: Globs::new(options.exclude.as_deref().unwrap_or_default())
                .map_err(of_key("exclude"))?,
            overrides: overrides
                .collect::<Result<_, _>>()
                .map_err(of_key("overrides"))?,
            options,
        })
    }

    fn holds(&self, path: &Path) -> bool {
        self.scope
            .as_ref()
            .is_none_or(|scope| path.starts_with(scope))
    }

    /// Lays this over what is known of a file.
    fn apply(&self, path: &Path, settings: &mut FileSettings) {
        let options = &self.options;
        if self.root {
            *settings = FileSettings::default();
        }
        if let Some(select) = &self.select {
            settings.select.clone_from(select);
        }
        if let Some(ignore) = &self.ignore {
            settings.ignore.clone_from(&ignore.rules);
            settings.unused_ignore = !ignore.unused_ignore;
        }
        settings.min_risk = options.min_risk.unwrap_or(settings.min_risk);
        settings.min_confidence = options.min_confidence.unwrap_or(settings.min_confidence);
        settings.fail_on = options.fail_on.unwrap_or(settings.fail_on);
        settings.tests = options.tests.or(settings.tests);
        settings.max_file_size = options.max_file_size.unwrap_or(settings.max_file_size);
        for entry in &self.overrides {
            if entry.paths.fit(&self.base, path) {
                entry.apply(settings);
            }
        }
    }
}

impl Ignore {
    fn new(words: &[String]) -> Result<Self, String> {
        let (marks, rules): (Vec<&String>, Vec<&String>) =
            words.iter().partition(|word| word.trim() == UNUSED_IGNORE);
        Ok(Self {
            rules: RuleSet::parse(&rules).map_err(|error| error.to_string())?,
            unused_ignore: !marks.is_empty(),
        })
    }
}

fn rules(words: Option<&[String]>) -> Result<Option<RuleSet>, String> {
    let parsed = words.map(RuleSet::parse).transpose();
    parsed.map_err(|error| error.to_string())
}

impl Override {
    fn new(options: &OverrideLayer) -> Result<Self, String> {
        Ok(Self {
            paths: Globs::new(&options.paths)?,
            select: rules(options.select.as_deref())?,
            ignore: Ignore::new(&options.ignore)?,
            options: options.clone(),
        })
    }

    fn apply(&self, settings: &mut FileSettings) {
        let options = &self.options;
        if let Some(select) = &self.select {
            settings.select.clone_from(select);
        }
        settings.ignore_here = settings.ignore_here.with(&self.ignore.rules);
        settings.unused_ignore &= !self.ignore.unused_ignore;
        settings.min_risk = options.min_risk.unwrap_or(settings.min_risk);
        settings.min_confidence = options.min_confidence.unwrap_or(settings.min_confidence);
        settings.fail_on = options.fail_on.unwrap_or(settings.fail_on);
        settings.tests = options.tests.or(settings.tests);
    }
}

impl Globs {
    fn new(written: &[String]) -> Result<Self, String> {
        let mut builder = GlobSetBuilder::new();
        for glob in written {
            let inner = inner(glob)?;
            let parse = |text: &str| Glob::new(text).map_err(|error| error.to_string());
            builder.add(parse(inner)?);
            // `exclude = ["vendor"]` means all that is in there.
            builder.add(parse(&format!("{}/**", inner.trim_end_matches('/')))?);
        }
        Ok(Self {
            written: written.to_vec(),
            set: builder.build().map_err(|error| error.to_string())?,
        })
    }

    fn fit(&self, base: &Path, path: &Path) -> bool {
        let relative = path.strip_prefix(base);
        relative.is_ok_and(|relative| self.set.is_match(relative))
    }

    /// The globs that none of these paths, nor a folder around one, fits.
    fn idle<'g>(&'g self, base: &Path, files: &BTreeSet<PathBuf>) -> Vec<&'g str> {
        let mut used = vec![false; self.written.len()];
        for relative in files.iter().filter_map(|file| file.strip_prefix(base).ok()) {
            for index in self.set.matches(relative) {
                used[index / 2] = true;
            }
        }
        let idle = self.written.iter().zip(used).filter(|(_, used)| !used);
        idle.map(|(glob, _)| glob.as_str()).collect()
    }
}

/// A glob without the `./` that it may begin with. One that leads out of the folder can fit nothing.
fn inner(glob: &str) -> Result<&str, String> {
    let mut inner = glob;
    while let Some(rest) = inner.strip_prefix("./") {
        inner = rest.trim_start_matches('/');
    }
    let leads_out = Path::new(inner).components().any(|part| {
        matches!(
            part,
            Component::ParentDir | Component::RootDir | Component::Prefix(_)
        )
    });
    if leads_out {
        Err(format!(
            "`{glob}` fits nothing: globs start from the folder of the config, and stay in it"
        ))
    } else if inner.is_empty() || inner == "." {
        Ok("**")
    } else {
        Ok(inner)
    }
}

impl Config {
    /// Returns what holds for a file.
    #[must_use]
    pub fn of(&self, path: &Path) -> FileSettings {
        let mut settings = FileSettings::default();
        for layer in self.layers.iter().filter(|layer| layer.holds(path)) {
            layer.apply(path, &mut settings);
        }
        settings.excluded = self.is_excluded(path);
        settings.named = !self.force_exclude && self.named.is(path);
        settings
    }

    /// Says whether findings at a path are asked for.
    #[must_use]
    pub fn is_asked(&self, path: &Path) -> bool {
        self.named.is_around(path) && !self.is_excluded(path)
    }

    /// Says whether a path is left out. What was named is looked at, unless it is asked not to.
    fn is_excluded(&self, path: &Path) -> bool {
        let named = |layer: &Layer| {
            let mut around = self.named.around(path);
            !self.force_exclude && around.any(|named| layer.exclude.fit(&layer.base, named))
        };
        // What lies within a root is no matter of the folders above it.
        let root = self
            .layers
            .iter()
            .rposition(|layer| layer.root && layer.holds(path));
        self.layers[root.unwrap_or(0)..]
            .iter()
            .any(|layer| layer.holds(path) && layer.exclude.fit(&layer.base, path) && !named(layer))
    }

    /// The globs that fit none of the files, each with the key that it stands under.
    pub(crate) fn idle_globs(&self, files: &BTreeSet<PathBuf>) -> Vec<String> {
        let mut idle = Vec::new();
        for layer in &self.layers {
            let overrides = layer
                .overrides
                .iter()
                .map(|entry| ("overrides", &entry.paths));
            for (key, globs) in std::iter::once(("exclude", &layer.exclude)).chain(overrides) {
                for glob in globs.idle(&layer.base, files) {
                    idle.push(format!("`{glob}` of `{key}` fits no file"));
                }
            }
        }
        idle
    }

    /// Returns the baseline that `nostall baseline` writes where it is not told: the innermost that is for all that was
    /// named, else a new one in the project's folder.
    #[must_use]
    pub fn own_baseline(&self, project: &Path) -> PathBuf {
        let for_all = |file: &&BaselineFile| {
            self.named
                .iter()
                .all(|named| named.starts_with(&file.folder))
        };
        let known = self.baselines.iter().rev().find(for_all);
        known.map_or_else(|| project.join(BASELINE_FILE), |file| file.path.clone())
    }
}

/// Reads the layers of a file, outer ones first; none where the file is a manifest without one.
fn read(path: &Path, shown: &str) -> Result<Vec<ConfigLayer>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
        path: shown.to_owned(),
        error,
    })?;
    read_text(path, &text).map_err(|malformed| ConfigError::Form {
        path: shown.to_owned(),
        line: malformed.line,
        message: malformed.message,
    })
}

fn read_text(path: &Path, text: &str) -> Result<Vec<ConfigLayer>, form::Malformed> {
    match path.file_name().and_then(|name| name.to_str()) {
        Some("Cargo.toml" | "pyproject.toml") if !text.contains("nostall") => Ok(Vec::new()),
        Some("Cargo.toml") => Ok(form::parse::<CargoFile>(text)?.layers()),
        Some("pyproject.toml") => Ok(form::parse::<PythonFile>(text)?.layers()),
        _ => Ok(vec![form::parse::<ConfigLayer>(text)?]),
    }
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
    fn layers(self) -> Vec<ConfigLayer> {
        let tables = [self.workspace, self.package].into_iter().flatten();
        tables.filter_map(|table| table.metadata?.nostall).collect()
    }
}

impl PythonFile {
    fn layers(self) -> Vec<ConfigLayer> {
        self.tool
            .and_then(|tool| tool.nostall)
            .into_iter()
            .collect()
    }
}
