//! Where Python looks for modules: the folders above the outermost packages, and the project's own.

use std::collections::BTreeSet;

use nostall_model::Language;

use super::{Project, display};

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
    // Folders of namespace packages have no `__init__.py`: they hang on the project's own folder, or on its `src`.
    let root = shown_root(project);
    let source_folder = if root.is_empty() {
        "src".to_owned()
    } else {
        format!("{root}/src")
    };
    if python
        .iter()
        .any(|path| path.starts_with(&format!("{source_folder}/")))
    {
        roots.insert(source_folder);
    }
    roots.insert(root);
    let mut roots: Vec<String> = roots.into_iter().collect();
    roots.sort_by_key(|root| (std::cmp::Reverse(root.len()), root.clone()));
    roots
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
