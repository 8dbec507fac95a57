//! Where Python looks for modules: the folders above the outermost packages, and the project's own. Which Python that is.

mod requires;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use nostall_model::Language;
use nostall_model::layout::Version;

use super::Project;
use super::roots::is_marked;

/// Each of these makes a project of the folder that it lies in, even of one that is a package itself.
const PROJECT_FILES: [&str; 3] = ["pyproject.toml", "setup.py", "setup.cfg"];

/// Returns the import roots as folders in the form of the layout's paths, the longest first.
pub(crate) fn roots(project: &Project) -> Vec<String> {
    let python = files(project);
    if python.is_empty() {
        return Vec::new();
    }
    let packages: BTreeSet<&str> = python
        .iter()
        .filter(|path| file_name(path).starts_with("__init__.py"))
        .map(|path| folder(path))
        .collect();
    let mut roots: BTreeSet<String> = packages
        .iter()
        .filter(|package| !is_within(folder(package), &packages))
        .map(|package| folder(package).to_owned())
        .collect();
    // Folders of namespace packages have no `__init__.py`: they hang on a project's own folder, or on its `src`.
    let folders = folders(&python);
    let mut projects: BTreeSet<&str> = folders
        .iter()
        .copied()
        .filter(|folder| {
            let path = project.root.join(folder);
            is_project(&path) || (!is_within(folder, &packages) && is_marked(&path))
        })
        .collect();
    projects.insert("");
    for own in projects {
        let source_folder = below(own, "src");
        if folders.contains(&*source_folder) {
            roots.insert(source_folder);
        }
        roots.insert(own.to_owned());
    }
    let mut roots: Vec<String> = roots.into_iter().collect();
    roots.sort_by_key(|root| (std::cmp::Reverse(root.len()), root.clone()));
    roots
}

/// Returns the lowest Python of each folder whose files say what it is: a project's manifest, or what is installed with it.
pub(crate) fn versions(project: &Project) -> BTreeMap<String, Version> {
    let roots = project.layout.python_roots.iter().map(String::as_str);
    let mut all: BTreeSet<&str> = folders(&files(project));
    all.extend(roots.clone());
    let of_manifest = |folder: &str| requires::of_manifests(&project.root.join(folder));
    let manifests = all
        .into_iter()
        .filter_map(|folder| Some((folder.to_owned(), of_manifest(folder)?)));
    let installed = roots.filter_map(|folder| {
        let version = requires::of_installed(&project.root.join(folder))?;
        Some((folder.to_owned(), version))
    });
    // A manifest goes before what was made of it.
    installed.chain(manifests).collect()
}

/// The paths of all Python files.
fn files(project: &Project) -> Vec<&str> {
    let paths = project.layout.paths();
    let python = project
        .sources
        .iter()
        .filter(|(_, source)| source.language == Language::Python);
    python.map(|(file, _)| paths[file.index()]).collect()
}

/// All folders that files lie in, at any depth.
fn folders<'a>(paths: &[&'a str]) -> BTreeSet<&'a str> {
    let mut folders = BTreeSet::new();
    for path in paths {
        let mut next = folder(path);
        while folders.insert(next) && !next.is_empty() {
            next = folder(next);
        }
    }
    folders
}

/// Says whether a folder has the file that makes a project of it.
fn is_project(folder: &Path) -> bool {
    PROJECT_FILES.iter().any(|name| folder.join(name).is_file())
}

fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// Says whether a folder is a package, or a part of one that has no file of its own.
fn is_within(path: &str, packages: &BTreeSet<&str>) -> bool {
    // A package's file in the root itself names nothing: what is above is not known.
    let outer = std::iter::successors(Some(path), |path| Some(folder(path)));
    outer
        .take_while(|path| !path.is_empty())
        .any(|path| packages.contains(path))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
