//! Whether an event loop runs where a call is made, as far as the code asks for it: `try: get_running_loop()`,
//! `except RuntimeError: here`.
//!
//! What an answer is kept in counts, too: a variable that is `None` only where no loop was found, a function of the program that
//! returns `False` then. Where it is not certain that it is so, nothing is said.

use std::cell::Cell;
use std::sync::OnceLock;

use nostall_catalog::{ApiId, EventLoop};
use nostall_model::facts::{
    BodyId, BranchTest, CallId, DefinitionId, DefinitionKind, Event, ExprId, ExprKind, FileFacts,
    RegionId, RegionKind, Shown,
};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};
use nostall_model::{FileId, Language};

use crate::given::{Kinds, kinds_of_test, origin, tests};
use crate::over::answered;
use crate::sinks::constant;
use crate::summary::Cx;

/// How many variables and functions an answer is followed through.
const MOST_STEPS: u32 = 5;

/// How many values are looked at for one call.
const MOST_VALUES: u32 = 200;

/// Whether an event loop runs on the thread of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LoopAt {
    /// Nothing around the call says that none does.
    Any,
    /// None does, or something else that was asked is not so.
    Doubtful,
    /// None does.
    None,
}

/// What a value may be while a loop runs.
#[derive(Clone, Copy)]
struct OnLoop {
    kinds: Kinds,
    /// Whether it would be something else without a loop.
    told: bool,
}

/// How far an answer is still followed.
#[derive(Clone, Copy)]
struct Steps<'a> {
    left: u32,
    values: &'a Cell<u32>,
}

impl Steps<'_> {
    fn next(self) -> Self {
        Self {
            left: self.left.saturating_sub(1),
            ..self
        }
    }

    /// Says whether one more value may be looked at.
    fn go_on(self) -> bool {
        self.values.set(self.values.get().saturating_sub(1));
        self.left > 0 && self.values.get() > 0
    }
}

impl OnLoop {
    const UNKNOWN: Self = Self {
        kinds: Kinds::ANY,
        told: false,
    };
    /// What is only given where no loop runs.
    const NEVER: Self = Self {
        kinds: Kinds::NOTHING,
        told: true,
    };

    fn or(self, other: Self) -> Self {
        Self {
            kinds: self.kinds.or(other.kinds),
            told: self.told || other.told,
        }
    }
}

/// For each definition of each file, the region in which it gives its variable a value.
pub(crate) struct DefinedIn(Vec<OnceLock<Vec<Option<RegionId>>>>);

impl DefinedIn {
    pub(crate) fn new(files: usize) -> Self {
        Self((0..files).map(|_| OnceLock::new()).collect())
    }

    fn region(&self, file: FileId, facts: &FileFacts, id: DefinitionId) -> Option<RegionId> {
        let regions = self.0[file.index()].get_or_init(|| {
            let mut found = vec![None; facts.definitions.len()];
            for (index, region) in facts.regions.iter().enumerate() {
                for event in &facts.events[region.events.range()] {
                    if let Event::Bind(id) | Event::Assign(id) = event {
                        found[id.index()] = Some(RegionId::new(index));
                    }
                }
            }
            found
        });
        regions[id.index()]
    }
}

impl Cx<'_> {
    /// What the tests around a call say of an event loop on its thread.
    pub(crate) fn loop_at(&self, call: ProgramCall) -> LoopAt {
        let (_, record) = self.program.call(call);
        let values = Cell::new(MOST_VALUES);
        let steps = Steps {
            left: MOST_STEPS,
            values: &values,
        };
        self.loop_in(self.program.body_of_call(call), record.region, steps)
    }

    fn loop_in(&self, body: ProgramBody, region: RegionId, steps: Steps<'_>) -> LoopAt {
        let facts = self.program.facts(body);
        let regions = facts.regions_outwards(region);
        let mut told = regions.flat_map(|region| {
            let tests = tests(facts, region).iter();
            tests.map(move |test| self.told_by(body, region, test, steps))
        });
        let mut most = LoopAt::Any;
        while most < LoopAt::None
            && let Some(next) = told.next()
        {
            most = most.max(next);
        }
        most
    }

    fn told_by(
        &self,
        body: ProgramBody,
        region: RegionId,
        test: &BranchTest,
        steps: Steps<'_>,
    ) -> LoopAt {
        let facts = self.program.facts(body);
        let (wanted, told) = match test.shown {
            Shown::All(parts) => {
                let mut parts = facts.branch_tests[parts.range()].iter();
                let is_told = |part: &BranchTest| {
                    let refused = BranchTest {
                        holds: !part.holds,
                        ..*part
                    };
                    self.told_by(body, region, &refused, steps) == LoopAt::None
                };
                let told = !test.holds && parts.all(is_told);
                return if told { LoopAt::None } else { LoopAt::Any };
            }
            Shown::Raised => (EventLoop::Needed, LoopAt::None),
            Shown::True if !test.holds => (EventLoop::Told, LoopAt::None),
            Shown::Success { alone: true, .. } if !test.holds => (EventLoop::Needed, LoopAt::None),
            Shown::Success { alone: false, .. } if !test.holds => {
                (EventLoop::Needed, LoopAt::Doubtful)
            }
            _ => return self.told_by_value(body, region, test, steps),
        };
        let is_meant = answered(facts, test).is_some_and(|(asked, layers)| {
            layers <= 1 && self.says_of_loop(self.program.call_in(body, asked), wanted)
        });
        if is_meant {
            told
        } else {
            self.told_by_value(body, region, test, steps)
        }
    }

    /// What it says that a value is as a test shows it.
    fn told_by_value(
        &self,
        body: ProgramBody,
        region: RegionId,
        test: &BranchTest,
        steps: Steps<'_>,
    ) -> LoopAt {
        let facts = self.program.facts(body);
        let asked = kinds_of_test(facts, test);
        // What Rust keeps an answer in is a `Result`.
        if asked == Kinds::ANY || facts.language != Language::Python {
            return LoopAt::Any;
        }
        let found = self.on_loop(body, region, test.value, steps);
        if found.told && found.kinds.excludes(asked) {
            LoopAt::None
        } else {
            LoopAt::Any
        }
    }

    /// What a value, used in a region, may be while a loop runs.
    fn on_loop(
        &self,
        body: ProgramBody,
        region: RegionId,
        value: ExprId,
        steps: Steps<'_>,
    ) -> OnLoop {
        let facts = self.program.facts(body);
        if !steps.go_on() {
            return OnLoop::UNKNOWN;
        }
        match facts.expr(value).kind {
            ExprKind::Use { .. } => self.kept_on_loop(body, region, value, steps),
            ExprKind::Call(call) => self.returned_on_loop(body, call, steps),
            _ => constant(facts, value, 0).map_or(OnLoop::UNKNOWN, |constant| OnLoop {
                kinds: Kinds::of(constant),
                told: false,
            }),
        }
    }

    /// What a variable may hold.
    fn kept_on_loop(
        &self,
        body: ProgramBody,
        region: RegionId,
        value: ExprId,
        steps: Steps<'_>,
    ) -> OnLoop {
        let facts = self.program.facts(body);
        let Some((binding, reaching)) = origin(facts, value) else {
            return OnLoop::UNKNOWN;
        };
        // What another body may give it is not seen here.
        if self.program.facts(body).bindings[binding.index()].body
            != facts.regions[region.index()].body
        {
            return OnLoop::UNKNOWN;
        }
        let of_each = reaching.iter().map(|id| {
            let given = match facts.definitions[id.index()].kind {
                DefinitionKind::Value(value) => {
                    let place = self.place_of(body, *id);
                    match place {
                        Some(place) if self.loop_in(body, place, steps.next()) == LoopAt::None => {
                            OnLoop::NEVER
                        }
                        place => self.on_loop(body, place.unwrap_or(region), value, steps.next()),
                    }
                }
                _ => OnLoop::UNKNOWN,
            };
            if given.told {
                return given;
            }
            let mut others = reaching.iter().filter(|other| *other != id);
            let left = others.find_map(|other| self.left_by(body, region, *id, *other, steps));
            left.map_or(given, |kinds| OnLoop {
                kinds: given.kinds.and(kinds),
                told: true,
            })
        });
        of_each.fold(
            OnLoop {
                kinds: Kinds::NOTHING,
                told: false,
            },
            OnLoop::or,
        )
    }

    /// The region in which a definition gives its variable a value.
    fn place_of(&self, body: ProgramBody, definition: DefinitionId) -> Option<RegionId> {
        let facts = self.program.facts(body);
        self.defined_in
            .region(self.program.file(body), facts, definition)
    }

    /// What of an earlier value a later one, the loop that was found, leaves while a loop runs: in `loop = None`, `try: loop =
    /// get_running_loop()`, nothing; where a test of the variable led there, what the test refuses.
    fn left_by(
        &self,
        body: ProgramBody,
        region: RegionId,
        earlier: DefinitionId,
        later: DefinitionId,
        steps: Steps<'_>,
    ) -> Option<Kinds> {
        let facts = self.program.facts(body);
        let (earlier, found) = (
            &facts.definitions[earlier.index()],
            &facts.definitions[later.index()],
        );
        let DefinitionKind::Value(value) = found.kind else {
            return None;
        };
        let place = self.place_of(body, later)?;
        if earlier.span.start >= found.span.start
            || !self.on_loop(body, place, value, steps.next()).told
        {
            return None;
        }
        let around: Vec<RegionId> = facts.regions_outwards(region).collect();
        let between = facts.regions_outwards(place);
        let mut left = Kinds::NOTHING;
        for inner in between.take_while(|it| !around.contains(it)) {
            match facts.regions[inner.index()].kind {
                RegionKind::Try | RegionKind::Inner | RegionKind::With => {}
                RegionKind::Branch => {
                    let test = tests(facts, inner).iter().find(|test| {
                        origin(facts, test.value)
                            .is_some_and(|(binding, _)| binding == found.binding)
                    })?;
                    let refused = BranchTest {
                        holds: !test.holds,
                        ..*test
                    };
                    left = left.or(kinds_of_test(facts, &refused));
                }
                _ => return None,
            }
        }
        Some(left)
    }

    /// What a call may give: a loop, or what the functions of the program return.
    fn returned_on_loop(&self, body: ProgramBody, call: CallId, steps: Steps<'_>) -> OnLoop {
        let targets = self.program.targets(self.program.call_in(body, call));
        let of_each = targets.iter().map(|target| match target.kind {
            TargetKind::Api(api) => {
                let entry = self.catalog.api(ApiId(api));
                let gives_none = entry.returns.as_ref().is_none_or(|it| it.ends_with("None"));
                if entry.event_loop == Some(EventLoop::Needed) && !gives_none {
                    OnLoop {
                        kinds: Kinds::TRUE,
                        told: true,
                    }
                } else {
                    OnLoop::UNKNOWN
                }
            }
            TargetKind::Body(callee) if self.program.runs_when_called(callee) => {
                self.returns_on_loop(callee, steps)
            }
            _ => OnLoop::UNKNOWN,
        });
        of_each.reduce(OnLoop::or).unwrap_or(OnLoop::UNKNOWN)
    }

    /// What a function may return while a loop runs.
    fn returns_on_loop(&self, callee: ProgramBody, steps: Steps<'_>) -> OnLoop {
        let facts = self.program.facts(callee);
        let record = self.program.body(callee);
        if !self.gets_no_further(callee, record.region, steps) {
            return OnLoop::UNKNOWN;
        }
        let Some(own) = facts.regions.get(record.region.index()).map(|it| it.body) else {
            return OnLoop::UNKNOWN;
        };
        let returns = returns_of(facts, own).into_iter().map(|(region, value)| {
            if self.loop_in(callee, region, steps.next()) == LoopAt::None {
                return OnLoop::NEVER;
            }
            value.map_or(OnLoop::UNKNOWN, |value| {
                self.on_loop(callee, region, value, steps.next())
            })
        });
        returns.reduce(OnLoop::or).unwrap_or(OnLoop::UNKNOWN)
    }

    /// Says whether while a loop runs the code of a region does not get beyond its end.
    fn gets_no_further(&self, body: ProgramBody, region: RegionId, steps: Steps<'_>) -> bool {
        let facts = self.program.facts(body);
        let events = facts.region_events(region).iter().rev();
        for event in events {
            match event {
                Event::Return(_) | Event::Raise => return true,
                Event::ScopeEnd(_) | Event::TemporariesEnd(_) => {}
                Event::Region(inner) if self.is_without_loop(body, *inner, steps) => {}
                Event::Region(inner) => match facts.regions[inner.index()].kind {
                    RegionKind::Try | RegionKind::Inner | RegionKind::With => {
                        return self.gets_no_further(body, *inner, steps);
                    }
                    _ => return false,
                },
                _ => return false,
            }
        }
        false
    }

    fn is_without_loop(&self, body: ProgramBody, region: RegionId, steps: Steps<'_>) -> bool {
        let facts = self.program.facts(body);
        let mut tests = tests(facts, region).iter();
        tests.any(|test| {
            test.shown == Shown::Raised && self.told_by(body, region, test, steps) == LoopAt::None
        })
    }

    fn says_of_loop(&self, asked: ProgramCall, wanted: EventLoop) -> bool {
        let targets = self.program.targets(asked);
        !targets.is_empty()
            && targets.iter().all(|target| match target.kind {
                TargetKind::Api(api) => self.catalog.api(ApiId(api)).event_loop == Some(wanted),
                _ => false,
            })
    }
}

/// What a body returns, and where.
fn returns_of(facts: &FileFacts, body: BodyId) -> Vec<(RegionId, Option<ExprId>)> {
    let mut found = Vec::new();
    let mut open = vec![facts.body(body).region];
    while let Some(region) = open.pop() {
        for event in facts.region_events(region) {
            match event {
                Event::Region(inner) => open.push(*inner),
                Event::Return(value) => found.push((region, *value)),
                _ => {}
            }
        }
    }
    found
}
