//! Where a wait happens, as far as it changes how much the wait matters: loops, locks, code that runs once.

use nostall_model::facts::{
    BindingId, BodyKind, BranchTest, Call, CallKind, Callee, CollectionKind, DefinitionId,
    DefinitionKind, Event, ExprId, ExprKind, FileFacts, ItemKind, Literal, ParameterKind, PathId,
    RegionId, RegionKind, Shown, Sink,
};
use nostall_model::finding::RiskReason;
use nostall_model::program::{Guard, ProgramCall};
use nostall_model::{Name, Risk, Waits};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::sinks::{Blocking, module_value, only_value};

/// A value is looked through as many steps as this.
const MOST_STEPS: usize = 8;

/// As many loops around a call are told apart.
const MOST_LOOPS: u8 = 2;

/// What is known of the place of a wait, on the way to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Placement {
    /// In how many loops, one in the other, over run-time data that are not left in between; up to two are counted.
    pub loops: u8,
    /// While a lock is held.
    pub locked: bool,
    /// Once in the life of the program.
    pub once: bool,
    /// Only the first time: what it gives is kept.
    pub kept: bool,
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
            loops: (self.loops + other.loops).min(MOST_LOOPS),
            locked: self.locked || other.locked,
            once: self.once || other.once,
            kept: self.kept || other.kept,
            startup: self.startup || other.startup,
            alone: self.alone || other.alone,
            own_thread: self.own_thread || other.own_thread,
            branched: self.branched || other.branched,
        }
    }

    /// Puts a step before those of a way: what is done once is done once, whatever loop or lock it is in. What each object keeps is
    /// done for each of them.
    #[must_use]
    pub fn within(self, step: Self) -> Self {
        let often = !self.once;
        self.and(Self {
            loops: if often { step.loops } else { 0 },
            locked: step.locked && often,
            ..step
        })
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
        // A quick look is worth a word where its number is a product: in one loop it mostly stays below a millisecond. A change
        // goes through the journal of the file system.
        let enough = match blocking.waits {
            Waits::Brief => u8::MAX,
            Waits::Metadata => MOST_LOOPS,
            _ => 1,
        };
        step(
            self.loops >= enough,
            Risk::raised,
            "loop",
            "in a loop without an await",
        );
        step(
            self.locked && enough == 1,
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
            falls && !self.once && self.kept,
            Risk::lowered,
            "kept",
            "only the first time: what it gives is kept",
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
    /// Per file: the values that are returned when they are there. A loop around such a call is a retry.
    returned: Vec<FxHashSet<ExprId>>,
}

impl Loops {
    /// Looks at all loops.
    pub(crate) fn new(facts: &[FileFacts]) -> Self {
        Self {
            adding_up: facts.iter().map(adding_up).collect(),
            returned: facts.iter().map(returned_when_there).collect(),
        }
    }

    /// Counts such loops around a call, one in the other.
    pub(crate) fn around(&self, file: usize, facts: &FileFacts, call: &Call) -> u8 {
        let loops = &self.adding_up[file];
        // What is iterated over is computed before the loop.
        let is_head = call.kind == CallKind::Iterate;
        if loops.is_empty() || is_head || self.returned[file].contains(&call.expr) {
            return 0;
        }
        // Code that always ends in a `return` is reached once, whatever loop it stands in; so is what ends in a `raise` that no
        // `try` of the loop may handle.
        let mut is_tried = false;
        let around = facts
            .regions_outwards(call.region)
            .take_while(|region| {
                is_tried |= facts.regions[region.index()].kind == RegionKind::Try;
                let raises = |event: &Event| matches!(event, Event::Raise);
                !returns(facts, *region) && (is_tried || !ends_in(facts, *region, &raises))
            })
            .filter(|region| loops.contains(region));
        around
            .take(usize::from(MOST_LOOPS))
            .fold(0, |sum, _| sum + 1)
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

/// The values of a file whose success is returned: `match open() { Ok(file) => return file, .. }`.
fn returned_when_there(facts: &FileFacts) -> FxHashSet<ExprId> {
    let tests = |region: RegionId| &facts.branch_tests[facts.regions[region.index()].tests.range()];
    let is_there =
        |test: &&BranchTest| test.holds && matches!(test.shown, Shown::Success { layers: 1, .. });
    (0..facts.regions.len())
        .map(RegionId::new)
        .filter(|region| !tests(*region).is_empty() && returns(facts, *region))
        .flat_map(|region| tests(region).iter().filter(is_there))
        .map(|test| only_value(facts, test.value).unwrap_or(test.value))
        .collect()
}

/// Says whether a region always leaves its body.
fn returns(facts: &FileFacts, region: RegionId) -> bool {
    ends_in(facts, region, &|event| matches!(event, Event::Return(_)))
}

/// Says whether a region always comes to an event of a kind.
fn ends_in(facts: &FileFacts, region: RegionId, is_end: &dyn Fn(&Event) -> bool) -> bool {
    let mut events = facts.region_events(region).iter();
    events.any(|event| match event {
        Event::Region(inner) => {
            facts.regions[inner.index()].kind == RegionKind::Inner && ends_in(facts, *inner, is_end)
        }
        _ => is_end(event),
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
            let value = value.or_else(|| constant(facts, binding));
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
            Callee::Value(callee) => {
                let arguments = facts.call_arguments(call);
                let all = |is_few: &dyn Fn(ExprId) -> bool| {
                    !arguments.is_empty() && arguments.iter().all(|it| is_few(it.value))
                };
                let is_walk = WALKS.iter().any(|name| is_named(facts, callee, name));
                is_walk && all(&|value| is_written_out(facts, value, budget - 1))
                    || is_named(facts, callee, "range") && all(&|value| is_few(facts, value))
            }
            Callee::Macro(_) => false,
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

/// What Python walks over the elements of its arguments with.
const WALKS: [&str; 8] = [
    "enumerate",
    "reversed",
    "sorted",
    "list",
    "tuple",
    "set",
    "zip",
    "frozenset",
];

/// Up to how many rounds are few.
const FEW: i64 = 10;

fn is_few(facts: &FileFacts, value: ExprId) -> bool {
    matches!(facts.expr(value).kind, ExprKind::Literal(Literal::Int(number)) if number <= FEW)
}

/// The value of a variable of the module that is given one once, and that nothing is put into.
fn constant(facts: &FileFacts, binding: BindingId) -> Option<ExprId> {
    module_value(facts, binding).filter(|value| {
        let kind = facts.expr(*value).kind;
        matches!(kind, ExprKind::Collection { kind, .. } if kind == CollectionKind::Tuple)
    })
}

/// What a call's own place says: its loop, and the locks that are held around it.
pub(crate) fn own_placement(
    program: &crate::program::Program<'_>,
    loops: &Loops,
    locked: &FxHashMap<ProgramCall, Guard>,
    call: ProgramCall,
) -> Placement {
    let (facts, record) = program.call(call);
    let once = fills(facts, record, is_global);
    let kept = fills(facts, record, |_, _| true);
    let often = !once;
    Placement {
        loops: if often {
            loops.around(program.file_of_call(call).index(), facts, record)
        } else {
            0
        },
        locked: often && locked.contains_key(&call),
        once,
        kept,
        branched: is_in_branch(facts, record),
        ..Placement::default()
    }
}

/// Says whether a call stands in a branch of its body.
fn is_in_branch(facts: &FileFacts, call: &Call) -> bool {
    let mut regions = facts.regions_outwards(call.region);
    regions.any(|region| facts.regions[region.index()].kind == RegionKind::Branch)
}

/// A variable, or an attribute of one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    variable: BindingId,
    attribute: Option<Name>,
}

/// Says whether a call stands in a branch that gives such a place its value, and is taken where it has none:
/// `if client is None: client = connect()`. Of an attribute the call must be part of the value: who fills it may do more.
fn fills(facts: &FileFacts, call: &Call, is_meant: impl Fn(&FileFacts, Place) -> bool) -> bool {
    let mut regions = facts.regions_outwards(call.region);
    regions.any(|region| {
        let tests = &facts.branch_tests[facts.regions[region.index()].tests.range()];
        tests.iter().any(|test| {
            let empty = test.holds == (test.shown == Shown::None);
            let place = tested_place(facts, test).filter(|place| outlives(facts, *place));
            empty && place.is_some_and(|it| is_meant(facts, it) && assigns(facts, region, it, call))
                || is_empty(test)
                    && static_of(facts, test.value).is_some_and(|it| sets(facts, region, it))
        })
    })
}

/// The place that a test asks about, by `hasattr` too.
fn tested_place(facts: &FileFacts, test: &BranchTest) -> Option<Place> {
    let Shown::Asked(call) = test.shown else {
        return place(facts, copied(facts, test.value).unwrap_or(test.value));
    };
    let [_, name] = facts.call_arguments(call) else {
        return None;
    };
    match (facts.call(call).callee, facts.expr(name.value).kind) {
        (Callee::Value(callee), ExprKind::Literal(Literal::Str(name)))
            if is_named(facts, callee, "hasattr") =>
        {
            let attribute = Some(name);
            place(facts, test.value).map(|of| Place { attribute, ..of })
        }
        _ => None,
    }
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

/// What a variable was given, where that is a place: `client = _client`.
fn copied(facts: &FileFacts, value: ExprId) -> Option<ExprId> {
    let ExprKind::Use { reaching, .. } = facts.expr(value).kind else {
        return None;
    };
    let [only] = facts.definition_lists[reaching.range()] else {
        return None;
    };
    match facts.definitions[only.index()].kind {
        DefinitionKind::Value(given) => place(facts, given).map(|_| given),
        _ => None,
    }
}

/// Says whether an expression is a name that no variable of the file binds.
fn is_named(facts: &FileFacts, value: ExprId, name: &str) -> bool {
    match facts.expr(value).kind {
        ExprKind::Path(path) => facts.path_text(path, ".") == name,
        _ => false,
    }
}

fn place(facts: &FileFacts, value: ExprId) -> Option<Place> {
    match facts.expr(value).kind {
        ExprKind::Use { binding, .. } => Some(Place {
            variable: binding,
            attribute: None,
        }),
        ExprKind::Attribute { base, name } => match facts.expr(base).kind {
            ExprKind::Use { binding, .. } => Some(Place {
                variable: binding,
                attribute: Some(name),
            }),
            _ => None,
        },
        _ => None,
    }
}

/// Says whether a place is there when the body that fills it has ended: a variable of a module, an attribute of one or of the
/// receiver.
fn outlives(facts: &FileFacts, place: Place) -> bool {
    let is_receiver = || {
        let body = facts.bindings[place.variable.index()].body;
        let first = facts.body_parameters(body).first();
        first.is_some_and(|first| {
            first.kind == ParameterKind::Receiver && first.binding == place.variable
        })
    };
    is_global(facts, place) || place.attribute.is_some() && is_receiver()
}

/// Says whether a place is of a module: there is one of it in the program.
fn is_global(facts: &FileFacts, place: Place) -> bool {
    let owner = facts.bindings[place.variable.index()].body;
    facts.body(owner).kind == BodyKind::Module
}

/// Says whether code in a region gives a place a value that a call is part of.
fn assigns(facts: &FileFacts, region: RegionId, to: Place, call: &Call) -> bool {
    facts.region_events(region).iter().any(|event| match event {
        Event::Assign(definition) | Event::Bind(definition) => {
            let variable = facts.definitions[definition.index()].binding;
            to.attribute.is_none() && variable == to.variable
        }
        Event::Store { target, value } => {
            place(facts, *target) == Some(to) && is_part(facts, call, *value)
        }
        Event::Region(inner) => assigns(facts, *inner, to, call),
        _ => false,
    })
}

/// Says whether a value is made of what a call gives, by a variable too.
fn is_part(facts: &FileFacts, call: &Call, value: ExprId) -> bool {
    let whole = facts.expr(value).span;
    let is_bound = |kept: DefinitionId| {
        facts.exprs.iter().any(|expr| match expr.kind {
            ExprKind::Use { reaching, .. } => {
                whole.contains(expr.span)
                    && facts.definition_lists[reaching.range()].contains(&kept)
            }
            _ => false,
        })
    };
    whole.contains(call.span) || matches!(call.sink, Sink::Bound(kept) if is_bound(kept))
}
