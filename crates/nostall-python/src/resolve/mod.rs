//! Names and types of Python resolved over all files of a project: what each call may reach.
//!
//! A name is followed to where it comes from; the value of an expression is found on demand, from the expressions in the
//! facts. Nothing here reads a disk, and nothing fails: what is not known is an unresolved target.

mod attributes;
mod bodies;
mod builtins;
mod callers;
mod calls;
mod catalogue;
mod classes;
mod construction;
mod decorators;
mod elements;
mod evaluate;
mod file;
mod generics;
mod guards;
mod kept;
mod listeners;
mod modules;
mod names;
mod narrow;
mod results;
mod special;
mod types;
mod value;

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use nostall_catalog::Catalog;
use nostall_model::FileId;
use nostall_model::facts::{BindingId, ExprId, FileFacts, TypeExprId};
use nostall_model::layout::Layout;
use nostall_model::program::{Mount, ProgramBody, Resolution};
use nostall_model::queries::{Answers, Depth};
use rustc_hash::FxHashMap;

use callers::CallSites;
use classes::{Ancestor, Hierarchy};
use construction::Checks;
use elements::PutElsewhere;
use file::File;
use kept::Stores;
use modules::Modules;
use value::{BodyRef, ItemRef, Known, Type, Values};

/// How many steps lead from an expression to what it is, at most.
const MAX_STEPS: u32 = 60;

/// What resolution looks at.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// All Python files with their paths, as in [`Source::path`](nostall_model::Source::path).
    pub files: &'a [(FileId, &'a str, &'a FileFacts)],
    /// How they belong together.
    pub layout: &'a Layout,
    /// What is known of libraries.
    pub catalog: &'a Catalog,
}

/// Resolves all calls of all files.
#[must_use]
pub fn resolve(input: &Input<'_>) -> Resolution {
    let mut cx = Cx::new(input);
    cx.find_hierarchy();
    let mut resolution = Resolution {
        mounts: cx.mounts.clone(),
        ..Resolution::default()
    };
    bodies::add_bodies(&cx, input.layout, &mut resolution);
    calls::add_calls(&cx, &mut resolution);
    guards::add_guards(&cx, &mut resolution);
    resolution
}

/// Answers that are remembered.
#[derive(Default)]
struct Memory {
    /// What expressions are known to be.
    exprs: Answers<(usize, ExprId), Rc<[Known]>>,
    /// What names of modules are known to be.
    module_names: Answers<(usize, BindingId), Values>,
    /// What names that stars may bring are known to be.
    star_names: Answers<(usize, u32), Values>,
    /// What decorated functions are known to be.
    functions: Answers<ItemRef, Values>,
    /// What bodies return.
    returned: Answers<BodyRef, Values>,
    /// What parameters are given by the program's own calls.
    given: Answers<(BodyRef, u16), Values>,
    /// What types are as they are written.
    written: Answers<(usize, TypeExprId), Vec<Type>>,
    /// What factories of the catalogue make, by their path.
    made: Answers<u32, Option<Type>>,
    /// Per class, the classes in which its attributes are looked up.
    orders: Answers<ItemRef, Rc<[Ancestor]>>,
}

/// The program while it is being resolved.
struct Cx<'a> {
    files: Vec<File<'a>>,
    modules: Modules,
    mounts: Vec<Mount>,
    catalog: &'a Catalog,
    depth: Depth,
    known: Memory,
    hierarchy: Hierarchy,
    call_sites: OnceCell<CallSites>,
    stores: OnceCell<Stores>,
    checks: OnceCell<Checks>,
    put_elsewhere: OnceCell<PutElsewhere>,
    symbols: RefCell<FxHashMap<String, u32>>,
}

impl<'a> Cx<'a> {
    fn new(input: &Input<'a>) -> Self {
        let modules = Modules::new(input);
        let files: Vec<File<'a>> = input
            .files
            .iter()
            .map(|(_, path, facts)| File::new(path, facts))
            .collect();
        Self {
            mounts: mounts(input),
            files,
            modules,
            catalog: input.catalog,
            depth: Depth::default(),
            known: Memory::default(),
            hierarchy: Hierarchy::default(),
            call_sites: OnceCell::new(),
            stores: OnceCell::new(),
            checks: OnceCell::new(),
            put_elsewhere: OnceCell::new(),
            symbols: RefCell::default(),
        }
    }

    /// Finds out who extends what; what was found on the way did not know of it yet.
    fn find_hierarchy(&mut self) {
        self.hierarchy = self.all_classes();
        self.known = Memory::default();
    }

    fn facts(&self, file: usize) -> &'a FileFacts {
        self.files[file].facts
    }

    fn program_body(&self, body: BodyRef) -> ProgramBody {
        self.mounts[body.file].body(body.body)
    }

    fn body_ref(&self, body: ProgramBody) -> BodyRef {
        let after = self
            .mounts
            .partition_point(|mount| mount.first_body <= body.0);
        let file = after.saturating_sub(1);
        BodyRef {
            file,
            body: nostall_model::facts::BodyId(body.0 - self.mounts[file].first_body),
        }
    }

    /// Takes one more step, if the budget allows.
    fn deeper(&self, step: impl FnOnce() -> Values) -> Values {
        self.depth.nested(MAX_STEPS, Values::new, step)
    }

    /// A number for a text.
    fn symbol(&self, text: &str) -> u32 {
        let mut symbols = self.symbols.borrow_mut();
        if let Some(number) = symbols.get(text) {
            return *number;
        }
        let number = symbols.len() as u32;
        symbols.insert(text.to_owned(), number);
        number
    }
}

/// A Python file is part of the program once.
fn mounts(input: &Input<'_>) -> Vec<Mount> {
    let mut mounts = Vec::new();
    let (mut first_body, mut first_call) = (0, 0);
    for (file, _, facts) in input.files {
        mounts.push(Mount {
            file: *file,
            first_body,
            first_call,
        });
        first_body += facts.bodies.len() as u32;
        first_call += facts.calls.len() as u32;
    }
    mounts
}
