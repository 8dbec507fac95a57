//! Where a path belongs: the project around it, and the widest program that its imports can reach.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::config;
use super::discover::SKIPPED;

/// Each of these makes a project of the folder that it lies in, whatever the language.
const MARKS: [&str; 12] = [
    "Cargo.toml",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "nostall.toml",
    ".git",
    "Pipfile",
    "manage.py",
    "uv.lock",
    "poetry.lock",
    "tox.ini",
    "environment.yml",
];

/// What is around a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Around {
    /// The project: the nearest folder with a mark, the whole workspace where that is a Cargo package's.
    pub(crate) project: PathBuf,
    /// The repository or workspace: what is analysed together, and above which no config is looked for.
    pub(crate) root: PathBuf,
}

/// Says where a path belongs. `check`, `explain`, `graph` and `baseline` all ask here.
pub(crate) fn around(path: &Path, current_dir: &Path) -> Around {
    let folder = folder_of(path);
    let reach = reach(folder, current_dir);
    let below_current = folder.starts_with(current_dir);
    let nearest = reach.iter().copied().find(|folder| is_marked(folder));
    let project = match nearest {
        Some(nearest) => cargo_workspace(nearest, &reach).unwrap_or(nearest),
        None if below_current => current_dir,
        None => folder,
    };
    let root = bounded(&reach).unwrap_or_else(|| {
        let widest = reach.iter().rev().copied().find(|folder| is_wide(folder));
        let current = Some(current_dir).filter(|current| below_current && !is_home(current));
        // Without a repository nothing says where a program ends: it holds at least what the user looks at from here.
        [widest, current]
            .into_iter()
            .flatten()
            .filter(|folder| project.starts_with(folder))
            .min_by_key(|folder| folder.components().count())
            .unwrap_or(project)
    });
    Around {
        project: project.to_path_buf(),
        root: root.to_path_buf(),
    }
}

/// Says where each of several paths belongs, by the folders that they lie in.
pub(crate) fn around_all(paths: &[PathBuf], current_dir: &Path) -> BTreeMap<PathBuf, Around> {
    let folders: BTreeSet<&Path> = paths.iter().map(|path| folder_of(path)).collect();
    let around = |folder: &Path| (folder.to_path_buf(), around(folder, current_dir));
    folders.into_iter().map(around).collect()
}

/// Returns what is around all of them: the widest of what is around each.
pub(crate) fn widest<'a>(mut all: impl Iterator<Item = &'a Around>) -> Option<Around> {
    let first = all.next()?.clone();
    Some(all.fold(first, |known, other| Around {
        project: wider(known.project, &other.project),
        root: wider(known.root, &other.root),
    }))
}

fn wider(known: PathBuf, other: &Path) -> PathBuf {
    if known.starts_with(other) {
        other.to_path_buf()
    } else {
        known
    }
}

/// The folder that a path is, or lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    }
}

/// The folders from the innermost out that may have to do with one another: none beyond a repository, beyond a folder whose
/// config says `root = true`, beyond what was built or installed, and not the user's home, or the one for temporary files, for
/// what lies somewhere in it.
fn reach<'p>(folder: &'p Path, current_dir: &Path) -> Vec<&'p Path> {
    let mut reach: Vec<&Path> = Vec::new();
    for ancestor in folder.ancestors() {
        if !reach.is_empty() && ancestor != current_dir && is_home(ancestor) {
            break;
        }
        reach.push(ancestor);
        if is_bound(ancestor) || is_skipped_name(ancestor) {
            break;
        }
    }
    reach
}

/// A folder that is no project by chance: a stray file there would make one program of all that the user has.
fn is_home(folder: &Path) -> bool {
    folder.parent().is_none()
        || folder == std::env::temp_dir()
        || std::env::home_dir().is_some_and(|home| folder == home)
}

fn is_bound(folder: &Path) -> bool {
    folder.join(".git").exists() || config::is_root(folder)
}

fn is_skipped_name(folder: &Path) -> bool {
    folder
        .file_name()
        .is_some_and(|name| SKIPPED.iter().any(|skipped| name == *skipped))
}

/// The outermost folder, where it is a repository's or says that it is a root.
fn bounded<'p>(reach: &[&'p Path]) -> Option<&'p Path> {
    reach.last().copied().filter(|folder| is_bound(folder))
}

/// Says whether a folder has a file that makes a project of it.
pub(crate) fn is_marked(folder: &Path) -> bool {
    MARKS.iter().any(|name| folder.join(name).exists()) || has_requirements(folder)
}

/// `requirements.txt`, `requirements-dev.txt`.
fn has_requirements(folder: &Path) -> bool {
    let is_requirements = |name: &str| name.starts_with("requirements") && name.ends_with(".txt");
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .filter_map(Result::ok)
            .any(|entry| entry.file_name().to_str().is_some_and(is_requirements))
    })
}

/// The workspace that the package in a folder belongs to.
fn cargo_workspace<'p>(nearest: &'p Path, reach: &[&'p Path]) -> Option<&'p Path> {
    if !nearest.join("Cargo.toml").is_file() {
        return None;
    }
    let mut outer = reach
        .iter()
        .copied()
        .filter(|folder| nearest.starts_with(folder));
    outer.find(|folder| is_cargo_workspace(folder, nearest))
}

/// Says whether a folder is the root of a Cargo workspace that a package may be a member of.
pub(crate) fn is_cargo_workspace(folder: &Path, package: &Path) -> bool {
    let Some(workspace) = table(&folder.join("Cargo.toml"), &["workspace"]) else {
        return false;
    };
    let excluded = workspace.get("exclude").and_then(toml::Value::as_array);
    !excluded.into_iter().flatten().any(|path| {
        path.as_str()
            .is_some_and(|path| package.starts_with(folder.join(path.trim_start_matches("./"))))
    })
}

/// A folder that ties several projects together.
fn is_wide(folder: &Path) -> bool {
    folder.join("nostall.toml").is_file()
        || table(&folder.join("Cargo.toml"), &["workspace"]).is_some()
        || table(&folder.join("pyproject.toml"), &["tool", "uv", "workspace"]).is_some()
}

/// A table of a TOML file; none where there is no such file, or no such table in it.
fn table(path: &Path, keys: &[&str]) -> Option<toml::Table> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut table: toml::Table = text.parse().ok()?;
    for key in keys {
        match table.remove(*key) {
            Some(toml::Value::Table(inner)) => table = inner,
            _ => return None,
        }
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::around;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            std::fs::write(path, text).expect("a file");
        }
        folder
    }

    /// Project and root of a path, relative to the folder.
    fn of(folder: &Path, path: &str, current: &str) -> (String, String) {
        let found = around(&folder.join(path), &folder.join(current));
        let shown = |path: &Path| {
            let inner = path.strip_prefix(folder).expect("inside");
            inner.to_string_lossy().into_owned()
        };
        (shown(&found.project), shown(&found.root))
    }

    fn same(path: &str) -> (String, String) {
        (path.to_owned(), path.to_owned())
    }

    #[test]
    fn each_mark_makes_a_project() {
        let marks = super::MARKS.into_iter().chain(["requirements-dev.txt"]);
        for mark in marks {
            let files = [(&*format!("svc/{mark}"), ""), ("svc/app/main.py", "")];
            let folder = folder(&files);
            assert_eq!(
                of(folder.path(), "svc/app/main.py", "svc/app"),
                same("svc"),
                "{mark}"
            );
        }
    }

    #[test]
    fn without_a_mark_it_is_the_current_folder_or_the_files_own() {
        let folder = folder(&[("a/b/x.py", ""), ("c/y.py", "")]);
        assert_eq!(of(folder.path(), "a/b/x.py", ""), same(""));
        assert_eq!(of(folder.path(), "a/b/x.py", "c"), same("a/b"));
    }

    #[test]
    fn a_repository_is_one_program_of_several_projects() {
        let folder = folder(&[
            (".git/HEAD", ""),
            ("one/pyproject.toml", ""),
            ("one/x.py", ""),
            ("sub/.git", "gitdir: elsewhere"),
            ("sub/y.py", ""),
        ]);
        let expected = ("one".to_owned(), String::new());
        assert_eq!(of(folder.path(), "one/x.py", "one"), expected);
        assert_eq!(of(folder.path(), "sub/y.py", ""), same("sub"));
    }

    #[test]
    fn a_cargo_package_belongs_to_its_workspace_unless_it_is_excluded() {
        let folder = folder(&[
            ("Cargo.toml", "[workspace]\nexclude = [\"fuzz\"]\n"),
            ("one/Cargo.toml", ""),
            ("fuzz/Cargo.toml", ""),
            ("tool/pyproject.toml", ""),
        ]);
        assert_eq!(of(folder.path(), "one", "one"), same(""));
        let outside = |name: &str| (name.to_owned(), String::new());
        assert_eq!(of(folder.path(), "fuzz", "fuzz"), outside("fuzz"));
        assert_eq!(of(folder.path(), "tool", "tool"), outside("tool"));
    }

    #[test]
    fn config_says_where_a_program_ends() {
        let folder = folder(&[
            (".git/HEAD", ""),
            ("one/nostall.toml", "root = true\n"),
            ("one/deep/x.py", ""),
            ("two/nostall.toml", ""),
            ("two/deep/x.py", ""),
        ]);
        assert_eq!(of(folder.path(), "one/deep", "one"), same("one"));
        let expected = ("two".to_owned(), String::new());
        assert_eq!(of(folder.path(), "two/deep", "two"), expected);
    }

    #[test]
    fn what_is_installed_belongs_to_nothing_above_it() {
        let folder = folder(&[(".git/HEAD", ""), ("venv/lib/x.py", "")]);
        assert_eq!(
            of(folder.path(), "venv/lib/x.py", "venv/lib"),
            same("venv/lib")
        );
    }
}
