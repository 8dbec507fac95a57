//! Names and types of Rust resolved over all files of a project: what each call may reach.
//!
//! Nothing here reads a disk, and nothing fails: what is not known is an unresolved target.

mod argument_types;
mod assumed;
mod blanket;
mod bodies;
mod callables;
mod called;
mod carriers;
mod channels;
mod conditions;
mod contexts;
mod drops;
mod filled;
mod functions;
mod generics;
mod glob_graph;
mod globs;
#[cfg(test)]
mod growth;
mod guards;
mod implicit;
mod implied;
mod impls;
mod index;
mod infer;
mod lazies;
mod macro_names;
mod methods;
mod mounts;
mod names;
mod ownership;
mod parts;
mod prelude;
mod reasons;
mod stubs;
mod types;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use nostall_catalog::Catalog;
use nostall_model::facts::{BodyId, CallId, ExprId, FileFacts, ImportId, Item, PathId, TypeExprId};
use nostall_model::layout::{Layout, Target};
use nostall_model::program::{Resolution, TypeKey};
use nostall_model::{Confidence, FileId};
use rustc_hash::FxHashMap;

use glob_graph::{Circle, GlobGraph, GlobTarget, Places};
use impls::ImplIndex;
use index::FileIndex;
use methods::Callee;
use mounts::{DefId, Mount, MountId, ScopeRef, Tree};
use names::{Namespace, Resolved};
use nostall_model::queries::{Answers, Depth};
use stubs::Stub;
use types::{Arena, Ty};

pub use mounts::referenced_paths;

/// What resolution looks at.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// All Rust files with their paths, as in [`Source::path`](nostall_model::Source::path).
    pub files: &'a [(FileId, &'a str, &'a FileFacts)],
    /// How they belong together.
    pub layout: &'a Layout,
    /// What is known of libraries.
    pub catalog: &'a Catalog,
    /// Whether to say, for people, how each callee was found.
    pub reasons: bool,
}

/// Resolves all calls of all files.
#[must_use]
pub fn resolve(input: &Input<'_>) -> Resolution {
    let files = Files::new(input);
    let tree = mounts::build(&files, &input.layout.targets);
    let mut cx = Cx::new(files, tree, input.catalog);
    cx.settle_globs();
    bodies::resolve_all(&cx, input.reasons)
}

/// The files of the program with their look-up tables.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    by_id: BTreeMap<FileId, (&'a str, &'a FileFacts, FileIndex)>,
    by_path: FxHashMap<&'a str, FileId>,
}

impl<'a> Files<'a> {
    fn new(input: &Input<'a>) -> Self {
        let by_id = input
            .files
            .iter()
            .map(|(id, path, facts)| (*id, (*path, *facts, FileIndex::new(facts))))
            .collect();
        let by_path = input
            .files
            .iter()
            .map(|(id, path, _)| (*path, *id))
            .collect();
        Self { by_id, by_path }
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = FileId> {
        self.by_id.keys().copied()
    }

    pub(crate) fn has(&self, file: FileId) -> bool {
        self.by_id.contains_key(&file)
    }

    pub(crate) fn find(&self, path: &str) -> Option<FileId> {
        self.by_path.get(path).copied()
    }

    pub(crate) fn path(&self, file: FileId) -> &'a str {
        self.by_id[&file].0
    }

    pub(crate) fn facts(&self, file: FileId) -> &'a FileFacts {
        self.by_id[&file].1
    }

    pub(crate) fn index(&self, file: FileId) -> &FileIndex {
        &self.by_id[&file].2
    }
}

/// Answers that are remembered.
type Memo<K, V> = RefCell<FxHashMap<K, V>>;

/// Methods that were found.
type Found = Rc<[(methods::What, Confidence)]>;

/// What circles of globs may bring by a name: the places of their scopes, and what each of them names.
type GlobCandidates = Memo<(Circle, types::Symbol, Namespace), (Places, Rc<[GlobTarget]>)>;

/// Closures that are arguments: of which call, at which position.
type ClosureSinks = FxHashMap<BodyId, (CallId, u16)>;

/// How many questions may lead to one another before the answer is "not known".
const DEEPEST: u32 = 200;

/// Answers about names and types that are remembered. Each of these questions may lead back to itself.
#[derive(Default)]
struct Memory {
    /// What paths name.
    paths: Answers<(MountId, PathId, Namespace), Vec<Resolved>>,
    /// What imports bring in.
    imports: Answers<(MountId, ImportId, Namespace), Vec<Resolved>>,
    /// What types are as they are written.
    written: Answers<(MountId, TypeExprId), Ty>,
    /// What aliases of the catalogue stand for.
    aliases: Answers<Ty, Ty>,
    /// What types of the catalogue give.
    stubs: Answers<(Ty, Stub), Option<Ty>>,
    types: Answers<(MountId, ExprId), Ty>,
    callees: Answers<(MountId, CallId), Rc<[Callee]>>,
    trait_methods: Answers<(DefId, types::Symbol), Found>,
    /// What variables may be when they are called, by the budget of the question.
    callables: Answers<(MountId, ExprId, u32), Found>,
    /// What fields may be when they are called, and what they hold that can be.
    filled: Answers<((DefId, types::Symbol), filled::Asked), Found>,
    /// What callers give to functions for parameters that can be called.
    given: Answers<(MountId, BodyId, u16), Found>,
    impls: RefCell<Option<Rc<ImplIndex>>>,
}

/// The program while it is being resolved.
pub(crate) struct Cx<'a> {
    files: Files<'a>,
    tree: Tree,
    catalog: &'a Catalog,
    arena: Arena,
    known: Memory,
    globs: GlobGraph,
    glob_candidates: GlobCandidates,
    declaring: OnceCell<FxHashMap<Box<str>, Rc<[ScopeRef]>>>,
    types_with: Memo<(DefId, types::Symbol), Rc<[TypeKey]>>,
    macros: OnceCell<FxHashMap<(usize, String), Vec<Resolved>>>,
    macro_crates: OnceCell<FxHashMap<usize, Vec<Resolved>>>,
    depth: Depth,
    closure_sinks: Memo<MountId, Rc<ClosureSinks>>,
    stubs: RefCell<FxHashMap<String, Option<Rc<syn::Type>>>>,
    parents: Memo<MountId, Rc<implied::Parents>>,
    fillings: RefCell<Option<Rc<filled::Fillings>>>,
    traits_in_scope: Memo<(MountId, u32), Rc<[String]>>,
    drops: Memo<Ty, Rc<[methods::What]>>,
    guards_within: Memo<Ty, Option<(Ty, Confidence)>>,
    programs: OnceCell<Vec<u32>>,
}

impl<'a> Cx<'a> {
    fn new(files: Files<'a>, tree: Tree, catalog: &'a Catalog) -> Self {
        Self {
            files,
            tree,
            catalog,
            arena: Arena::new(),
            known: Memory::default(),
            globs: GlobGraph::default(),
            glob_candidates: RefCell::default(),
            declaring: OnceCell::new(),
            types_with: RefCell::default(),
            macros: OnceCell::new(),
            macro_crates: OnceCell::new(),
            depth: Depth::default(),
            closure_sinks: RefCell::default(),
            stubs: RefCell::default(),
            parents: RefCell::default(),
            fillings: RefCell::default(),
            traits_in_scope: RefCell::default(),
            drops: RefCell::default(),
            guards_within: RefCell::default(),
            programs: OnceCell::new(),
        }
    }

    pub(crate) fn mount(&self, id: MountId) -> &Mount {
        &self.tree.mounts[id.index()]
    }

    pub(crate) fn target(&self, id: MountId) -> &Target {
        &self.tree.targets[self.mount(id).target]
    }

    pub(crate) fn facts(&self, id: MountId) -> &'a FileFacts {
        self.files.facts(self.mount(id).file)
    }

    pub(crate) fn index(&self, id: MountId) -> &FileIndex {
        self.files.index(self.mount(id).file)
    }

    pub(crate) fn item(&self, def: DefId) -> &'a Item {
        self.facts(def.mount).item(def.item)
    }

    /// Says whether the catalogue speaks of a path, or of something below it.
    pub(crate) fn is_known(&self, path: &str) -> bool {
        self.catalog.speaks_of(nostall_model::Language::Rust, path)
    }

    /// Where closures go that are arguments: the call and the argument's position.
    pub(crate) fn closure_sinks(&self, mount: MountId) -> Rc<ClosureSinks> {
        if let Some(found) = self.closure_sinks.borrow().get(&mount) {
            return Rc::clone(found);
        }
        let facts = self.facts(mount);
        let mut sinks = FxHashMap::default();
        for index in 0..facts.calls.len() {
            let call = CallId::new(index);
            for (position, argument) in facts.call_arguments(call).iter().enumerate() {
                if let nostall_model::facts::ExprKind::Callable(body) =
                    facts.expr(argument.value).kind
                {
                    sinks.insert(body, (call, position as u16));
                }
            }
        }
        let sinks = Rc::new(sinks);
        self.closure_sinks
            .borrow_mut()
            .insert(mount, Rc::clone(&sinks));
        sinks
    }
}
