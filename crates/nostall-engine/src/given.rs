//! What a body is given decides what it does: `def take(jobs, block=True): return jobs.get(block)`, `if self.data: ..`.
//!
//! A way that depends on a parameter, or on an attribute of one, says so; each call on the way puts in what it gives. Only what
//! the source says is put in, a value or a test around the call: where nothing is known, the way is open.

mod collections;

use nostall_catalog::{Api, ApiId, Test};
use nostall_model::facts::{
    Argument, ArgumentKind, BindingId, BranchTest, Call, CallId, Callee, DefinitionId,
    DefinitionKind, ExprId, ExprKind, FileFacts, ParameterKind, PathId, Shown,
};
use nostall_model::program::{ProgramBody, ProgramCall};
use nostall_model::{FileId, Language};

use crate::sinks::{Constant, argument, constant, first_member};
use crate::summary::Cx;

/// A way that one parameter of the body may cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dependence {
    /// Which parameter.
    pub parameter: u16,
    /// What of it decides.
    pub on: Decision,
}

/// What of a parameter decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// It is this argument of an api's call, which blocks or not by it.
    Argument(ProgramCall, u32, ExprId),
    /// A branch is taken only where this test of a file has its answer.
    Branch(FileId, u32),
}

/// How many dependences of one way are kept.
pub const MOST: usize = 3;

/// The dependences of one way.
pub type Dependences = [Option<Dependence>; MOST];

/// What a call gives for a parameter.
enum Given<'a> {
    /// A value that the source says.
    Constant(Constant<'a>),
    /// One of these kinds of values.
    OneOf(Kinds),
    /// An address, `(host, port)`, of which the source says the host.
    Host(&'a str),
    /// A variant of an enum.
    Variant(&'a str),
    /// The caller's own parameter.
    Parameter(u16),
    Unknown,
}

/// Kinds of values, as far as tests tell them apart: a set of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    /// No value at all.
    pub(crate) const NOTHING: Self = Self(0);
    const NONE: Self = Self(1);
    /// Empty, zero, `False`.
    const FALSE: Self = Self(2);
    pub(crate) const TRUE: Self = Self(4);
    const SOMETHING: Self = Self(6);
    pub(crate) const ANY: Self = Self(7);

    pub(crate) fn of(constant: Constant<'_>) -> Self {
        match constant {
            Constant::None => Self::NONE,
            _ if constant.is_true() => Self::TRUE,
            _ => Self::FALSE,
        }
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Says whether no value is of both.
    pub(crate) fn excludes(self, other: Self) -> bool {
        self.0 & other.0 == 0
    }
}

/// What becomes of a dependence at a call.
enum Put {
    /// The way is cut off.
    Off,
    /// It depends on the caller's own parameter.
    On(u16),
    Open,
}

impl Cx<'_> {
    // ---- what a way depends on

    /// On which parameters of its body it depends whether a call is made at all.
    pub(crate) fn dependences_of_place(&self, body: ProgramBody, call: ProgramCall) -> Dependences {
        let (facts, record) = self.program.call(call);
        let mut found = Dependences::default();
        if self.program.body_of_call(call) != body {
            return found;
        }
        let file = self.program.file_of_call(call);
        for region in facts.regions_outwards(record.region) {
            for index in facts.regions[region.index()].tests.range() {
                let test = &facts.branch_tests[index];
                let variable = attribute(facts, test.value).map_or(test.value, |(base, _)| base);
                let decides = || {
                    parameter(facts, variable).or_else(|| collections::member_tested(facts, test))
                };
                if !matches!(test.shown, Shown::Raised | Shown::Handled)
                    && let Some(parameter) = decides()
                    && !may_be_filled(facts, test, record)
                {
                    let on = Decision::Branch(file, index as u32);
                    add(&mut found, Dependence { parameter, on });
                }
            }
        }
        found
    }

    /// On which parameters of its body it depends whether a call of an api blocks.
    pub(crate) fn dependences_of_arguments(&self, call: ProgramCall, api: u32) -> Dependences {
        let (facts, record) = self.program.call(call);
        let arguments = &facts.arguments[record.arguments.range()];
        let entry = self.catalog.api(ApiId(api));
        let mut found = Dependences::default();
        for wanted in deciding(entry) {
            let value = argument(facts, arguments, wanted).map(|argument| argument.value);
            if let Some((value, parameter)) = value.and_then(|it| Some((it, parameter(facts, it)?)))
            {
                let on = Decision::Argument(call, api, value);
                add(&mut found, Dependence { parameter, on });
            }
        }
        found
    }

    // ---- what calls give

    /// What becomes of dependences at a call of the body that has them; nothing where the way is cut off.
    pub(crate) fn put_in(
        &self,
        call: ProgramCall,
        callee: ProgramBody,
        dependences: &Dependences,
    ) -> Option<Dependences> {
        let mut open = Dependences::default();
        for dependence in dependences.iter().flatten() {
            match self.put(call, callee, *dependence) {
                Put::Off => return None,
                Put::On(parameter) => {
                    let on = dependence.on;
                    add(&mut open, Dependence { parameter, on });
                }
                Put::Open => {}
            }
        }
        Some(open)
    }

    fn put(&self, call: ProgramCall, callee: ProgramBody, dependence: Dependence) -> Put {
        let Dependence {
            parameter: index,
            on,
        } = dependence;
        if let Decision::Branch(file, test) = on
            && self.program.refutes(call, file, test)
        {
            return Put::Off;
        }
        let given = self.given_expr(call, callee, index);
        if let Some(asked) = self.member_asked(on) {
            return given.map_or(Put::Open, |given| self.put_mapping(call, given, asked));
        }
        let attribute = self.attribute_of(on);
        if let Some(value) = given
            && let Some(kinds) = self.kinds_shown(call, value, attribute)
            && self.cuts_off(on, None, kinds)
        {
            return Put::Off;
        }
        if attribute.is_some() {
            let facts = self.program.call(call).0;
            let own = given.and_then(|value| parameter(facts, value));
            return own.map_or(Put::Open, Put::On);
        }
        match self.given(call, callee, index) {
            Given::Constant(it) if self.cuts_off(on, Some(it), Kinds::of(it)) => Put::Off,
            Given::OneOf(kinds) if self.cuts_off(on, None, kinds) => Put::Off,
            Given::Host(host) if self.cuts_off_host(on, host) => Put::Off,
            Given::Variant(name) if self.is_other_variant(on, name) => Put::Off,
            Given::Parameter(own) => Put::On(own),
            _ => Put::Open,
        }
    }

    /// The literal that a value in a mapping has to equal, where that decides.
    fn member_asked(&self, decision: Decision) -> Option<Constant<'_>> {
        let Decision::Branch(file, test) = decision else {
            return None;
        };
        let facts = self.facts_of(file);
        let test = &facts.branch_tests[test as usize];
        match test.shown {
            Shown::Equals(literal) if parameter(facts, test.value).is_none() => {
                collections::member_tested(facts, test)?;
                constant(facts, literal, 0)
            }
            _ => None,
        }
    }

    fn put_mapping(&self, call: ProgramCall, given: ExprId, asked: Constant<'_>) -> Put {
        let facts = self.program.call(call).0;
        if let Some(mapping) = collections::collection(facts, given) {
            return match collections::lacks(facts, mapping, asked) {
                true => Put::Off,
                false => Put::Open,
            };
        }
        match parameter(facts, given) {
            Some(own) if collections::is_used_once(facts, given) => Put::On(own),
            _ => Put::Open,
        }
    }

    /// Says whether a way ends where a constant is given, or else a value of some kinds.
    fn cuts_off(&self, decision: Decision, given: Option<Constant<'_>>, kinds: Kinds) -> bool {
        match (decision, given) {
            (Decision::Argument(call, api, value), Some(constant)) => {
                self.judge(call, api, Some((value, constant))).is_none()
            }
            (Decision::Argument(..), None) => false,
            (Decision::Branch(file, index), given) => {
                let facts = self.facts_of(file);
                let test = &facts.branch_tests[index as usize];
                if let (Shown::Equals(literal), Some(given)) = (test.shown, given) {
                    return constant(facts, literal, 0)
                        .is_some_and(|it| (it == given) != test.holds);
                }
                kinds.excludes(kinds_of_test(facts, test))
            }
        }
    }

    /// Says whether a way ends where an address with a host is given.
    fn cuts_off_host(&self, decision: Decision, host: &str) -> bool {
        let Decision::Argument(_, api, _) = decision else {
            return self.cuts_off(decision, None, Kinds::TRUE);
        };
        let mut conditions = self.catalog.api(ApiId(api)).when.iter();
        conditions.any(|when| when.test() == Test::Numeric)
            && self.cuts_off(decision, Some(Constant::Text(host)), Kinds::TRUE)
    }

    /// Says whether a branch is not taken for a variant of an enum.
    fn is_other_variant(&self, decision: Decision, given: &str) -> bool {
        let Decision::Branch(file, index) = decision else {
            return false;
        };
        let facts = self.facts_of(file);
        let test = &facts.branch_tests[index as usize];
        matches!(test.shown, Shown::Variant(asked) if (facts.text(asked) == given) != test.holds)
    }

    fn facts_of(&self, file: FileId) -> &FileFacts {
        &self.program.all_facts()[file.index()]
    }

    /// The attribute of the parameter that decides.
    fn attribute_of(&self, decision: Decision) -> Option<&str> {
        let Decision::Branch(file, index) = decision else {
            return None;
        };
        let facts = self.facts_of(file);
        let test = &facts.branch_tests[index as usize];
        attribute(facts, test.value).map(|(_, name)| name)
    }

    /// What the tests around a call show of a variable, or of an attribute of it.
    fn kinds_shown(&self, call: ProgramCall, value: ExprId, name: Option<&str>) -> Option<Kinds> {
        let (facts, record) = self.program.call(call);
        let meant = origin(facts, value)?;
        let is_meant = |test: &&BranchTest| match (attribute(facts, test.value), name) {
            (Some((base, own)), Some(name)) => own == name && origin(facts, base) == Some(meant),
            (None, None) => origin(facts, test.value) == Some(meant),
            _ => false,
        };
        let mut kinds = Kinds::ANY;
        for region in facts.regions_outwards(record.region) {
            for test in tests(facts, region).iter().filter(is_meant) {
                kinds = Kinds(kinds.0 & kinds_of_test(facts, test).0);
            }
        }
        (kinds != Kinds::ANY).then_some(kinds)
    }

    /// The expression that a call gives for a parameter.
    fn given_expr(&self, call: ProgramCall, callee: ProgramBody, parameter: u16) -> Option<ExprId> {
        let (facts, record) = self.program.call(call);
        let body = self.program.body(callee);
        let own = &self.program.facts(callee).parameters[body.parameters.range()];
        let is_receiver = own
            .get(usize::from(parameter))
            .is_some_and(|it| it.kind == ParameterKind::Receiver);
        if is_receiver {
            return match record.callee {
                Callee::Method { receiver, .. } => Some(receiver),
                _ => None,
            };
        }
        let index = self.argument_index(call, callee, parameter)?;
        Some(facts.arguments[record.arguments.range()][index].value)
    }

    /// Which argument a parameter is given.
    fn argument_index(
        &self,
        call: ProgramCall,
        callee: ProgramBody,
        parameter: u16,
    ) -> Option<usize> {
        let (facts, record) = self.program.call(call);
        let arguments = &facts.arguments[record.arguments.range()];
        (0..arguments.len()).find(|index| {
            self.program.parameter_index(call, callee, *index as u16) == parameter
                && matches!(
                    arguments[*index].kind,
                    ArgumentKind::Positional | ArgumentKind::Keyword
                )
        })
    }

    fn given(&self, call: ProgramCall, callee: ProgramBody, parameter: u16) -> Given<'_> {
        let (facts, record) = self.program.call(call);
        let arguments = &facts.arguments[record.arguments.range()];
        let own =
            &self.program.facts(callee).parameters[self.program.body(callee).parameters.range()];
        let by_name_alone = own
            .get(usize::from(parameter))
            .is_some_and(|it| it.kind == ParameterKind::Keyword);
        let spreads = |argument: &Argument| match argument.kind {
            ArgumentKind::Spread => !by_name_alone,
            kind => kind == ArgumentKind::SpreadKeywords,
        };
        match self.argument_index(call, callee, parameter) {
            // A keyword is what its name says, whatever is spread beside it.
            Some(index)
                if arguments[index].kind == ArgumentKind::Keyword
                    || !arguments[..index].iter().any(spreads) =>
            {
                value(facts, arguments[index].value)
            }
            None if !arguments.iter().any(spreads) => self.default(callee, parameter),
            _ => Given::Unknown,
        }
    }

    fn default(&self, callee: ProgramBody, index: u16) -> Given<'_> {
        let facts = self.program.facts(callee);
        let parameters = &facts.parameters[self.program.body(callee).parameters.range()];
        let default = parameters
            .get(usize::from(index))
            .and_then(|parameter| parameter.default);
        let Some(default) = default else {
            return Given::Unknown;
        };
        match (constant(facts, default, 4), host(facts, default)) {
            (Some(constant), _) => Given::Constant(constant),
            (None, Some(host)) => Given::Host(host),
            (None, None) => Given::Unknown,
        }
    }
}

/// The host in an address that is written out: `("127.0.0.1", 80)`.
fn host(facts: &FileFacts, value: ExprId) -> Option<&str> {
    let host = first_member(facts, value);
    match constant(facts, host, 4)? {
        Constant::Text(text) if host != value => Some(text),
        _ => None,
    }
}

fn value(facts: &FileFacts, value: ExprId) -> Given<'_> {
    if let Some(constant) = constant(facts, value, 4) {
        return Given::Constant(constant);
    }
    if let Some(index) = parameter(facts, value) {
        return Given::Parameter(index);
    }
    let value = collections::collection(facts, value).unwrap_or(value);
    if let Some(host) = host(facts, value) {
        return Given::Host(host);
    }
    match facts.expr(value).kind {
        ExprKind::Reference(inner) if facts.language == Language::Rust => self::value(facts, inner),
        ExprKind::Path(path) if facts.language == Language::Rust => made_of(facts, path),
        ExprKind::Struct { path, .. } => made_of(facts, path),
        ExprKind::Call(call) if facts.language == Language::Rust => match facts.call(call).callee {
            Callee::Value(maker) => match facts.expr(maker).kind {
                ExprKind::Path(path) => made_of(facts, path),
                _ => Given::Unknown,
            },
            _ => Given::Unknown,
        },
        ExprKind::Collection { elements, .. } if elements.range().is_empty() => {
            Given::OneOf(Kinds::FALSE)
        }
        ExprKind::Collection { .. } | ExprKind::Text => Given::OneOf(Kinds::SOMETHING),
        ExprKind::Callable(_) => Given::OneOf(Kinds::TRUE),
        _ => Given::Unknown,
    }
}

/// Says whether code before a call may have put another variant into a variable that is tested: `option.insert(value)`.
fn may_be_filled(facts: &FileFacts, test: &BranchTest, before: &Call) -> bool {
    if !matches!(test.shown, Shown::Success { .. } | Shown::Variant(_)) {
        return false;
    }
    let bare = |value: ExprId| match facts.expr(value).kind {
        ExprKind::Reference(inner) => inner,
        _ => value,
    };
    let variable = |value: ExprId| origin(facts, bare(value)).map(|(variable, _)| variable);
    let tested = variable(test.value);
    let own = (0..crate::summary::call_number(facts, before)).map(CallId);
    own.map(|id| facts.call(id)).any(|call| {
        let receiver = match call.callee {
            Callee::Method { receiver, .. } => Some(receiver),
            _ => None,
        };
        let given = facts.arguments[call.arguments.range()].iter();
        let mut used = receiver
            .into_iter()
            .chain(given.map(|argument| argument.value))
            .filter(|value| bare(*value) != bare(test.value));
        call.body == before.body && used.any(|value| variable(value) == tested)
    })
}

/// What a path makes that names a variant: `None`, `Ok(..)`, `Mode::Fast`.
fn made_of(facts: &FileFacts, path: PathId) -> Given<'_> {
    let last = facts.path_segments(path).last();
    match last.map(|segment| facts.text(segment.name)) {
        Some("None" | "Err") => Given::OneOf(Kinds::NONE),
        Some("Some" | "Ok") => Given::OneOf(Kinds::SOMETHING),
        _ => variant(facts, path).map_or(Given::Unknown, Given::Variant),
    }
}

/// The name of the variant that `Mode::Fast` is, by how the language writes them: a constant is in capitals, a function is not.
fn variant(facts: &FileFacts, path: PathId) -> Option<&str> {
    let [.., parent, last] = facts.path_segments(path) else {
        return None;
    };
    let is_camel =
        |name: &str| name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
    let (parent, last) = (facts.text(parent.name), facts.text(last.name));
    (is_camel(parent) && is_camel(last)).then_some(last)
}

/// The kinds of values with which a test has its answer.
pub(crate) fn kinds_of_test(facts: &FileFacts, test: &BranchTest) -> Kinds {
    let asked = match test.shown {
        Shown::True => Kinds::TRUE,
        Shown::None => Kinds::NONE,
        Shown::Equals(literal) if test.holds => {
            return constant(facts, literal, 0).map_or(Kinds::ANY, Kinds::of);
        }
        Shown::Success { .. } if test.holds => return Kinds::SOMETHING,
        Shown::Success {
            layers: 1,
            alone: true,
        } => return Kinds::NONE,
        Shown::Asked(_)
        | Shown::Equals(_)
        | Shown::Raised
        | Shown::Handled
        | Shown::All(_)
        | Shown::Variant(_)
        | Shown::Success { .. } => {
            return Kinds::ANY;
        }
    };
    if test.holds {
        asked
    } else {
        Kinds::ANY.without(asked)
    }
}

pub(crate) fn tests(facts: &FileFacts, region: nostall_model::facts::RegionId) -> &[BranchTest] {
    &facts.branch_tests[facts.regions[region.index()].tests.range()]
}

/// The variable and the name in `variable.name`.
fn attribute(facts: &FileFacts, value: ExprId) -> Option<(ExprId, &str)> {
    match facts.expr(value).kind {
        ExprKind::Attribute { base, name } => Some((base, facts.text(name))),
        _ => None,
    }
}

/// The arguments by which it is decided whether an api blocks.
fn deciding(api: &Api) -> impl Iterator<Item = &nostall_catalog::Argument> {
    let tested = api
        .when
        .iter()
        .filter(|when| {
            matches!(
                when.test(),
                Test::Is(_) | Test::Numeric | Test::Below(_) | Test::Begins(_)
            )
        })
        .map(|when| &when.argument);
    tested.chain(&api.duration)
}

/// The parameter of the body whose value, never changed, an expression is.
fn parameter(facts: &FileFacts, value: ExprId) -> Option<u16> {
    if let ExprKind::Reference(inner) = facts.expr(value).kind {
        return parameter(facts, inner);
    }
    let (_, [only]) = origin(facts, value)? else {
        return None;
    };
    match facts.definitions[only.index()].kind {
        DefinitionKind::Parameter(index) => Some(index),
        _ => None,
    }
}

/// The variable that an expression uses and the definitions that reach the use, whatever tests have shown of it.
pub(crate) fn origin(facts: &FileFacts, value: ExprId) -> Option<(BindingId, &[DefinitionId])> {
    let ExprKind::Use { binding, reaching } = facts.expr(value).kind else {
        return None;
    };
    let reaching = &facts.definition_lists[reaching.range()];
    match reaching {
        [] => None,
        [only] => match facts.definitions[only.index()].kind {
            DefinitionKind::Narrowed { value, .. } => origin(facts, value),
            _ => Some((binding, reaching)),
        },
        _ => Some((binding, reaching)),
    }
}

/// Adds a dependence, if it is not there yet and there is room: without it the way is open.
pub(crate) fn add(to: &mut Dependences, dependence: Dependence) {
    if to.contains(&Some(dependence)) {
        return;
    }
    if let Some(free) = to.iter_mut().find(|place| place.is_none()) {
        *free = Some(dependence);
    }
}
