//! One blocking call, judged where it stands: what it waits for, how bad that is, and why.

use std::net::{IpAddr, SocketAddr};

use nostall_catalog::{
    Api, Argument as WrittenArgument, Catalog, Effect, Literal as Wanted, Test, When,
};
use nostall_model::facts::{
    Argument, ArgumentKind, BindingId, BodyKind, Call, CallId, CallKind, Callee, CollectionKind,
    DefinitionKind, Event, ExprId, ExprKind, FileFacts, Literal, PathId, RegionId, RegionKind,
    Sink,
};
use nostall_model::finding::RiskReason;
use nostall_model::{Category, Risk, Waits};

/// What a call of an api does, its arguments looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blocking {
    /// The catalogue entry's number.
    pub api: u32,
    /// What kind of thing blocks.
    pub category: Category,
    /// What the thread waits for.
    pub waits: Waits,
    /// Whether it panics inside an async runtime.
    pub panics: bool,
    /// How bad it is in itself.
    pub risk: Risk,
    /// Why.
    pub reasons: Vec<RiskReason>,
}

/// What a call is judged with: the catalogue, the call's file, and which entry another call of that file reaches.
pub struct Bench<'a> {
    /// What is known of libraries.
    pub catalog: &'a Catalog,
    /// The facts of the call's file.
    pub facts: &'a FileFacts,
    /// The catalogue entry that a call of the same file reaches for certain.
    pub api_of: &'a dyn Fn(CallId) -> Option<u32>,
    /// Whether a condition of the entry on an argument's type, by its number, holds.
    pub type_holds: &'a dyn Fn(usize) -> bool,
    /// An argument of which a caller says what it is.
    pub put_in: Option<(ExprId, Constant<'a>)>,
}

/// Judges a call of an api; none where it does not block.
#[must_use]
pub fn judge(bench: &Bench<'_>, id: u32, call: &Call) -> Option<Blocking> {
    let Bench { catalog, facts, .. } = *bench;
    let api = catalog.api(nostall_catalog::ApiId(id));
    let arguments = &facts.arguments[call.arguments.range()];
    let mut conditions = api.when.iter().enumerate();
    let when = conditions
        .find(|(number, when)| match when.test() {
            Test::Type(_) => (bench.type_holds)(*number),
            _ => holds(bench, arguments, when),
        })
        .map(|(_, when)| when);
    let effect = when.and_then(|when| when.effect).unwrap_or(api.effect);
    let mut waits = when.and_then(|when| when.waits).or(api.waits)?;
    if api.settled && is_settled(bench, call) {
        waits = Waits::Brief;
    }
    if effect != Effect::Blocks {
        return None;
    }
    let category = api.category?;
    let (mut risk, reason) = match waits {
        Waits::Timer => timer(bench, api, arguments)?,
        _ => (
            waits.base_risk(),
            RiskReason {
                code: waits.name(),
                text: waits.describe().to_owned(),
            },
        ),
    };
    let mut reasons = vec![reason];
    if api.panics {
        risk = Risk::Critical;
        reasons.push(RiskReason {
            code: "panics",
            text: "panics inside an async runtime".to_owned(),
        });
    }
    if let Some(when) = when
        && let Some(reason) = &when.reason
    {
        if when.raise {
            risk = risk.raised();
        }
        reasons.push(RiskReason {
            code: "argument",
            text: reason.to_string(),
        });
    }
    Some(Blocking {
        api: id,
        category,
        waits,
        panics: api.panics,
        risk,
        reasons,
    })
}

/// Says whether threads of a runtime's own run tasks, as an api that is given arguments says; none where it says nothing of that.
pub(crate) fn workers(facts: &FileFacts, arguments: &[Argument], api: &Api) -> Option<bool> {
    let told = api.when.iter().find_map(|when| {
        let Test::Is(wanted) = when.test() else {
            return None;
        };
        let found = argument(facts, arguments, &when.argument)?;
        when.workers
            .filter(|_| equals(constant(facts, found.value, 4), wanted))
    });
    told.or(api.workers)
}

/// What an api does with the callable that it is given, literals among its arguments looked at: `@tool(run_in_thread=False)`.
pub(crate) fn effect(facts: &FileFacts, call: &Call, api: &Api) -> Effect {
    let arguments = |call: &Call| &facts.arguments[call.arguments.range()];
    let made = made_before(facts, call).map(|made| facts.call(made));
    let mut conditions = api.when.iter().filter_map(|when| match when.test() {
        Test::Is(wanted) => Some((&when.argument, wanted, when.effect?)),
        _ => None,
    });
    let decided = conditions.find(|(place, wanted, _)| {
        let given = [Some(call), made].into_iter().flatten();
        let mut given = given.filter_map(|call| argument(facts, arguments(call), place));
        given.any(|found| equals(constant(facts, found.value, 4), wanted))
    });
    decided.map_or(api.effect, |(_, _, effect)| effect)
}

/// The call whose value is called: the decorator's own in `@app.get("/users")`.
pub(crate) fn made_before(facts: &FileFacts, call: &Call) -> Option<CallId> {
    let Callee::Value(value) = call.callee else {
        return None;
    };
    match facts.expr(value).kind {
        ExprKind::Call(made) => Some(made),
        _ => None,
    }
}

/// Says whether something is awaited in the block that a call ends, or waited for by a call that is a wait of its own; of a call on
/// a variable, whether all that the variable was used for before was awaited.
fn is_settled(bench: &Bench<'_>, end: &Call) -> bool {
    let facts = bench.facts;
    if end.kind == CallKind::Plain {
        // A method that is handed over is called who knows when.
        return match end.callee {
            Callee::Method { receiver, .. } => is_awaited_before(facts, end, receiver),
            _ => false,
        };
    }
    let events = facts.region_events(end.region);
    events.iter().any(|event| match event {
        Event::Region(id) => {
            let region = &facts.regions[id.index()];
            region.kind == RegionKind::With
                && region.span.start == end.name_span.start
                && (awaits(facts, *id) || waits(bench, *id))
        }
        _ => false,
    })
}

/// Says whether a variable of the same body was only used in calls that are awaited, before another call is made on it in turn. What
/// runs whatever happens (`finally`) may find them given up.
fn is_awaited_before(facts: &FileFacts, end: &Call, variable: ExprId) -> bool {
    let ExprKind::Use { binding, .. } = facts.expr(variable).kind else {
        return false;
    };
    let is_use = |value: ExprId| matches!(facts.expr(value).kind, ExprKind::Use { binding: used, .. } if used == binding);
    let awaited = facts.calls.iter().filter(|call| {
        let mut given = facts.arguments[call.arguments.range()].iter();
        call.body == end.body
            && call.sink == Sink::Awaited
            && call.span.end <= end.span.start
            && given.any(|argument| is_use(argument.value))
    });
    let awaited = awaited.count();
    let uses = (0..facts.exprs.len())
        .map(ExprId::new)
        .filter(|value| is_use(*value));
    let mut around = facts.regions_outwards(end.region);
    facts.bindings[binding.index()].body == end.body
        && awaited > 0
        && uses.count() == awaited + 1
        && !around.any(|region| {
            matches!(
                facts.regions[region.index()].kind,
                RegionKind::Finally | RegionKind::Loop
            )
        })
}

/// Says whether a call in a region waits for other threads.
fn waits(bench: &Bench<'_>, region: RegionId) -> bool {
    let is_wait = |call: CallId| {
        let api = (bench.api_of)(call).map(|api| bench.catalog.api(nostall_catalog::ApiId(api)));
        api.is_some_and(|api| {
            api.effect == Effect::Blocks && api.category == Some(Category::Wait) && !api.settled
        })
    };
    let mut events = bench.facts.region_events(region).iter();
    events.any(|event| match event {
        Event::Call(call) => is_wait(*call),
        Event::Region(inner) => waits(bench, *inner),
        _ => false,
    })
}

/// Says whether something is awaited in a region.
pub(crate) fn awaits(facts: &FileFacts, region: RegionId) -> bool {
    let mut events = facts.region_events(region).iter();
    events.any(|event| match event {
        Event::Await(_) => true,
        Event::Region(inner) => awaits(facts, *inner),
        _ => false,
    })
}

// ---- arguments

/// Finds the argument that an entry speaks of.
#[must_use]
pub fn argument<'a>(
    facts: &FileFacts,
    arguments: &'a [Argument],
    wanted: &WrittenArgument,
) -> Option<&'a Argument> {
    let by_name = wanted.keyword.as_deref().and_then(|keyword| {
        arguments.iter().find(|argument| {
            argument
                .name
                .is_some_and(|name| facts.text(name) == keyword)
        })
    });
    let positional = || {
        let index = usize::from(wanted.index?);
        let argument = arguments.get(index)?;
        let spread_before = arguments[..=index]
            .iter()
            .any(|argument| argument.kind != ArgumentKind::Positional);
        if spread_before { None } else { Some(argument) }
    };
    by_name.or_else(positional)
}

/// Says whether arguments are spread, so that any could be given.
fn is_spread(arguments: &[Argument]) -> bool {
    arguments.iter().any(|argument| {
        matches!(
            argument.kind,
            ArgumentKind::Spread | ArgumentKind::SpreadKeywords
        )
    })
}

fn holds(bench: &Bench<'_>, arguments: &[Argument], when: &When) -> bool {
    let found = argument(bench.facts, arguments, &when.argument);
    match when.test() {
        Test::Given(given) => {
            found.is_some() == given && !(found.is_none() && is_spread(arguments))
        }
        Test::Is(wanted) => found.is_some_and(|found| equals(bench.constant(found.value), wanted)),
        Test::Numeric => found.is_some_and(|found| {
            let host = first_member(bench.facts, found.value);
            matches!(bench.constant(host), Some(Constant::Text(text)) if is_numeric(text))
        }),
        Test::Below(limit) => found.is_some_and(|found| {
            matches!(bench.constant(found.value), Some(Constant::Number(number)) if number < limit)
        }),
        Test::Begins(wanted) => found.is_some_and(|found| {
            let text = bench.constant(found.value);
            matches!(text, Some(Constant::Text(text)) if wanted.iter().any(|begin| text.starts_with(&**begin)))
        }),
        Test::Type(_) => false,
    }
}

/// The host in `(host, port)`; of anything else the value itself.
pub(crate) fn first_member(facts: &FileFacts, value: ExprId) -> ExprId {
    match facts.expr(value).kind {
        ExprKind::Collection {
            kind: CollectionKind::Tuple,
            elements,
        } => facts.expr_list(elements).first().copied().unwrap_or(value),
        _ => value,
    }
}

/// Says whether the host of an address is written in numbers, or is this one.
fn is_numeric(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host == "localhost" || address.parse::<SocketAddr>().is_ok() || host.parse::<IpAddr>().is_ok()
}

fn equals(found: Option<Constant<'_>>, wanted: &Wanted) -> bool {
    match (found, wanted) {
        (Some(Constant::Bool(found)), Wanted::Bool(wanted)) => found == *wanted,
        (Some(Constant::Number(found)), Wanted::Int(wanted)) => found == *wanted as f64,
        (Some(Constant::Number(found)), Wanted::Float(wanted)) => found == *wanted,
        (Some(Constant::Text(found)), Wanted::Str(wanted)) => found == &**wanted,
        (Some(Constant::None), Wanted::None) => true,
        _ => false,
    }
}

/// A value that the source gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constant<'a> {
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(&'a str),
    /// Python's `None`.
    None,
}

impl Constant<'_> {
    /// Says whether a test of it is true, as Python sees it.
    #[must_use]
    pub fn is_true(self) -> bool {
        match self {
            Self::Bool(value) => value,
            Self::Number(value) => value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::None => false,
        }
    }
}

impl<'a> Bench<'a> {
    /// What the source, or a caller, says that an argument is.
    fn constant(&self, value: ExprId) -> Option<Constant<'a>> {
        match self.put_in {
            Some((place, constant)) if place == value => Some(constant),
            _ => constant(self.facts, value, 4),
        }
    }
}

/// Reads a literal, also through a variable that has only one value.
pub(crate) fn constant(facts: &FileFacts, id: ExprId, budget: u32) -> Option<Constant<'_>> {
    match facts.expr(id).kind {
        ExprKind::Literal(literal) => match literal {
            Literal::Bool(value) => Some(Constant::Bool(value)),
            Literal::Int(value) => Some(Constant::Number(value as f64)),
            Literal::Float(value) => Some(Constant::Number(value)),
            Literal::Str(text) => Some(Constant::Text(facts.text(text))),
            Literal::None => Some(Constant::None),
            Literal::Bytes | Literal::Char | Literal::Other => None,
        },
        ExprKind::Use { binding, .. } if budget > 0 => {
            let value = only_value(facts, id).or_else(|| named_constant(facts, binding))?;
            constant(facts, value, budget - 1)
        }
        ExprKind::Cast { value, .. } | ExprKind::Reference(value) if budget > 0 => {
            constant(facts, value, budget - 1)
        }
        _ => None,
    }
}

/// The uses of a variable in a file.
pub(crate) fn uses(facts: &FileFacts, binding: BindingId) -> impl Iterator<Item = ExprId> {
    let all = (0..facts.exprs.len()).map(ExprId::new);
    all.filter(move |value| is_use(facts, *value, binding))
}

pub(crate) fn is_use(facts: &FileFacts, value: ExprId, of: BindingId) -> bool {
    matches!(facts.expr(value).kind, ExprKind::Use { binding, .. } if binding == of)
}

/// The value of a variable that one definition reaches.
pub(crate) fn only_value(facts: &FileFacts, id: ExprId) -> Option<ExprId> {
    let ExprKind::Use { reaching, .. } = facts.expr(id).kind else {
        return None;
    };
    let [only] = facts.definition_lists[reaching.range()] else {
        return None;
    };
    match facts.definitions[only.index()].kind {
        DefinitionKind::Value(value) | DefinitionKind::Narrowed { value, .. } => Some(value),
        _ => None,
    }
}

/// The value of a variable of the module that is given one once.
pub(crate) fn module_value(facts: &FileFacts, binding: BindingId) -> Option<ExprId> {
    let owner = facts.bindings[binding.index()].body;
    if facts.body(owner).kind != BodyKind::Module {
        return None;
    }
    let mut definitions = facts.definitions.iter().filter(|it| it.binding == binding);
    match (definitions.next()?.kind, definitions.next()) {
        (DefinitionKind::Value(value), None) => Some(value),
        _ => None,
    }
}

/// The value of a variable of the module that its name calls a constant: other modules do not change it either.
fn named_constant(facts: &FileFacts, binding: BindingId) -> Option<ExprId> {
    let name = facts.text(facts.bindings[binding.index()].name);
    let is_constant = !name.contains(char::is_lowercase) && name.contains(char::is_uppercase);
    is_constant.then(|| module_value(facts, binding))?
}

// ---- durations

/// A sleep's risk by its length; none for one that does not sleep at all.
fn timer(bench: &Bench<'_>, api: &Api, arguments: &[Argument]) -> Option<(Risk, RiskReason)> {
    let found = api
        .duration
        .as_ref()
        .and_then(|wanted| argument(bench.facts, arguments, wanted));
    let milliseconds = found.and_then(|argument| length(bench, api, argument.value));
    let (risk, code, text) = match milliseconds {
        Some(ms) if ms <= 0.0 => return None,
        Some(ms) if ms < 1.0 => (
            Risk::Low,
            "timer-under-1ms",
            "sleeps for less than a millisecond".to_owned(),
        ),
        Some(ms) if ms < 10.0 => (
            Risk::Medium,
            "timer-under-10ms",
            format!("sleeps for {} ms", round(ms)),
        ),
        Some(ms) if ms < 100.0 => (
            Risk::High,
            "timer-under-100ms",
            format!("sleeps for {} ms", round(ms)),
        ),
        Some(ms) => (
            Risk::Critical,
            "timer",
            format!("sleeps for {}", seconds(ms)),
        ),
        None => (
            Risk::Critical,
            "timer",
            "sleeps, for how long is decided at run time".to_owned(),
        ),
    };
    Some((risk, RiskReason { code, text }))
}

fn round(milliseconds: f64) -> f64 {
    (milliseconds * 100.0).round() / 100.0
}

fn seconds(milliseconds: f64) -> String {
    if milliseconds < 1000.0 {
        return format!("{} ms", round(milliseconds));
    }
    format!("{} s", round(milliseconds / 1000.0))
}

/// The length of a sleep in milliseconds, where the source gives it.
fn length(bench: &Bench<'_>, api: &Api, value: ExprId) -> Option<f64> {
    match api.duration_unit().milliseconds() {
        Some(factor) => Some(number(bench, value)? * factor),
        None => duration(bench, value, 4),
    }
}

fn number(bench: &Bench<'_>, value: ExprId) -> Option<f64> {
    match bench.constant(value)? {
        Constant::Number(number) => Some(number),
        _ => None,
    }
}

/// The length of a duration value: a constructor of the catalogue with a literal.
fn duration(bench: &Bench<'_>, value: ExprId, budget: u32) -> Option<f64> {
    let facts = bench.facts;
    match facts.expr(value).kind {
        ExprKind::Use { .. } if budget > 0 => {
            duration(bench, only_value(facts, value)?, budget - 1)
        }
        ExprKind::Call(call) => {
            let constructor = bench
                .catalog
                .api(nostall_catalog::ApiId((bench.api_of)(call)?));
            let found = argument(
                facts,
                facts.call_arguments(call),
                constructor.duration.as_ref()?,
            )?;
            Some(number(bench, found.value)? * constructor.duration_unit().milliseconds()?)
        }
        ExprKind::Path(path) => constant_length(bench, path),
        _ => None,
    }
}

/// `Duration::ZERO`: of a path the facts know only what is written.
fn constant_length(bench: &Bench<'_>, path: PathId) -> Option<f64> {
    let [.., type_, name] = bench.facts.path_segments(path) else {
        return None;
    };
    let (type_, name) = (bench.facts.text(type_.name), bench.facts.text(name.name));
    let mut types = bench.catalog.types().filter(|entry| {
        let last = entry.path.rsplit("::").next();
        !entry.lengths.is_empty() && last == Some(type_)
    });
    types.find_map(|entry| entry.lengths.get(name).map(|length| f64::from(*length)))
}

/// A call of which nothing is known, for apis that are passed as values.
#[must_use]
pub fn call_without_arguments() -> Call {
    use nostall_model::Span;
    use nostall_model::facts::{BodyId, CallKind, Callee, RegionId, Run, Sink};
    Call {
        kind: CallKind::Plain,
        callee: Callee::Value(ExprId(0)),
        arguments: Run::default(),
        type_arguments: Run::default(),
        sink: Sink::Dropped,
        body: BodyId(0),
        region: RegionId(0),
        expr: ExprId(0),
        name_span: Span::default(),
        span: Span::default(),
        statement: Span::default(),
    }
}
