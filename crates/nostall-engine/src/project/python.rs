//! Where Python looks for modules: the folders above the outermost packages, and the project's own.

use std::collections::BTreeSet;
use std::path::Path;

use nostall_model::Language;

use super::{Project, display};

/// Each of these makes a project of the folder that it lies in.
const PROJECT_FILES: [&str; 3] = ["pyproject.toml", "setup.py", "setup.cfg"];

/// Returns the import roots as folders in the form of source paths, the longest first.
pub(crate) fn roots(project: &Project) -> Vec<String> {
    let python: Vec<&str> = project
        .sources
        .iter()
        .filter(|(_, source)| source.language == Language::Python)
        .map(|(_, source)| source.path.as_str())
        .collect();
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
        .filter(|package| !packages.contains(folder(package)))
        .map(|package| folder(package).to_owned())
        .collect();
    // Folders of namespace packages have no `__init__.py`: they hang on a project's own folder, or on its `src`.
    let folders = folders(&python);
    let mut projects: BTreeSet<&str> = folders
        .iter()
        .copied()
        .filter(|folder| is_project(&project.current_dir.join(folder)))
        .collect();
    let root = shown_root(project);
    projects.insert(&root);
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

/// The project's folder in the form of source paths.
fn shown_root(project: &Project) -> String {
    if project.root == project.current_dir {
        String::new()
    } else {
        display(&project.current_dir, &project.root)
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
