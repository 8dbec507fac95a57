//! Libraries that offer their functions to others. One that stands beside a binary in its package, and of whose public async
//! functions the program calls nearly all, is the binary's own.

use nostall_model::facts::ItemKind;
use nostall_model::program::{ProgramBody, ProgramCall};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{first_name, is_entry, is_root_main};
use crate::contexts::Runs;
use crate::program::Program;

/// One of as many public functions may be called by nobody.
const OWN: usize = 5;

/// The crates by their names.
pub(super) struct Offered<'a>(FxHashMap<&'a str, Count>);

impl Offered<'_> {
    /// Says whether others than the binary of a name may call the public functions of a crate.
    pub(super) fn contains(&self, name: &str, binary: &str) -> bool {
        self.0.get(name).is_some_and(|count| {
            // A binary and a library can have one name.
            let is_library = name != binary || count.has_library;
            is_library && count.is_offered()
        })
    }
}

/// Looks at the public functions of all crates.
pub(super) fn find<'a>(
    program: &'a Program<'a>,
    runs: &[Runs],
    callers: &FxHashMap<ProgramBody, Option<Vec<ProgramCall>>>,
) -> Offered<'a> {
    let with_binary: FxHashSet<&str> = program
        .bodies()
        .filter(|body| is_root_main(program, *body))
        .map(|body| package(program, body))
        .collect();
    let mut counts: FxHashMap<&str, Count> = FxHashMap::default();
    for body in program
        .bodies()
        .filter(|body| program.is_present(*body, false))
    {
        let name = first_name(&program.resolved(body).path);
        let count = counts.entry(name).or_default();
        count.is_apart |= !with_binary.contains(package(program, body));
        count.has_library |= is_library_root(program, body);
        if is_public(program, body) && is_entry(runs, body) {
            count.public += 1;
            count.uncalled += usize::from(!callers.contains_key(&body));
        }
    }
    Offered(counts)
}

/// What is known of a crate.
#[derive(Default)]
struct Count {
    /// No binary stands beside it.
    is_apart: bool,
    has_library: bool,
    public: usize,
    /// Public, and called by nobody.
    uncalled: usize,
}

impl Count {
    fn is_offered(&self) -> bool {
        self.is_apart || self.uncalled * OWN > self.public
    }
}

fn is_library_root(program: &Program<'_>, body: ProgramBody) -> bool {
    let path = &program.sources.get(program.file(body)).path;
    path.strip_suffix("src/lib.rs")
        .is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
}

/// The folder of the package that a body belongs to.
fn package<'a>(program: &'a Program<'_>, body: ProgramBody) -> &'a str {
    let path = &program.sources.get(program.file(body)).path;
    let end = path.rfind("src/").unwrap_or(path.len());
    &path[..end]
}

fn is_public(program: &Program<'_>, body: ProgramBody) -> bool {
    program.body(body).item.is_some_and(|item| {
        let item = program.facts(body).item(item);
        item.public && matches!(item.kind, ItemKind::Function)
    })
}
