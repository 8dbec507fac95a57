//! The project on disk: which files belong to it, what its manifests and its config say. The only module that reads.
//!
//! Nothing of the project is executed: manifests are read as text.

mod cargo;
mod config;
mod discover;
mod python;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use nostall_model::finding::{Problem, ProblemCode};
use nostall_model::layout::Layout;
use nostall_model::{FileId, Language, Role, Source, Sources};

pub use config::{Config, ConfigLayer, FailOn};
pub use discover::language_of;

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
    /// The folder that it is rooted in.
    pub root: PathBuf,
    /// The folder that relative paths of sources start from.
    pub current_dir: PathBuf,
    /// Paths that were named and are files: what they lack is an error.
    pub named_files: BTreeSet<String>,
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
    let root = discover::project_root(&named[0]);
    let config = config::load(request, &root)?;
    let mut project = Project {
        root: root.clone(),
        current_dir: request.current_dir.clone(),
        config,
        ..Project::default()
    };
    let walk = discover::Walk {
        no_ignore: request.no_ignore,
    };
    let mut found = discover::find(&walk, &named);
    if let Some((path, _)) = &request.stdin {
        found.files.insert(absolute(&request.current_dir, path));
    }
    let manifests = cargo::read_all(&mut found, &walk, &mut project);
    let reported = Reported::new(request, &named, &manifests, &project.config)?;
    read::read_all(request, &found.files, &reported, &mut project);
    if project
        .sources
        .iter()
        .all(|(_, source)| source.role != Role::Report)
        && project.problems.is_empty()
        && !request.allow_empty
    {
        return Err(ProjectError::Empty(list(request)));
    }
    cargo::add_targets(&manifests, &mut project);
    project.layout.python_roots = python::roots(&project);
    project.named_files = named_files(request);
    Ok(project)
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
        return Ok(vec![discover::project_root(&request.current_dir)]);
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

fn named_files(request: &Request) -> BTreeSet<String> {
    let files = request
        .paths
        .iter()
        .map(|path| absolute(&request.current_dir, path))
        .filter(|path| !path.is_dir());
    files
        .map(|path| display(&request.current_dir, &path))
        .collect()
}

/// Which files' findings are reported.
pub(crate) struct Reported {
    named: Vec<PathBuf>,
    only: Option<Vec<PathBuf>>,
    not: Vec<PathBuf>,
    exclude: globset::GlobSet,
    base: PathBuf,
}

impl Reported {
    fn new(
        request: &Request,
        named: &[PathBuf],
        manifests: &[cargo::Package],
        config: &Config,
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
            named: named.to_vec(),
            only,
            not,
            exclude: config.exclude.clone(),
            base: config.base.clone(),
        })
    }

    pub(crate) fn role(&self, path: &Path) -> Role {
        let below = |folders: &[PathBuf]| folders.iter().any(|folder| path.starts_with(folder));
        let excluded = path
            .strip_prefix(&self.base)
            .is_ok_and(|relative| self.exclude.is_match(relative));
        let chosen = below(&self.named)
            && self.only.as_deref().is_none_or(below)
            && !below(&self.not)
            && !excluded;
        if chosen {
            Role::Report
        } else {
            Role::Summarise
        }
    }
}

/// Reads a file that another one asks for by path. Nothing happens when there is no such file.
pub fn read_referenced(project: &mut Project, path: &str) {
    let whole = absolute(&project.current_dir, Path::new(path));
    let regular = std::fs::metadata(&whole).is_ok_and(|metadata| metadata.is_file());
    if regular && language_of(&whole) == Some(Language::Rust) {
        read::read_one(project, &whole, path.to_owned(), Role::Summarise);
    }
}

impl Project {
    fn add(
        &mut self,
        path: String,
        text: String,
        language: Language,
        role: Role,
        decoded: bool,
    ) -> FileId {
        let source = Source {
            path: path.clone(),
            language,
            role,
            text: text.into(),
            decoded,
        };
        let id = self.sources.add(source);
        self.layout.files.insert(path, id);
        id
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

/// A path as reports print it: from the current folder when inside it, else absolute; `/` between parts.
pub(crate) fn display(current_dir: &Path, path: &Path) -> String {
    let shown = path
        .strip_prefix(current_dir)
        .ok()
        .filter(|rest| !rest.as_os_str().is_empty())
        .unwrap_or(path);
    let text = shown.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '\\' {
        text.replace('\\', "/")
    } else {
        text.into_owned()
    }
}
