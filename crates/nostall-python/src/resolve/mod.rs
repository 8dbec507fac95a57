//! Names and types of Python resolved over all files of a project: what each call may reach.
//!
//! A name is followed to where it comes from; the value of an expression is found on demand, from the expressions in the
//! facts. Nothing here reads a disk, and nothing fails: what is not known is an unresolved target.

mod attributes;
mod bodies;
mod builtins;
mod calls;
mod evaluate;
mod file;
mod modules;
mod names;
mod types;
mod value;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use nostall_catalog::Catalog;
use nostall_model::FileId;
use nostall_model::facts::{ExprId, FileFacts};
use nostall_model::layout::Layout;
use nostall_model::program::{Mount, ProgramBody, Resolution};
use rustc_hash::FxHashMap;

use file::File;
use modules::Modules;
use value::{BodyRef, Known, Values};

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
    let cx = Cx::new(input);
    let mut resolution = Resolution {
        mounts: cx.mounts.clone(),
        ..Resolution::default()
    };
    bodies::add_bodies(&cx, &mut resolution);
    calls::add_calls(&cx, &mut resolution);
    resolution
}

/// Per file and expression; none while it is being found out.
type KnownExprs = FxHashMap<(usize, ExprId), Option<Rc<[Known]>>>;

/// The program while it is being resolved.
struct Cx<'a> {
    files: Vec<File<'a>>,
    modules: Modules,
    mounts: Vec<Mount>,
    catalog: &'a Catalog,
    /// What expressions are known to be.
    known: RefCell<KnownExprs>,
    /// What names of modules are known to be.
    module_names: RefCell<FxHashMap<(usize, String), Values>>,
    depth: Cell<usize>,
    /// Whether the budget was used up since this was last reset.
    exhausted: Cell<bool>,
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
            known: RefCell::default(),
            module_names: RefCell::default(),
            depth: Cell::new(0),
            exhausted: Cell::new(false),
        }
    }

    fn facts(&self, file: usize) -> &'a FileFacts {
        self.files[file].facts
    }

    fn program_body(&self, body: BodyRef) -> ProgramBody {
        self.mounts[body.file].body(body.body)
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
