//! Cargo manifests: which crates there are, what each is rooted in, which others it may name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_toml::{Dependency as Written, DepsSet, Manifest, Product};
use nostall_model::finding::ProblemCode;
use nostall_model::layout::{Dependency, Target, TargetKind};

use super::discover::{Found, Walk};
use super::{Project, ProjectError, absolute, display};

/// A manifest that was read.
pub(crate) struct Package {
    folder: PathBuf,
    name: String,
    manifest: Manifest,
}

/// Reads all manifests that were found, and those of path dependencies elsewhere with their files. A manifest that cannot
/// be read is a problem; the files beside it are still checked, each for itself.
pub(crate) fn read_all(found: &mut Found, walk: &Walk, project: &mut Project) -> Vec<Package> {
    let mut packages: Vec<Package> = Vec::new();
    let mut queue: Vec<PathBuf> = found.manifests.iter().rev().cloned().collect();
    let mut seen: std::collections::BTreeSet<PathBuf> = found.manifests.clone();
    while let Some(path) = queue.pop() {
        let Some(package) = read(&path, project) else {
            continue;
        };
        for folder in path_dependencies(&package) {
            let manifest = folder.join("Cargo.toml");
            if manifest.is_file() && seen.insert(manifest.clone()) {
                walk.folder(&folder, found, Some(nostall_model::Language::Rust));
                queue.push(manifest);
            }
        }
        packages.push(package);
    }
    packages.sort_by(|a, b| a.folder.cmp(&b.folder));
    packages
}

fn read(path: &Path, project: &mut Project) -> Option<Package> {
    let shown = project.shown(path);
    let folder = path.parent()?.to_path_buf();
    let manifest = match Manifest::from_path(path) {
        Ok(manifest) => manifest,
        Err(error) => {
            let message = format!(
                "not read, its crates are checked file by file: {}",
                one_line(&error.to_string())
            );
            project.problem(shown, ProblemCode::Manifest, message);
            return None;
        }
    };
    let name = manifest.package.as_ref()?.name().to_owned();
    Some(Package {
        folder,
        name,
        manifest,
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The folder of a package by its name.
pub(crate) fn folder_of(packages: &[Package], name: &str) -> Result<PathBuf, ProjectError> {
    match packages.iter().find(|package| package.name == name) {
        Some(package) => Ok(package.folder.clone()),
        None => {
            let likeness =
                |package: &&Package| (1000.0 * strsim::jaro_winkler(&package.name, name)) as u32;
            let closest = packages
                .iter()
                .max_by_key(likeness)
                .filter(|package| likeness(package) > 700);
            let hint = closest.map_or_else(String::new, |package| {
                format!(", did you mean `{}`?", package.name)
            });
            Err(ProjectError::Package {
                name: name.to_owned(),
                hint,
            })
        }
    }
}

fn path_dependencies(package: &Package) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for dependencies in all_sets(&package.manifest) {
        for dependency in dependencies.values() {
            if let Some(path) = dependency
                .detail()
                .and_then(|detail| detail.path.as_deref())
            {
                folders.push(absolute(&package.folder, Path::new(path)));
            }
        }
    }
    folders
}

fn all_sets(manifest: &Manifest) -> Vec<&DepsSet> {
    let mut sets = vec![
        &manifest.dependencies,
        &manifest.dev_dependencies,
        &manifest.build_dependencies,
    ];
    for target in manifest.target.values() {
        sets.extend([
            &target.dependencies,
            &target.dev_dependencies,
            &target.build_dependencies,
        ]);
    }
    sets
}

/// Adds the targets of all packages to the layout.
pub(crate) fn add_targets(packages: &[Package], project: &mut Project) {
    let mut targets: Vec<(usize, Target)> = Vec::new();
    for (index, package) in packages.iter().enumerate() {
        for (kind, product) in products(&package.manifest) {
            targets.extend(target(package, kind, product, project).map(|target| (index, target)));
        }
        targets.extend(build_script(package, project).map(|target| (index, target)));
    }
    let libraries: BTreeMap<usize, usize> = targets
        .iter()
        .enumerate()
        .filter(|(_, (_, target))| target.kind == TargetKind::Library)
        .map(|(number, (package, _))| (*package, number))
        .collect();
    let folders: BTreeMap<&Path, usize> = packages
        .iter()
        .enumerate()
        .map(|(index, it)| (it.folder.as_path(), index))
        .collect();
    for number in 0..targets.len() {
        let (package, ref target) = targets[number];
        let mut dependencies = dependencies(&packages[package], &folders, &libraries);
        if let (Some(own), true) = (libraries.get(&package), target.kind != TargetKind::Library) {
            dependencies.insert(targets[*own].1.name.clone(), Dependency::Local(*own));
        }
        if matches!(target.kind, TargetKind::Library | TargetKind::Binary) {
            targets[number].1.for_tests = for_tests(&packages[package].manifest);
        }
        targets[number].1.optional = optional(&packages[package].manifest);
        targets[number].1.dependencies = dependencies;
        targets[number].1.features = features(&packages[package].manifest);
    }
    project.layout.targets = targets.into_iter().map(|(_, target)| target).collect();
}

/// The features that a manifest asks for, at each dependency or through a feature of its own. An entry that a workspace
/// says, which was not found, is left out.
fn features(manifest: &Manifest) -> BTreeMap<String, BTreeSet<String>> {
    let of_targets = manifest.target.values().map(|target| &target.dependencies);
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, written) in std::iter::once(&manifest.dependencies)
        .chain(of_targets)
        .flatten()
        .filter(|(_, written)| !matches!(written, Written::Inherited(_)))
    {
        let own = features.entry(name.replace('-', "_")).or_default();
        own.extend(written.req_features().iter().cloned());
    }
    let through_own = manifest.features.values().flatten();
    for (name, feature) in through_own.filter_map(|text| text.split_once('/')) {
        let name = name.trim_end_matches('?').replace('-', "_");
        if let Some(own) = features.get_mut(&name) {
            own.insert(feature.to_owned());
        }
    }
    features
}

/// The dependencies that a build with the default features does not have, as code writes them.
fn optional(manifest: &Manifest) -> BTreeSet<String> {
    let mut on: BTreeSet<&str> = BTreeSet::new();
    let mut queue = vec!["default"];
    while let Some(name) = queue.pop() {
        if on.insert(name) {
            let brings = manifest.features.get(name).into_iter().flatten();
            queue.extend(brings.map(String::as_str));
        }
    }
    // `dep:name`, `name`, `name/feature`; `name?/feature` alone brings nothing.
    let is_on = |name: &str| {
        on.iter().any(|feature| {
            let named = feature.strip_prefix("dep:").unwrap_or(feature);
            named.split('/').next() == Some(name)
        })
    };
    let of_targets = manifest.target.values().map(|target| &target.dependencies);
    std::iter::once(&manifest.dependencies)
        .chain(of_targets)
        .flatten()
        .filter(|(name, written)| written.optional() && !is_on(name))
        .map(|(name, _)| name.replace('-', "_"))
        .collect()
}

/// The dependencies that no code but tests can use, as code writes them.
fn for_tests(manifest: &Manifest) -> BTreeSet<String> {
    let names =
        |set: &DepsSet| -> Vec<String> { set.keys().map(|name| name.replace('-', "_")).collect() };
    let mut for_tests: BTreeSet<String> = names(&manifest.dev_dependencies).into_iter().collect();
    let mut for_all: BTreeSet<String> = names(&manifest.dependencies).into_iter().collect();
    for target in manifest.target.values() {
        for_tests.extend(names(&target.dev_dependencies));
        for_all.extend(names(&target.dependencies));
    }
    for_tests.difference(&for_all).cloned().collect()
}

fn products(manifest: &Manifest) -> Vec<(TargetKind, &Product)> {
    let mut products: Vec<(TargetKind, &Product)> = Vec::new();
    products.extend(
        manifest
            .lib
            .iter()
            .map(|product| (TargetKind::Library, product)),
    );
    products.extend(
        manifest
            .bin
            .iter()
            .map(|product| (TargetKind::Binary, product)),
    );
    for tests in [&manifest.test, &manifest.bench, &manifest.example] {
        products.extend(tests.iter().map(|product| (TargetKind::Test, product)));
    }
    products
}

fn target(
    package: &Package,
    kind: TargetKind,
    product: &Product,
    project: &Project,
) -> Option<Target> {
    let path = absolute(&package.folder, Path::new(product.path.as_deref()?));
    let root = *project.files().get(&display(&project.root, &path))?;
    let name = product
        .name
        .as_deref()
        .unwrap_or(&package.name)
        .replace('-', "_");
    Some(Target {
        package: package.name.clone(),
        name,
        root,
        kind,
        edition: edition(package, product),
        dependencies: BTreeMap::new(),
        for_tests: BTreeSet::new(),
        optional: BTreeSet::new(),
        features: BTreeMap::new(),
        closed: true,
    })
}

fn edition(package: &Package, product: &Product) -> u16 {
    let written = product.edition.or_else(|| {
        package
            .manifest
            .package
            .as_ref()
            .map(cargo_toml::Package::edition)
    });
    written.map_or(2015, |edition| edition as u16)
}

fn build_script(package: &Package, project: &Project) -> Option<Target> {
    let written = package.manifest.package.as_ref()?.build.as_ref()?;
    let path = match written {
        cargo_toml::OptionalFile::Path(path) => path.clone(),
        cargo_toml::OptionalFile::Flag(true) => PathBuf::from("build.rs"),
        cargo_toml::OptionalFile::Flag(false) => return None,
    };
    let product = Product {
        path: Some(path.to_string_lossy().into_owned()),
        name: Some("build_script".to_owned()),
        ..Product::default()
    };
    target(package, TargetKind::BuildScript, &product, project)
}

/// Other crates by the name that this package uses for them.
fn dependencies(
    package: &Package,
    folders: &BTreeMap<&Path, usize>,
    libraries: &BTreeMap<usize, usize>,
) -> BTreeMap<String, Dependency> {
    let mut dependencies = BTreeMap::new();
    for set in all_sets(&package.manifest) {
        for (alias, written) in set {
            let own_name = written.package().unwrap_or(alias).replace('-', "_");
            let local = local_library(package, written, folders, libraries);
            let dependency =
                local.map_or_else(|| Dependency::External(own_name), Dependency::Local);
            dependencies.insert(alias.replace('-', "_"), dependency);
        }
    }
    dependencies
}

fn local_library(
    package: &Package,
    written: &Written,
    folders: &BTreeMap<&Path, usize>,
    libraries: &BTreeMap<usize, usize>,
) -> Option<usize> {
    let path = written.detail()?.path.as_deref()?;
    let folder = absolute(&package.folder, Path::new(path));
    libraries.get(folders.get(folder.as_path())?).copied()
}
