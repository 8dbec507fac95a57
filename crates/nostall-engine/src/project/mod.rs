//! The project on disk: which files belong to it, what its manifests and its config say. The only module that reads.
//!
//! Nothing of the project is executed: manifests are read as text.

mod cargo;
mod config;
mod discover;
mod form;
mod known;
mod python;
mod read;
mod roots;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use nostall_model::finding::{Problem, ProblemCode};
use nostall_model::layout::Layout;
use nostall_model::{FileId, Language, Role, Source, Sources};

pub use config::{BASELINE_FILE, BaselineFile, Config};
pub use discover::language_of;
pub use form::{ConfigLayer, KEYS, Key, OVERRIDE_KEYS, OverrideLayer, schema};
pub use known::{UnreadBaseline, entries};

use crate::settings::FileSettings;
use roots::Around;

/// What to look at.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Files and folders as they were given; none for the project around the current folder.
    pub paths: Vec<PathBuf>,
    /// The folder that relative paths start from.
    pub current_dir: PathBuf,
    /// Options that go before those of the config.
    pub overrides: ConfigLayer,
    /// A text that stands for a file: its path, and what it holds.
    pub stdin: Option<(PathBuf, String)>,
    /// The manifest of the package or workspace to look at.
    pub manifest_path: Option<PathBuf>,
    /// Only these packages.
    pub packages: Vec<String>,
    /// All packages of the workspace.
    pub workspace: bool,
    /// Not these packages.
    pub exclude_packages: Vec<String>,
    /// A config file instead of the project's own.
    pub config: Option<PathBuf>,
    /// Files that `.gitignore` names count as well.
    pub no_ignore: bool,
    /// What the config leaves out is left out where it is named as well, and so are tests.
    pub force_exclude: bool,
    /// No baseline is looked for.
    pub no_baseline: bool,
    /// No files to check are no error.
    pub allow_empty: bool,
}

/// A project, read.
#[derive(Debug, Default)]
pub struct Project {
    /// Its files, in the order of their paths.
    pub sources: Sources,
    /// How they belong together.
    pub layout: Layout,
    /// What is asked for.
    pub config: Config,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// The nearest folder with a mark of a project.
    pub folder: PathBuf,
    /// The repository or workspace around it: what is analysed together.
    pub root: PathBuf,
    /// The folder that relative paths of sources start from.
    pub current_dir: PathBuf,
    /// Paths that were named and are files: what they lack is an error.
    pub named_files: BTreeSet<String>,
    /// What holds where no path says otherwise.
    pub all: FileSettings,
    /// Files of which something else is shown.
    pub settings: BTreeMap<FileId, FileSettings>,
    /// What may be of interest, and is no problem.
    pub notes: Vec<String>,
}

/// Why a project cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// A path that was named does not exist.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// A path that was named cannot be looked at.
    #[error("`{path}` cannot be read: {error}")]
    Unreadable {
        /// The path.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file that was named is in no language that nostall reads.
    #[error("`{0}` is neither Rust (.rs) nor Python (.py, .pyi)")]
    Language(String),
    /// There is nothing to check.
    #[error("no Rust or Python files under {0} (`--allow-empty` makes this no error)")]
    Empty(String),
    /// A package that was named is not in the workspace.
    #[error("no package `{name}` in the workspace{hint}")]
    Package {
        /// The name.
        name: String,
        /// A similar one.
        hint: String,
    },
    /// The config is not valid.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
}

/// Finds and reads a project.
///
/// # Errors
/// When a path that was named cannot be looked at, when there is nothing to check, when the config is not valid.
pub fn load(request: &Request) -> Result<Project, ProjectError> {
    let named = named_paths(request)?;
    let places = roots::around_all(&named, &request.current_dir);
    let Around { project, root } =
        roots::widest(places.values()).expect("at least one path is named");
    let walk = discover::Walk {
        no_ignore: request.no_ignore,
    };
    let mut found = discover::find(&walk, &named, &places);
    if let Some((path, _)) = &request.stdin {
        found.files.insert(absolute(&request.current_dir, path));
    }
    let named = Named(named.into_iter().collect());
    let config = config::load(request, &root, &named, &found.files)?;
    let mut project = Project {
        all: config.of(&project),
        notes: config.idle_globs(&found.files),
        folder: project,
        root,
        current_dir: request.current_dir.clone(),
        config,
        ..Project::default()
    };
    let manifests = cargo::read_all(&mut found, &walk, &mut project);
    let reported = Reported::new(request, &named, &manifests)?;
    read::read_all(request, &found.files, &reported, &mut project);
    refused(&found, &reported, &mut project);
    let none = project
        .sources
        .iter()
        .all(|(_, source)| source.role != Role::Report);
    let left_out = || found.files.iter().any(|file| reported.is_named(file));
    if none && project.problems.is_empty() && !request.allow_empty && !left_out() {
        return Err(ProjectError::Empty(list(request)));
    }
    cargo::add_targets(&manifests, &mut project);
    project.layout.python_roots = python::roots(&project);
    project.layout.python_versions = python::versions(&project);
    project.named_files = named_files(request, &project);
    Ok(project)
}

/// Tells which folders could not be looked at.
fn refused(found: &discover::Found, reported: &Reported, project: &mut Project) {
    for (path, error) in &found.refused {
        if reported.is_named(path) && !project.config.of(path).excluded {
            let message = format!("not read: {error}");
            project.problem(project.shown(path), ProblemCode::Unreadable, message);
        }
    }
}

/// The paths to look at, absolute. All of them exist.
fn named_paths(request: &Request) -> Result<Vec<PathBuf>, ProjectError> {
    let mut paths: Vec<PathBuf> = request.paths.clone();
    if let Some(manifest) = &request.manifest_path {
        check(request, manifest)?;
        paths.push(
            manifest
                .parent()
                .map_or_else(|| PathBuf::from("."), Path::to_path_buf),
        );
    }
    if let Some((path, _)) = &request.stdin {
        let file = absolute(&request.current_dir, path);
        return Ok(vec![file]);
    }
    if paths.is_empty() {
        let current_dir = &request.current_dir;
        return Ok(vec![roots::around(current_dir, current_dir).project]);
    }
    let mut named = Vec::new();
    for path in &paths {
        let absolute = check(request, path)?;
        if absolute.is_file() && language_of(&absolute).is_none() {
            return Err(ProjectError::Language(path.display().to_string()));
        }
        named.push(absolute);
    }
    Ok(named)
}

fn check(request: &Request, path: &Path) -> Result<PathBuf, ProjectError> {
    let whole = absolute(&request.current_dir, path);
    match std::fs::metadata(&whole) {
        Ok(_) => Ok(whole),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(ProjectError::Missing(path.display().to_string()))
        }
        Err(error) => Err(ProjectError::Unreadable {
            path: path.display().to_string(),
            error,
        }),
    }
}

fn list(request: &Request) -> String {
    let paths: Vec<String> = request
        .paths
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    if paths.is_empty() {
        "the current folder".to_owned()
    } else {
        paths.join(", ")
    }
}

fn named_files(request: &Request, project: &Project) -> BTreeSet<String> {
    let files = request
        .paths
        .iter()
        .map(|path| absolute(&request.current_dir, path))
        .filter(|path| !path.is_dir());
    files.map(|path| project.shown(&path)).collect()
}

/// The paths that were named.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named(BTreeSet<PathBuf>);

impl Named {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &PathBuf> {
        self.0.iter()
    }

    /// The paths that a path is, or lies below, the innermost first.
    pub(crate) fn around<'p>(&self, path: &'p Path) -> impl Iterator<Item = &'p Path> {
        path.ancestors().filter(|ancestor| self.is(ancestor))
    }

    pub(crate) fn is_around(&self, path: &Path) -> bool {
        self.around(path).next().is_some()
    }

    pub(crate) fn is(&self, path: &Path) -> bool {
        self.0.contains(path)
    }
}

/// Which files' findings are reported.
pub(crate) struct Reported {
    named: Named,
    only: Option<Vec<PathBuf>>,
    not: Vec<PathBuf>,
}

impl Reported {
    fn new(
        request: &Request,
        named: &Named,
        manifests: &[cargo::Package],
    ) -> Result<Self, ProjectError> {
        let folders = |names: &[String]| -> Result<Vec<PathBuf>, ProjectError> {
            names
                .iter()
                .map(|name| cargo::folder_of(manifests, name))
                .collect()
        };
        let only = if request.packages.is_empty() || request.workspace {
            None
        } else {
            Some(folders(&request.packages)?)
        };
        let mut not = folders(&request.exclude_packages)?;
        if request.workspace {
            // As with cargo's own commands, `--workspace --exclude NAME` speaks of a package.
            let names = request.overrides.exclude.iter().flatten();
            not.extend(names.filter_map(|name| cargo::folder_of(manifests, name).ok()));
        }
        Ok(Self {
            named: named.clone(),
            only,
            not,
        })
    }

    /// Says whether a path is below one that was named.
    fn is_named(&self, path: &Path) -> bool {
        self.named.is_around(path)
    }

    /// Says what a file is to the analysis; settings learn of packages that are left out.
    pub(crate) fn role(&self, path: &Path, settings: &mut FileSettings) -> Role {
        let below = |folders: &[PathBuf]| folders.iter().any(|folder| path.starts_with(folder));
        settings.excluded |= below(&self.not);
        if self.is_named(path) && self.only.as_deref().is_none_or(below) && !settings.excluded {
            Role::Report
        } else {
            Role::Summarise
        }
    }
}

/// Reads a file that another one asks for by path. Nothing happens when there is no such file.
pub fn read_referenced(project: &mut Project, path: &str) {
    let whole = absolute(&project.root, Path::new(path));
    let regular = std::fs::metadata(&whole).is_ok_and(|metadata| metadata.is_file());
    if regular && language_of(&whole) == Some(Language::Rust) {
        read::read_one(project, &whole, Role::Summarise, FileSettings::default());
    }
}

impl Project {
    /// Adds a file that was read.
    fn add(&mut self, path: &Path, source: Source, settings: FileSettings) -> FileId {
        let id = self.sources.add(source);
        let path = display(&self.root, path);
        self.layout.files.insert(path, id);
        if settings != self.all {
            self.settings.insert(id, settings);
        }
        id
    }

    /// Returns a path as reports print it: from the current folder, with `..` where it lies elsewhere in the project.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        shown(&self.root, &self.current_dir, path)
    }

    fn problem(&mut self, path: String, code: ProblemCode, message: String) {
        self.problems.push(Problem {
            path,
            place: None,
            code,
            message,
        });
    }

    pub(crate) fn files(&self) -> &BTreeMap<String, FileId> {
        &self.layout.files
    }
}

/// Makes a path absolute, with `.` and `..` taken out as they are written.
pub(crate) fn absolute(base: &Path, path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for component in base.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            other => whole.push(other),
        }
    }
    whole
}

/// A path as reports print it.
fn shown(root: &Path, current_dir: &Path, path: &Path) -> String {
    let path = absolute(current_dir, path);
    let ours = path.starts_with(root) && current_dir.starts_with(root);
    if ours && !path.starts_with(current_dir) {
        known::from_folder(current_dir, &path)
    } else {
        display(current_dir, &path)
    }
}

/// A path from a folder on, with `..` where it lies outside.
#[must_use]
pub fn path_from(folder: &Path, path: &Path) -> String {
    known::from_folder(folder, &absolute(folder, path))
}

/// A path from a folder on when inside it, else absolute; `/` between parts.
pub(crate) fn display(folder: &Path, path: &Path) -> String {
    let shown = path
        .strip_prefix(folder)
        .ok()
        .filter(|rest| !rest.as_os_str().is_empty())
        .unwrap_or(path);
    with_slashes(shown)
}

fn with_slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '\\' {
        text.replace('\\', "/")
    } else {
        text.into_owned()
    }
}
