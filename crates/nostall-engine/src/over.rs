//! Waits that are over before they begin: `if handle.is_finished() { handle.join() }`, a socket that was told not to wait.
//!
//! What a call says of later calls on the same object is the catalogue's (`ends`, `proves`). What stands in one body is looked at here;
//! sockets that another function told, in `told`.

use nostall_catalog::{ApiId, Proof};
use nostall_model::facts::{
    BindingId, BodyKind, BranchTest, Call, CallId, CallKind, Callee, DefinitionId, DefinitionKind,
    Event, ExprId, ExprKind, FileFacts, Part, RegionId, RegionKind, Shown,
};
use nostall_model::program::{ChannelUse, Presence, ProgramBody, ProgramCall, TargetKind};
use nostall_model::{Language, Name};

use crate::given::{origin, tests};
use crate::sinks::{Constant, argument, constant, is_use, only_value, uses};
use crate::summary::Cx;

/// A value is looked through as many steps as this.
const MOST_STEPS: usize = 12;

/// A variable, or a field of one.
#[derive(PartialEq, Eq)]
struct Place<'a> {
    variable: BindingId,
    definitions: &'a [DefinitionId],
    fields: Vec<Name>,
}

impl Cx<'_> {
    /// Says whether a call of an api does not wait, because of what another call on the same object has answered or done.
    pub(crate) fn is_over(&self, call: ProgramCall, api: u32) -> bool {
        self.is_ended(call, api) || self.has_room(call, api)
    }

    fn is_ended(&self, call: ProgramCall, api: u32) -> bool {
        let (facts, record) = self.program.call(call);
        let Some(value) = receiver(record) else {
            return self.is_answered_for(call, api);
        };
        let Some(object) = place(facts, value) else {
            return self.is_told_around(call, value, api);
        };
        let ends = |other: CallId| {
            let of = receiver(&facts.calls[other.index()]).and_then(|value| place(facts, value));
            of.as_ref() == Some(&object) && self.ends(call, other, api)
        };
        let regions: Vec<RegionId> = facts.regions_outwards(record.region).collect();
        let tested = regions.iter().any(|region| {
            let mut tests = tests(facts, *region).iter();
            tests.any(|test| self.answered_yes(call, test).is_some_and(ends))
        });
        tested
            || self.told_before(call, &regions).any(ends)
            || self.is_told_elsewhere(call, value, api, &regions)
    }

    /// Says whether a function that has no object does not wait after the yes of another: `event::read` after `event::poll`. One
    /// yes is good for one call.
    fn is_answered_for(&self, call: ProgramCall, api: u32) -> bool {
        let (facts, record) = self.program.call(call);
        let said_yes = |region: &RegionId| {
            let mut tests = tests(facts, *region).iter();
            tests.any(|test| {
                let asked = self.answered_yes(call, test);
                asked.is_some_and(|asked| self.ends(call, asked, api))
            })
        };
        let region = facts.regions_outwards(record.region).find(said_yes);
        region.is_some_and(|region| self.is_first_in(call, api, region))
    }

    /// Says whether a call of an api is the first in a region, and is made once there.
    fn is_first_in(&self, call: ProgramCall, api: u32, region: RegionId) -> bool {
        let (facts, record) = self.program.call(call);
        let number = crate::summary::call_number(facts, record);
        let mut outwards = facts.regions_outwards(record.region);
        let mut within = outwards.by_ref().take_while(|own| *own != region);
        let mut earlier = (0..number).map(CallId).filter(|id| {
            let around = facts.regions_outwards(facts.calls[id.index()].region);
            around.into_iter().any(|own| own == region)
        });
        within.all(|own| facts.regions[own.index()].kind != RegionKind::Loop)
            && !earlier.any(|id| self.apis_of(call, id).any(|own| own == api))
    }

    /// The call that a test asks, where it has answered yes.
    fn answered_yes(&self, call: ProgramCall, test: &BranchTest) -> Option<CallId> {
        let (facts, _) = self.program.call(call);
        let is_yes = test.holds && test.shown != Shown::None;
        let (asked, layers) = answered(facts, test).filter(|_| is_yes)?;
        (layers >= self.layers_of_answer(call, asked)).then_some(asked)
    }

    /// The entry by which a call of an api is judged: where a test around it proves more of its object, `if not self.jobs.empty():
    /// self.jobs.get()`, that of what the object is then. Within a further loop a test says nothing of the next round.
    pub(crate) fn proven(&self, call: ProgramCall, api: u32) -> u32 {
        let (facts, record) = self.program.call(call);
        let Callee::Method { receiver, name } = record.callee else {
            return api;
        };
        let object = place(facts, receiver).filter(|_| facts.language == Language::Python);
        let Some(object) = object else {
            return api;
        };
        let is_loop = |region: &RegionId| facts.regions[region.index()].kind == RegionKind::Loop;
        let around = facts
            .regions_outwards(record.region)
            .take_while(|region| !is_loop(region));
        let mut proven = around.flat_map(|region| {
            let object = &object;
            let tested = tests(facts, region).iter();
            tested.filter_map(move |test| {
                let (proven, passing) = self.proven_by(call, test, object, facts.text(name))?;
                self.still_holds(call, region, object, passing)
                    .then_some(proven)
            })
        });
        proven.next().unwrap_or(api)
    }

    /// The entry of a method of what a test shows an object to be, and whether that may be otherwise a moment later.
    fn proven_by(
        &self,
        call: ProgramCall,
        test: &BranchTest,
        object: &Place<'_>,
        method: &str,
    ) -> Option<(u32, bool)> {
        let (facts, _) = self.program.call(call);
        let (asked, _) = answered(facts, test)?;
        let of = receiver(&facts.calls[asked.index()]).and_then(|value| place(facts, value));
        if of.as_ref() != Some(object) {
            return None;
        }
        self.apis_of(call, asked).find_map(|other| {
            let entry = self.catalog.api(ApiId(other));
            let type_ = entry.proves.as_deref().filter(|_| {
                matches!(
                    (entry.proof, test.shown, test.holds),
                    (Proof::True | Proof::Something, Shown::True, true)
                        | (Proof::False, Shown::True, false)
                        | (Proof::Something, Shown::None, false)
                )
            })?;
            let path = format!("{type_}.{method}");
            let found = self.catalog.lookup(facts.language, &path)?;
            Some((found.api.0, entry.passing))
        })
    }

    /// Says whether what a test showed when a region began is so at a call in it: the object is the same, and, of what passes,
    /// nothing was taken from it since, by this code or while it awaited.
    fn still_holds(
        &self,
        call: ProgramCall,
        region: RegionId,
        object: &Place<'_>,
        passing: bool,
    ) -> bool {
        let (facts, record) = self.program.call(call);
        let begin = facts.regions[region.index()].span.start;
        let is_between = |at: u32| begin <= at && at < record.span.start;
        let changes = |event: &Event| match *event {
            Event::Store { target, .. } => {
                is_between(facts.expr(target).span.start)
                    && place(facts, target).as_ref() == Some(object)
            }
            Event::Await(value) => passing && is_between(facts.expr(value).span.start),
            Event::Call(other) => {
                let other = &facts.calls[other.index()];
                passing
                    && is_between(other.span.start)
                    && is_same_method(facts, other, record)
                    && receiver(other).and_then(|it| place(facts, it)).as_ref() == Some(object)
            }
            _ => false,
        };
        let of_body = |it: &&nostall_model::facts::Region| it.body == record.body;
        let mut regions = facts.regions.iter().filter(of_body);
        !regions.any(|it| facts.events[it.events.range()].iter().any(changes))
    }

    /// Says whether a message has room in its channel.
    fn has_room(&self, call: ProgramCall, api: u32) -> bool {
        let path = &self.catalog.api(ApiId(api)).path;
        self.catalog.waits_for_room(path)
            && (self.has_room_for_all(call, api)
                || self.has_no_limit(call, api)
                || self.is_only_answer(call, api))
    }

    /// Says whether no channel that a call may send to has a limit: of all that the program makes, those for such messages.
    fn has_no_limit(&self, call: ProgramCall, api: u32) -> bool {
        let channels = self.program.channels();
        let start = channels.partition_point(|own| own.call < call);
        let sent = channels[start..]
            .iter()
            .find(|own| (own.call, own.api) == (call, api));
        let Some(sent) = sent else {
            return false;
        };
        let path = &self.catalog.api(ApiId(api)).path;
        let presence = self.presence_of(call);
        let may_be_meant = |own: &&ChannelUse| {
            let is_other = own.message.is_some() && sent.message.is_some();
            own.program == sent.program
                && self.catalog.api(ApiId(own.api)).ends.contains(path)
                && !(is_other && own.message != sent.message)
                && self.presence_of(own.call) <= presence
        };
        let mut meant = channels.iter().filter(may_be_meant).peekable();
        let has_limit = |own: &ChannelUse| self.catalog.api(ApiId(own.api)).room.is_some();
        meant.peek().is_some() && !meant.any(has_limit)
    }

    fn presence_of(&self, call: ProgramCall) -> Presence {
        let body = self.program.body_of_call(call);
        self.program.resolved(body).presence
    }

    /// Says whether this code makes the channel, and sends no more than fit: `sync_channel(1)` for one answer.
    fn has_room_for_all(&self, call: ProgramCall, api: u32) -> bool {
        let (facts, record) = self.program.call(call);
        let Some(ExprKind::Use { binding, .. }) = receiver(record).map(|it| facts.expr(it).kind)
        else {
            return false;
        };
        let Some(made) = made_by(facts, binding).filter(|made| self.ends(call, *made, api)) else {
            return false;
        };
        if self.is_limitless(call, made) {
            return true;
        }
        let Some(sends) = sends(facts, binding) else {
            return false;
        };
        let room = self.room_of(call, made).unwrap_or(0.0);
        let maker = &facts.calls[made.index()];
        sends.len() as f64 <= room && sends.iter().all(|send| is_made_once(facts, maker, send))
    }

    fn is_limitless(&self, call: ProgramCall, made: CallId) -> bool {
        let mut entries = self.apis_of(call, made);
        entries.all(|api| self.catalog.api(ApiId(api)).room.is_none())
    }

    pub(crate) fn room_of(&self, call: ProgramCall, made: CallId) -> Option<f64> {
        let (facts, _) = self.program.call(call);
        let mut entries = self.apis_of(call, made);
        let room = entries.find_map(|api| self.catalog.api(ApiId(api)).room.as_ref())?;
        let given = argument(facts, facts.call_arguments(made), room)?;
        match constant(facts, given.value, 4)? {
            Constant::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The calls with `true` that certainly were made before a call.
    fn told_before(&self, call: ProgramCall, regions: &[RegionId]) -> impl Iterator<Item = CallId> {
        let (facts, record) = self.program.call(call);
        let number = crate::summary::call_number(facts, record);
        let calls = (0..number).map(CallId).filter(move |id| {
            let other = &facts.calls[id.index()];
            let first = facts.arguments[other.arguments.range()].first();
            let told = first.map(|argument| constant(facts, argument.value, 4));
            other.body == record.body
                && told == Some(Some(Constant::Bool(true)))
                && regions.contains(&other.region)
        });
        calls.collect::<Vec<_>>().into_iter()
    }

    /// Says whether the catalogue says that calls of an api do not wait after another call of the file.
    pub(crate) fn ends(&self, call: ProgramCall, other: CallId, api: u32) -> bool {
        self.ends_in(self.program.body_of_call(call), other, api)
    }

    /// Says the same of calls of the file that a body stands in.
    pub(crate) fn ends_in(&self, body: ProgramBody, other: CallId, api: u32) -> bool {
        let path = &*self.catalog.api(ApiId(api)).path;
        let is_meant = |end: &String| match end.strip_suffix('*') {
            Some(parent) => path.starts_with(parent),
            None => end == path,
        };
        let mut entries = self.apis_in(body, other);
        entries.any(|entry| self.catalog.api(ApiId(entry)).ends.iter().any(is_meant))
    }

    /// How deep in `Result` and `Option` the answer of a call lies.
    fn layers_of_answer(&self, call: ProgramCall, asked: CallId) -> u8 {
        let mut entries = self.apis_of(call, asked);
        let returns = entries.find_map(|api| self.catalog.api(ApiId(api)).returns.as_deref());
        returns.map_or(0, wrappers)
    }

    fn apis_of(&self, call: ProgramCall, other: CallId) -> impl Iterator<Item = u32> {
        self.apis_in(self.program.body_of_call(call), other)
    }

    fn apis_in(&self, body: ProgramBody, other: CallId) -> impl Iterator<Item = u32> {
        let targets = self.program.targets(self.program.call_in(body, other));
        targets.iter().filter_map(|target| match target.kind {
            TargetKind::Api(api) => Some(api),
            _ => None,
        })
    }
}

/// The call that gives a variable its only value, or the pair that it is a part of.
pub(crate) fn made_by(facts: &FileFacts, binding: BindingId) -> Option<CallId> {
    let mut own = facts.definitions.iter().filter(|it| it.binding == binding);
    let (Some(only), None) = (own.next(), own.next()) else {
        return None;
    };
    let DefinitionKind::Value(value) = only.kind else {
        return None;
    };
    let made = match facts.expr(value).kind {
        ExprKind::Project {
            base,
            part: Part::Element(_),
        } => base,
        _ => value,
    };
    match facts.expr(made).kind {
        ExprKind::Call(id) => Some(id),
        _ => None,
    }
}

/// The method calls on a variable, if it is used for nothing else.
fn sends(facts: &FileFacts, binding: BindingId) -> Option<Vec<&Call>> {
    let uses = uses(facts, binding).count();
    let calls: Vec<&Call> = facts
        .calls
        .iter()
        .filter(|call| receiver(call).is_some_and(|value| is_use(facts, value, binding)))
        .collect();
    // That a variable is dropped is a call of no method.
    let is_method = |call: &&Call| call.kind == CallKind::Plain;
    (calls.len() == uses).then(|| calls.into_iter().filter(is_method).collect())
}

/// Says whether a call is made at most once for each time that another is: no loop stands between them, and only blocks that run
/// once.
fn is_made_once(facts: &FileFacts, outer: &Call, call: &Call) -> bool {
    let within_loop = facts.regions.iter().any(|region| {
        region.kind == RegionKind::Loop
            && region.span.contains(call.span)
            && !region.span.contains(outer.span)
    });
    let bodies = std::iter::successors(Some(call.body), |body| facts.body(*body).parent);
    let mut between = bodies.take_while(|body| *body != outer.body);
    !within_loop && between.all(|body| facts.body(body).kind == BodyKind::AsyncBlock)
}

/// How many `Result`s and `Option`s a type begins with; that a `bool` in them is true is one more answer.
fn wrappers(text: &str) -> u8 {
    let Some((head, rest)) = text.split_once('<') else {
        return u8::from(text.starts_with("bool"));
    };
    match head.rsplit("::").next() {
        Some("Result" | "Option") => wrappers(rest).saturating_add(1),
        _ => 0,
    }
}

fn is_same_method(facts: &FileFacts, one: &Call, other: &Call) -> bool {
    match (one.callee, other.callee) {
        (Callee::Method { name: one, .. }, Callee::Method { name: other, .. }) => {
            facts.text(one) == facts.text(other)
        }
        _ => false,
    }
}

pub(crate) fn receiver(call: &Call) -> Option<ExprId> {
    match call.callee {
        Callee::Method { receiver, .. } => Some(receiver),
        _ => None,
    }
}

/// The call that a test asks, looked at through variables and what only unwraps, and how many layers of `Ok` and `Some` its
/// answer was found in.
pub(crate) fn answered(facts: &FileFacts, test: &BranchTest) -> Option<(CallId, u8)> {
    let mut layers = match test.shown {
        Shown::Success { layers, .. } => layers,
        Shown::True => 1,
        Shown::None | Shown::Raised => 0,
        _ => return None,
    };
    let mut value = test.value;
    for _ in 0..MOST_STEPS {
        value = match facts.expr(value).kind {
            ExprKind::Use { .. } => only_value(facts, value)?,
            ExprKind::Reference(inner) | ExprKind::Dereference(inner) => inner,
            ExprKind::Try(inner)
            | ExprKind::Project {
                base: inner,
                part: Part::Variant { .. },
            } => {
                layers = layers.saturating_add(1);
                inner
            }
            ExprKind::Call(id) => match unwrapped(facts, id) {
                Some((inner, more)) => {
                    layers = layers.saturating_add(more);
                    inner
                }
                None => return Some((id, layers)),
            },
            _ => return None,
        };
    }
    None
}

/// For a method of `Result` and `Option` that keeps what is asked: its receiver, and whether it takes a layer off.
pub(crate) fn unwrapped(facts: &FileFacts, id: CallId) -> Option<(ExprId, u8)> {
    let Callee::Method { receiver, name } = facts.calls[id.index()].callee else {
        return None;
    };
    match facts.text(name) {
        "unwrap" | "expect" | "unwrap_or_default" => Some((receiver, 1)),
        "unwrap_or" => {
            let other = facts.call_arguments(id).first()?.value;
            let is_no = constant(facts, other, 4) == Some(Constant::Bool(false));
            is_no.then_some((receiver, 1))
        }
        "ok" | "as_ref" | "as_mut" | "as_deref" | "map" | "map_err" | "inspect" | "inspect_err" => {
            Some((receiver, 0))
        }
        _ => None,
    }
}

/// The variable, or the field of one, that an expression names.
fn place(facts: &FileFacts, value: ExprId) -> Option<Place<'_>> {
    let mut fields = Vec::new();
    let mut value = value;
    for _ in 0..MOST_STEPS {
        value = match facts.expr(value).kind {
            ExprKind::Attribute { base, name } => {
                fields.push(name);
                base
            }
            ExprKind::Reference(inner) | ExprKind::Dereference(inner) => inner,
            ExprKind::Use { .. } => {
                let (variable, definitions) = origin(facts, value)?;
                return Some(Place {
                    variable,
                    definitions,
                    fields,
                });
            }
            _ => return None,
        };
    }
    None
}
