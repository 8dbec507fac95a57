//! The module tree: which file stands where in which crate. A file can stand at several places.

use std::collections::VecDeque;

use nostall_model::FileId;
use nostall_model::facts::{ItemId, ItemKind, ScopeId, ScopeKind};
use nostall_model::layout::{Target, TargetKind};
use nostall_model::program::Presence;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Files;
use super::conditions::item_presence;

/// Names one appearance of a file: its index in [`Tree::mounts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MountId(pub(crate) u32);

impl MountId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A scope of a mounted file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ScopeRef {
    pub(crate) mount: MountId,
    pub(crate) scope: ScopeId,
}

/// An item of a mounted file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DefId {
    pub(crate) mount: MountId,
    pub(crate) item: ItemId,
}

/// One appearance of a file.
#[derive(Debug)]
pub(crate) struct Mount {
    pub(crate) file: FileId,
    /// The crate: its index in [`Tree::targets`].
    pub(crate) target: usize,
    /// Where the file's own scope hangs; none for the root of a crate.
    pub(crate) parent: Option<ScopeRef>,
    /// Its items belong to the parent scope itself: `include!`.
    pub(crate) included: bool,
    pub(crate) presence: Presence,
    /// The path of the module, with the crate's name first.
    pub(crate) path: String,
    /// The folder in which `mod x;` looks for files.
    directory: String,
}

/// All crates with their files.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) targets: Vec<Target>,
    /// The mount of each crate's root file.
    pub(crate) roots: Vec<Option<MountId>>,
    pub(crate) mounts: Vec<Mount>,
    /// `mod x;` and `include!` items to what they bring in.
    pub(crate) children: FxHashMap<DefId, MountId>,
    /// Files included into a scope.
    pub(crate) included: FxHashMap<ScopeRef, Vec<MountId>>,
    /// At how many places each file stands.
    places: FxHashMap<FileId, usize>,
}

/// The number of places at which one file may stand; a cycle of `#[path]` ends here at the latest.
const MOST_MOUNTS_OF_A_FILE: usize = 16;

/// Builds the tree: the crates of the layout first, then files that none of them reaches, each as a crate of its own.
pub(crate) fn build(files: &Files<'_>, targets: &[Target]) -> Tree {
    let mut tree = Tree {
        targets: targets.to_vec(),
        ..Tree::default()
    };
    for index in 0..tree.targets.len() {
        mount_crate(files, &mut tree, index);
    }
    for file in loose_files(files, &tree) {
        if !tree.places.contains_key(&file) {
            tree.targets.push(loose_target(files, file));
            let index = tree.targets.len() - 1;
            mount_crate(files, &mut tree, index);
        }
    }
    tree
}

/// The files that no crate reaches; those that no other such file could mount come first.
fn loose_files(files: &Files<'_>, tree: &Tree) -> Vec<FileId> {
    let mounted = |file: &FileId| tree.places.contains_key(file);
    let loose: Vec<FileId> = files.ids().filter(|file| !mounted(file)).collect();
    let mut claimed = FxHashSet::default();
    for file in &loose {
        let facts = files.facts(*file);
        let mount = root_mount(files, *file, 0, Presence::Present, String::new());
        for (index, item) in facts.items.iter().enumerate() {
            if matches!(
                item.kind,
                ItemKind::ModuleFile { .. } | ItemKind::Include { .. }
            ) {
                claimed.extend(child_file(files, &mount, ItemId::new(index)));
            }
        }
    }
    let (later, mut first): (Vec<FileId>, Vec<FileId>) =
        loose.into_iter().partition(|file| claimed.contains(file));
    first.extend(later);
    first
}

fn loose_target(files: &Files<'_>, file: FileId) -> Target {
    let path = files.path(file);
    let stem = path
        .rsplit('/')
        .next()
        .unwrap_or(path)
        .trim_end_matches(".rs");
    Target {
        package: String::new(),
        name: stem.replace('-', "_"),
        root: file,
        kind: TargetKind::Loose,
        edition: 2021,
        dependencies: std::collections::BTreeMap::new(),
        for_tests: std::collections::BTreeSet::new(),
        optional: std::collections::BTreeSet::new(),
        features: std::collections::BTreeMap::new(),
        closed: false,
    }
}

fn mount_crate(files: &Files<'_>, tree: &mut Tree, index: usize) {
    let target = &tree.targets[index];
    tree.roots.resize(tree.roots.len().max(index + 1), None);
    if !files.has(target.root) {
        return;
    }
    let presence = match target.kind {
        TargetKind::Test | TargetKind::BuildScript => Presence::Test,
        TargetKind::Loose if is_test_path(files.path(target.root)) => Presence::Test,
        TargetKind::Library | TargetKind::Binary | TargetKind::Loose => Presence::Present,
    };
    let root = root_mount(files, target.root, index, presence, target.name.clone());
    let id = add(tree, root);
    tree.roots[index] = Some(id);
    let mut queue = VecDeque::from([id]);
    while let Some(id) = queue.pop_front() {
        mount_children(files, tree, id, &mut queue);
    }
}

/// Cargo takes the files of these folders of a package for tests, benchmarks and examples.
fn is_test_path(path: &str) -> bool {
    let mut folders = path.split('/').rev().skip(1);
    folders.any(|folder| matches!(folder, "tests" | "benches" | "examples"))
        || path.rsplit('/').next() == Some("build.rs")
}

fn root_mount(
    files: &Files<'_>,
    file: FileId,
    target: usize,
    presence: Presence,
    path: String,
) -> Mount {
    let directory = parent_of(files.path(file)).to_owned();
    Mount {
        file,
        target,
        parent: None,
        included: false,
        presence,
        path,
        directory,
    }
}

fn add(tree: &mut Tree, mount: Mount) -> MountId {
    *tree.places.entry(mount.file).or_default() += 1;
    tree.mounts.push(mount);
    MountId(tree.mounts.len() as u32 - 1)
}

fn mount_children(files: &Files<'_>, tree: &mut Tree, id: MountId, queue: &mut VecDeque<MountId>) {
    let file = tree.mounts[id.index()].file;
    let index = files.index(file);
    for item in index.scopes.iter().flat_map(|scope| &scope.files) {
        let Some(child) = child_mount(files, tree, id, *item) else {
            continue;
        };
        let parent = child.parent;
        let included = child.included;
        let child = add(tree, child);
        tree.children.insert(
            DefId {
                mount: id,
                item: *item,
            },
            child,
        );
        if let (true, Some(parent)) = (included, parent) {
            tree.included.entry(parent).or_default().push(child);
        }
        queue.push_back(child);
    }
}

fn child_mount(files: &Files<'_>, tree: &Tree, parent: MountId, id: ItemId) -> Option<Mount> {
    let mount = &tree.mounts[parent.index()];
    let facts = files.facts(mount.file);
    let item = facts.item(id);
    let file = child_file(files, mount, id)?;
    let presence = mount.presence.max(item_presence(facts, id));
    if !may_mount(tree, parent, file) {
        return None;
    }
    let included = matches!(item.kind, ItemKind::Include { .. });
    let modules = inline_modules(files, mount, item.scope);
    let mut path = std::iter::once(mount.path.as_str())
        .chain(modules.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join("::");
    if let (false, Some(name)) = (included, item.name) {
        path = format!("{path}::{}", facts.text(name));
    }
    let directory = if included {
        mount.directory.clone()
    } else {
        module_directory(files, file, item.kind)
    };
    let parent = Some(ScopeRef {
        mount: parent,
        scope: item.scope,
    });
    Some(Mount {
        file,
        target: mount.target,
        parent,
        included,
        presence,
        path,
        directory,
    })
}

/// Refuses cycles, and files that stand at very many places.
fn may_mount(tree: &Tree, parent: MountId, file: FileId) -> bool {
    let ancestors = std::iter::successors(Some(parent), |id| {
        tree.mounts[id.index()].parent.map(|scope| scope.mount)
    });
    let in_cycle = ancestors
        .into_iter()
        .any(|id| tree.mounts[id.index()].file == file);
    let places = tree.places.get(&file).copied().unwrap_or_default();
    !in_cycle && places < MOST_MOUNTS_OF_A_FILE
}

/// The folder in which the modules of a module's file are looked for.
fn module_directory(files: &Files<'_>, file: FileId, kind: ItemKind) -> String {
    let path = files.path(file);
    let directory = parent_of(path);
    let name = path.rsplit('/').next().unwrap_or(path);
    let owns_folder = name == "mod.rs" || matches!(kind, ItemKind::ModuleFile { path: Some(_) });
    if owns_folder {
        directory.to_owned()
    } else {
        join(directory, name.trim_end_matches(".rs"))
    }
}

/// Finds the file that a `mod x;` or an `include!` of a mount means.
fn child_file(files: &Files<'_>, mount: &Mount, id: ItemId) -> Option<FileId> {
    candidates(files, mount, id)
        .iter()
        .find_map(|path| files.find(path))
}

fn candidates(files: &Files<'_>, mount: &Mount, id: ItemId) -> Vec<String> {
    let facts = files.facts(mount.file);
    let item = facts.item(id);
    let own = parent_of(files.path(mount.file));
    match item.kind {
        ItemKind::Include { path } => vec![join(own, facts.text(path))],
        ItemKind::ModuleFile { path: Some(path) } => {
            let modules = inline_modules(files, mount, item.scope);
            // Within an inline module the path counts from the folder that the module would have.
            let base = if modules.is_empty() {
                own.to_owned()
            } else {
                join(&mount.directory, &modules.join("/"))
            };
            vec![join(&base, facts.text(path))]
        }
        _ => {
            let Some(name) = item.name else {
                return Vec::new();
            };
            let base = join(
                &mount.directory,
                &inline_modules(files, mount, item.scope).join("/"),
            );
            let name = facts.text(name).trim_start_matches("r#");
            vec![
                join(&base, &format!("{name}.rs")),
                join(&base, &format!("{name}/mod.rs")),
            ]
        }
    }
}

/// The paths that a file asks for with `mod x;`, `#[path]` and `include!`, when it is the root of a crate or a `mod.rs`.
/// Discovery loads those that lie outside the folders that it walked.
#[must_use]
pub fn referenced_paths(path: &str, facts: &nostall_model::facts::FileFacts) -> Vec<String> {
    let own = parent_of(path);
    let written = facts.items.iter().filter_map(|item| match item.kind {
        ItemKind::ModuleFile { path: Some(path) } | ItemKind::Include { path } => {
            Some(join(own, facts.text(path)))
        }
        _ => None,
    });
    written.collect()
}

/// The names of the inline modules from the file's scope down to `scope`.
fn inline_modules(files: &Files<'_>, mount: &Mount, scope: ScopeId) -> Vec<String> {
    let facts = files.facts(mount.file);
    let mut names = Vec::new();
    let mut current = Some(scope);
    while let Some(id) = current {
        let scope = facts.scopes[id.index()];
        if let ScopeKind::Item(item) = scope.kind
            && let (ItemKind::Module, Some(name)) = (facts.item(item).kind, facts.item(item).name)
        {
            names.push(facts.text(name).to_owned());
        }
        current = scope.parent;
    }
    names.reverse();
    names
}

fn parent_of(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(end) => &path[..end],
        None => "",
    }
}

/// Joins two paths as texts, with `.` and `..` taken out.
fn join(base: &str, relative: &str) -> String {
    let absolute = relative.starts_with('/') || (base.starts_with('/') && !relative.contains(":/"));
    let whole = if relative.starts_with('/') || base.is_empty() {
        relative.to_owned()
    } else {
        format!("{base}/{relative}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if absolute {
        format!("/{joined}")
    } else {
        joined
    }
}
