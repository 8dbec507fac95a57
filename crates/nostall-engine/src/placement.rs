//! Where a wait happens, as far as it changes how much the wait matters: loops, locks, code that runs once.

use nostall_model::facts::{
    BindingId, BodyKind, BranchTest, Call, CallKind, Callee, Event, ExprId, ExprKind, FileFacts,
    ItemKind, PathId, RegionId, RegionKind, Shown,
};
use nostall_model::finding::RiskReason;
use nostall_model::program::{Guard, ProgramCall};
use nostall_model::{Name, Risk, Waits};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::sinks::{Blocking, only_value};

/// A value is looked through as many steps as this.
const MOST_STEPS: usize = 8;

/// What is known of the place of a wait, on the way to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Placement {
    /// In a loop over run-time data that is not left in between.
    pub looped: bool,
    /// While a lock is held.
    pub locked: bool,
    /// Once in the life of the program.
    pub once: bool,
    /// Before the program serves anything.
    pub startup: bool,
    /// In a run of a program that never does two things at a time: nobody is held up.
    pub alone: bool,
    /// In a future that its thread runs alone.
    pub own_thread: bool,
    /// Where a condition must hold.
    pub branched: bool,
}

impl Placement {
    /// Puts what is known of two steps of a way together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            looped: self.looped || other.looped,
            locked: self.locked || other.locked,
            once: self.once || other.once,
            startup: self.startup || other.startup,
            alone: self.alone || other.alone,
            own_thread: self.own_thread || other.own_thread,
            branched: self.branched || other.branched,
        }
    }

    /// Grades a blocking call at this place.
    #[must_use]
    pub fn grade(self, blocking: &Blocking) -> (Risk, Vec<RiskReason>) {
        let mut risk = blocking.risk;
        let mut reasons = blocking.reasons.clone();
        let mut step = |holds: bool, to: fn(Risk) -> Risk, code: &'static str, text: &str| {
            if holds {
                risk = to(risk);
                reasons.push(RiskReason {
                    code,
                    text: text.to_owned(),
                });
            }
        };
        let rises = blocking.waits != Waits::Brief;
        step(
            rises && self.looped,
            Risk::raised,
            "loop",
            "in a loop without an await",
        );
        step(
            rises && self.locked,
            Risk::raised,
            "lock-held",
            "while a lock is held",
        );
        let falls = !blocking.panics;
        step(
            falls && self.once,
            Risk::lowered,
            "once",
            "runs once in the life of the program",
        );
        step(
            falls && self.startup,
            |_| Risk::Low,
            "startup",
            "only while the program starts",
        );
        step(
            falls && self.alone,
            |_| Risk::Low,
            "alone",
            "the program never runs two tasks at a time",
        );
        step(
            falls && self.own_thread,
            |_| Risk::Low,
            "own-thread",
            "its thread runs this future alone",
        );
        (risk, reasons)
    }
}

/// The loops of all files, by what they do.
#[derive(Debug)]
pub(crate) struct Loops {
    /// Per file: the loops whose waits add up within one poll.
    adding_up: Vec<FxHashSet<RegionId>>,
}

impl Loops {
    /// Looks at all loops.
    pub(crate) fn new(facts: &[FileFacts]) -> Self {
        Self {
            adding_up: facts.iter().map(adding_up).collect(),
        }
    }

    /// Says whether a call stands in such a loop.
    pub(crate) fn contain(&self, file: usize, facts: &FileFacts, call: &Call) -> bool {
        let loops = &self.adding_up[file];
        // What is iterated over is computed before the loop.
        let is_head = call.kind == CallKind::Iterate;
        if loops.is_empty() || is_head {
            return false;
        }
        // Code that always ends in a `return` is reached once, whatever loop it stands in.
        facts
            .regions_outwards(call.region)
            .take_while(|region| !ends_in_return(facts, *region))
            .any(|region| loops.contains(&region))
    }
}

fn adding_up(facts: &FileFacts) -> FxHashSet<RegionId> {
    let awaiting = awaiting(facts);
    let mut loops: FxHashSet<RegionId> = (0..facts.regions.len())
        .map(RegionId::new)
        .filter(|id| facts.regions[id.index()].kind == RegionKind::Loop && !awaiting.contains(id))
        .collect();
    if loops.is_empty() {
        return loops;
    }
    for call in facts
        .calls
        .iter()
        .filter(|call| call.kind == CallKind::Iterate)
    {
        if let Callee::Method { receiver, .. } = call.callee
            && is_written_out(facts, receiver, 4)
            && let Some(region) = loop_over(facts, call)
        {
            loops.remove(&region);
        }
    }
    loops
}

fn ends_in_return(facts: &FileFacts, region: RegionId) -> bool {
    let mut events = facts.region_events(region).iter();
    events.any(|event| match event {
        Event::Return(_) => true,
        Event::Region(inner) => {
            facts.regions[inner.index()].kind == RegionKind::Inner && ends_in_return(facts, *inner)
        }
        _ => false,
    })
}

/// Regions in which something is awaited.
fn awaiting(facts: &FileFacts) -> FxHashSet<RegionId> {
    let mut found = FxHashSet::default();
    for index in 0..facts.regions.len() {
        let id = RegionId::new(index);
        let awaits = facts
            .region_events(id)
            .iter()
            .any(|event| matches!(event, Event::Await(_) | Event::Yield(_)));
        if awaits {
            found.extend(facts.regions_outwards(id));
        }
    }
    found
}

/// The loop that an iteration belongs to.
fn loop_over(facts: &FileFacts, iteration: &Call) -> Option<RegionId> {
    let events = facts.region_events(iteration.region);
    events.iter().find_map(|event| match event {
        Event::Region(region) => {
            let record = &facts.regions[region.index()];
            let own = record.kind == RegionKind::Loop && record.span.contains(iteration.name_span);
            own.then_some(*region)
        }
        _ => None,
    })
}

/// Says whether the source says what is iterated over: `[a, b]`, `0..3`, a constant or a variable that is such a list.
pub(crate) fn is_written_out(facts: &FileFacts, id: ExprId, budget: u32) -> bool {
    match facts.expr(id).kind {
        ExprKind::Reference(inner) | ExprKind::Unary(inner) if budget > 0 => {
            is_written_out(facts, inner, budget - 1)
        }
        ExprKind::Path(path) if budget > 0 => {
            let value = constant_of_file(facts, path);
            value.is_some_and(|value| is_written_out(facts, value, budget - 1))
        }
        // Of what can change the source does not say how long it is.
        ExprKind::Use { binding, .. } if budget > 0 => {
            let value = only_value(facts, id).filter(|_| !facts.bindings[binding.index()].mutable);
            value.is_some_and(|value| is_written_out(facts, value, budget - 1))
        }
        ExprKind::Collection { .. } => true,
        ExprKind::Struct { fields, .. } => {
            let fields = &facts.arguments[fields.range()];
            fields.len() == 2
                && fields
                    .iter()
                    .all(|field| matches!(facts.expr(field.value).kind, ExprKind::Literal(_)))
        }
        ExprKind::Call(call) if budget > 0 => match facts.call(call).callee {
            Callee::Method { receiver, .. } => is_written_out(facts, receiver, budget - 1),
            _ => false,
        },
        _ => false,
    }
}

/// The value of a constant that the file declares under a name.
fn constant_of_file(facts: &FileFacts, path: PathId) -> Option<ExprId> {
    let [segment] = facts.path_segments(path) else {
        return None;
    };
    let mut named = facts.items.iter().filter(|item| {
        item.name == Some(segment.name) && matches!(item.kind, ItemKind::Constant { .. })
    });
    let (Some(only), None) = (named.next(), named.next()) else {
        return None;
    };
    facts.body(only.body?).value
}

/// What a call's own place says: its loop, and the locks that are held around it.
pub(crate) fn own_placement(
    program: &crate::program::Program<'_>,
    loops: &Loops,
    locked: &FxHashMap<ProgramCall, Guard>,
    call: ProgramCall,
) -> Placement {
    let (facts, record) = program.call(call);
    Placement {
        looped: loops.contain(program.file_of_call(call).index(), facts, record),
        locked: locked.contains_key(&call),
        once: fills_global(facts, record),
        branched: is_in_branch(facts, record),
        ..Placement::default()
    }
}

/// Says whether a call stands in a branch of its body.
fn is_in_branch(facts: &FileFacts, call: &Call) -> bool {
    let mut regions = facts.regions_outwards(call.region);
    regions.any(|region| facts.regions[region.index()].kind == RegionKind::Branch)
}

/// Says whether a call stands in a branch that gives a variable of the module its value, and is taken where it has none:
/// `if client is None: client = connect()`.
fn fills_global(facts: &FileFacts, call: &Call) -> bool {
    let mut regions = facts.regions_outwards(call.region);
    regions.any(|region| {
        let tests = &facts.branch_tests[facts.regions[region.index()].tests.range()];
        tests.iter().any(|test| {
            let empty = test.holds == (test.shown == Shown::None);
            empty && global(facts, test.value).is_some_and(|it| assigns(facts, region, it))
                || is_empty(test)
                    && static_of(facts, test.value).is_some_and(|it| sets(facts, region, it))
        })
    })
}

/// The variable of a module that an expression uses.
fn global(facts: &FileFacts, value: ExprId) -> Option<BindingId> {
    let ExprKind::Use { binding, .. } = facts.expr(value).kind else {
        return None;
    };
    let owner = facts.bindings[binding.index()].body;
    (facts.body(owner).kind == BodyKind::Module).then_some(binding)
}

fn is_empty(test: &BranchTest) -> bool {
    !test.holds
        && matches!(
            test.shown,
            Shown::Success {
                layers: 1,
                alone: true
            }
        )
}

/// The name of the static that a value is, or is in: `CELL.get()`, `*LOCK.lock().unwrap()`.
fn static_of(facts: &FileFacts, value: ExprId) -> Option<Name> {
    let mut value = value;
    for _ in 0..MOST_STEPS {
        value = match facts.expr(value).kind {
            ExprKind::Path(path) => {
                constant_of_file(facts, path)?;
                return facts.path_segments(path).last().map(|last| last.name);
            }
            ExprKind::Use { .. } => only_value(facts, value)?,
            ExprKind::Reference(inner) | ExprKind::Dereference(inner) | ExprKind::Try(inner) => {
                inner
            }
            ExprKind::Call(id) => match facts.call(id).callee {
                Callee::Method { receiver, .. } => receiver,
                _ => return None,
            },
            _ => return None,
        };
    }
    None
}

/// Says whether code in a region stores to a static, or calls a method of it that sets it.
fn sets(facts: &FileFacts, region: RegionId, wanted: Name) -> bool {
    facts.region_events(region).iter().any(|event| match event {
        Event::Store { target, .. } => static_of(facts, *target) == Some(wanted),
        Event::Call(id) => match facts.call(*id).callee {
            Callee::Method { receiver, name } => {
                matches!(facts.text(name), "set" | "insert" | "replace" | "store")
                    && static_of(facts, receiver) == Some(wanted)
            }
            _ => false,
        },
        Event::Region(inner) => sets(facts, *inner, wanted),
        _ => false,
    })
}

/// Says whether code in a region gives a variable a value.
fn assigns(facts: &FileFacts, region: RegionId, binding: BindingId) -> bool {
    facts.region_events(region).iter().any(|event| match event {
        Event::Assign(definition) | Event::Bind(definition) => {
            facts.definitions[definition.index()].binding == binding
        }
        Event::Region(inner) => assigns(facts, *inner, binding),
        _ => false,
    })
}
