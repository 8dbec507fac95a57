//! The program: what all languages resolved, in one numbering, with the facts at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nostall_model::facts::{
    Body, BodyId, Call, CallId, Callee, FileFacts, Flavour, ItemKind, ParameterKind, Run,
};
use nostall_model::layout::Version;
use nostall_model::program::{
    Captured, ChannelUse, Condition, Guard, Instantiation, Libraries, Mount, Passed, Presence,
    ProgramBody, ProgramCall, Refuted, Resolution, ResolvedBody, ResolvedCall, Target, TargetKind,
    TypeMatch,
};
use nostall_model::{FileId, Language, Sources};
use rustc_hash::FxHashMap;

/// All bodies and calls of all languages.
#[derive(Debug)]
pub struct Program<'a> {
    /// The files.
    pub sources: &'a Sources,
    facts: &'a [FileFacts],
    mounts: Vec<Mount>,
    bodies: Vec<ResolvedBody>,
    calls: Vec<ResolvedCall>,
    targets: Vec<Target>,
    passed: Vec<Passed>,
    conditions: FxHashMap<u32, Condition>,
    instantiations: Vec<(ProgramCall, Instantiation)>,
    type_matches: Vec<TypeMatch>,
    channels: Vec<ChannelUse>,
    captured: Vec<Captured>,
    refuted: Vec<Refuted>,
    guards: Vec<Guard>,
    libraries: BTreeMap<FileId, Arc<Libraries>>,
    reasons: Vec<Box<str>>,
    calls_of: Vec<Run>,
    call_lists: Vec<ProgramCall>,
}

/// Puts what the languages resolved into one program. `facts` are by file.
#[must_use]
pub fn link<'a>(
    sources: &'a Sources,
    facts: &'a [FileFacts],
    resolutions: Vec<Resolution>,
) -> Program<'a> {
    let mut program = Program {
        sources,
        facts,
        mounts: Vec::new(),
        bodies: Vec::new(),
        calls: Vec::new(),
        targets: Vec::new(),
        passed: Vec::new(),
        conditions: FxHashMap::default(),
        instantiations: Vec::new(),
        type_matches: Vec::new(),
        channels: Vec::new(),
        captured: Vec::new(),
        refuted: Vec::new(),
        guards: Vec::new(),
        libraries: BTreeMap::new(),
        reasons: Vec::new(),
        calls_of: Vec::new(),
        call_lists: Vec::new(),
    };
    for resolution in resolutions {
        program.add(resolution);
    }
    program.sort_calls();
    program
        .guards
        .sort_by_key(|guard| (guard.body, guard.keeper));
    program
}

impl Program<'_> {
    fn add(&mut self, resolution: Resolution) {
        let first_body = self.bodies.len() as u32;
        let first_call = self.calls.len() as u32;
        let first_target = self.targets.len() as u32;
        let first_passed = self.passed.len() as u32;
        let shift = |run: Run, by: u32| Run {
            start: run.start + by,
            end: run.end + by,
        };
        let renumber = |mut target: Target| {
            if let TargetKind::Body(body) | TargetKind::Parameter(body, _) = &mut target.kind {
                body.0 += first_body;
            }
            target
        };
        self.mounts
            .extend(resolution.mounts.into_iter().map(|mount| Mount {
                file: mount.file,
                first_body: mount.first_body + first_body,
                first_call: mount.first_call + first_call,
            }));
        self.bodies.extend(resolution.bodies);
        self.libraries.extend(resolution.libraries);
        self.reasons.resize(self.calls.len(), Box::default());
        self.reasons.extend(resolution.reasons);
        self.calls
            .extend(resolution.calls.into_iter().map(|call| ResolvedCall {
                targets: shift(call.targets, first_target),
                passed: shift(call.passed, first_passed),
            }));
        self.targets
            .extend(resolution.targets.into_iter().map(renumber));
        let renumber_passed = |passed: Passed| Passed {
            index: passed.index,
            target: renumber(passed.target),
        };
        let conditions = resolution.conditions.into_iter();
        self.conditions
            .extend(conditions.map(|(target, condition)| (target + first_target, condition)));
        let instantiations = resolution.instantiations.into_iter();
        self.instantiations.extend(
            instantiations
                .map(|(call, instantiation)| (ProgramCall(call.0 + first_call), instantiation)),
        );
        let type_matches = resolution.type_matches.into_iter();
        self.type_matches
            .extend(type_matches.map(|found| TypeMatch {
                call: ProgramCall(found.call.0 + first_call),
                ..found
            }));
        let channels = resolution.channels.into_iter();
        self.channels.extend(channels.map(|found| ChannelUse {
            call: ProgramCall(found.call.0 + first_call),
            ..found
        }));
        let captured = resolution.captured.into_iter();
        self.captured.extend(captured.map(|found| Captured {
            call: ProgramCall(found.call.0 + first_call),
            ..found
        }));
        let refuted = resolution.refuted.into_iter();
        self.refuted.extend(refuted.map(|found| Refuted {
            call: ProgramCall(found.call.0 + first_call),
            ..found
        }));
        self.guards
            .extend(resolution.guards.into_iter().map(|guard| Guard {
                body: ProgramBody(guard.body.0 + first_body),
                ..guard
            }));
        self.passed
            .extend(resolution.passed.into_iter().map(renumber_passed));
    }

    /// Groups the calls by the body that they stand in.
    fn sort_calls(&mut self) {
        let mut lists: Vec<Vec<ProgramCall>> = vec![Vec::new(); self.bodies.len()];
        for mount in &self.mounts {
            for (index, call) in self.facts[mount.file.index()].calls.iter().enumerate() {
                lists[mount.body(call.body).index()].push(mount.call(CallId::new(index)));
            }
        }
        for list in lists {
            let start = self.call_lists.len() as u32;
            self.call_lists.extend(list);
            self.calls_of.push(Run {
                start,
                end: self.call_lists.len() as u32,
            });
        }
    }

    /// Returns the facts of all files, by their numbers.
    #[must_use]
    pub fn all_facts(&self) -> &[FileFacts] {
        self.facts
    }

    /// Returns how a call's callee was found, if that was asked for and is known.
    #[must_use]
    pub fn reason(&self, call: ProgramCall) -> Option<&str> {
        let reason = self.reasons.get(call.index())?;
        (!reason.is_empty()).then_some(&**reason)
    }

    /// Walks all bodies.
    pub fn bodies(&self) -> impl Iterator<Item = ProgramBody> + use<> {
        (0..self.bodies.len() as u32).map(ProgramBody)
    }

    /// Returns how many bodies there are.
    #[must_use]
    pub fn body_count(&self) -> usize {
        self.bodies.len()
    }

    /// Returns what was resolved of a body.
    #[must_use]
    pub fn resolved(&self, body: ProgramBody) -> &ResolvedBody {
        &self.bodies[body.index()]
    }

    /// Returns the calls that stand in a body, in order.
    #[must_use]
    pub fn calls_of(&self, body: ProgramBody) -> &[ProgramCall] {
        &self.call_lists[self.calls_of[body.index()].range()]
    }

    /// Returns what a call may reach.
    #[must_use]
    pub fn targets(&self, call: ProgramCall) -> &[Target] {
        &self.targets[self.calls[call.index()].targets.range()]
    }

    /// Returns under which condition one of a call's targets counts, by its place among them.
    #[must_use]
    pub fn condition(&self, call: ProgramCall, target: usize) -> Option<Condition> {
        if self.conditions.is_empty() {
            return None;
        }
        let first = self.calls[call.index()].targets.start;
        self.conditions.get(&(first + target as u32)).copied()
    }

    /// Returns what a call says of the type parameters of what it calls.
    pub fn instantiations(&self, call: ProgramCall) -> impl Iterator<Item = Instantiation> {
        let start = self.instantiations.partition_point(|(own, _)| *own < call);
        let rest = self.instantiations[start..].iter();
        rest.take_while(move |(own, _)| *own == call)
            .map(|(_, instantiation)| *instantiation)
    }

    /// Says whether a condition of an entry on the type of an argument, by its number, holds at a call.
    #[must_use]
    pub fn type_matches(&self, call: ProgramCall, api: u32, condition: usize) -> bool {
        let start = self.type_matches.partition_point(|own| own.call < call);
        let mut own = self.type_matches[start..]
            .iter()
            .take_while(|own| own.call == call);
        own.any(|own| own.api == api && usize::from(own.condition) == condition)
    }

    /// Returns the calls that make a channel, or wait for room in one.
    #[must_use]
    pub fn channels(&self) -> &[ChannelUse] {
        &self.channels
    }

    /// Returns what a call in async code uses of the code around it.
    #[must_use]
    pub fn captured(&self, call: ProgramCall) -> &[Captured] {
        let start = self.captured.partition_point(|own| own.call < call);
        let end = self.captured.partition_point(|own| own.call <= call);
        &self.captured[start..end]
    }

    /// Says whether what a call gives fails a test for a type in the body that it calls.
    #[must_use]
    pub fn refutes(&self, call: ProgramCall, file: FileId, test: u32) -> bool {
        let start = self.refuted.partition_point(|own| own.call < call);
        let mut own = self.refuted[start..]
            .iter()
            .take_while(|own| own.call == call);
        own.any(|own| (own.file, own.test) == (file, test))
    }

    /// Returns the callables among a call's arguments.
    #[must_use]
    pub fn passed(&self, call: ProgramCall) -> &[Passed] {
        &self.passed[self.calls[call.index()].passed.range()]
    }

    /// Which parameter of a body an argument becomes: a method's receiver is not among the arguments.
    #[must_use]
    pub fn parameter_index(&self, call: ProgramCall, callee: ProgramBody, argument: u16) -> u16 {
        let (facts, record) = self.call(call);
        let body = self.body(callee);
        let parameters = &self.facts(callee).parameters[body.parameters.range()];
        let receiver = parameters
            .first()
            .is_some_and(|first| first.kind == ParameterKind::Receiver);
        // A path of Rust names a method without its receiver; Python binds it, also for constructors.
        let by_method =
            facts.language == Language::Python || matches!(record.callee, Callee::Method { .. });
        let name = facts.arguments[record.arguments.range()]
            .get(usize::from(argument))
            .and_then(|argument| argument.name);
        if let Some(name) = name {
            let own = self.facts(callee);
            let named = parameters.iter().position(|parameter| {
                own.text(own.bindings[parameter.binding.index()].name) == facts.text(name)
            });
            return named.map_or(u16::MAX, |index| index as u16);
        }
        argument + u16::from(receiver && by_method)
    }

    /// Returns the values that hold something while they live in a body.
    #[must_use]
    pub fn guards_of(&self, body: ProgramBody) -> &[Guard] {
        let start = self.guards.partition_point(|guard| guard.body < body);
        let rest = &self.guards[start..];
        &rest[..rest.partition_point(|guard| guard.body == body)]
    }

    /// Walks all values that hold something while they live.
    pub fn guards(&self) -> impl Iterator<Item = &Guard> {
        self.guards.iter()
    }

    /// Returns the number that a call of a body's file has in the program.
    #[must_use]
    pub fn call_in(&self, body: ProgramBody, call: CallId) -> ProgramCall {
        self.mount_of_body(body).call(call)
    }

    /// Returns a body's number in its file.
    #[must_use]
    pub fn file_body(&self, body: ProgramBody) -> BodyId {
        BodyId(body.0 - self.mount_of_body(body).first_body)
    }

    /// Returns a call's number in its file.
    #[must_use]
    pub fn file_call(&self, call: ProgramCall) -> CallId {
        CallId(call.0 - self.mount_of_call(call).first_call)
    }

    /// Says whether the code of a file can use a library, by its name as code writes it.
    #[must_use]
    pub fn uses_library(&self, file: FileId, name: &str) -> bool {
        let own = self.libraries.get(&file);
        own.is_some_and(|libraries| libraries.names.contains(name))
    }

    /// Says whether some code of a language can use a library, by its name as code writes it.
    #[must_use]
    pub fn uses_somewhere(&self, language: Language, name: &str) -> bool {
        let mut all = self.libraries.iter();
        all.any(|(file, libraries)| {
            self.facts[file.index()].language == language && libraries.names.contains(name)
        })
    }

    /// Says whether some code of the program declares a trait of a name.
    #[must_use]
    pub fn declares_trait(&self, name: &str) -> bool {
        self.declares(name, |kind| matches!(kind, ItemKind::Trait { .. }))
    }

    /// Says whether some code of the program declares a function or method of a name.
    #[must_use]
    pub fn declares_function(&self, name: &str) -> bool {
        self.declares(name, |kind| matches!(kind, ItemKind::Function))
    }

    fn declares(&self, name: &str, is_wanted: impl Fn(&ItemKind) -> bool) -> bool {
        self.facts.iter().any(|facts| {
            let mut items = facts.items.iter();
            items.any(|item| {
                let own = item.name.map(|own| facts.text(own));
                is_wanted(&item.kind) && own == Some(name)
            })
        })
    }

    /// Returns the lowest version of its language that a file has to run on, if that is known.
    #[must_use]
    pub fn version_of(&self, file: FileId) -> Option<Version> {
        self.libraries.get(&file)?.version
    }

    /// Returns the features of a library that the manifest of a file asks for, if that is known.
    #[must_use]
    pub fn features_of(&self, file: FileId, library: &str) -> Option<&BTreeSet<String>> {
        self.libraries.get(&file)?.features.get(library)
    }

    /// Returns the first body of the file that a body stands in.
    #[must_use]
    pub fn first_body_beside(&self, body: ProgramBody) -> ProgramBody {
        ProgramBody(self.mount_of_body(body).first_body)
    }

    fn mount_of_body(&self, body: ProgramBody) -> &Mount {
        let after = self
            .mounts
            .partition_point(|mount| mount.first_body <= body.0);
        // A file without bodies shares its number with the next one: the last mount that begins here holds the body.
        &self.mounts[after - 1]
    }

    fn mount_of_call(&self, call: ProgramCall) -> &Mount {
        let after = self
            .mounts
            .partition_point(|mount| mount.first_call <= call.0);
        &self.mounts[after - 1]
    }

    /// Returns the file of a body.
    #[must_use]
    pub fn file(&self, body: ProgramBody) -> FileId {
        self.mount_of_body(body).file
    }

    /// Returns the facts of a body's file.
    #[must_use]
    pub fn facts(&self, body: ProgramBody) -> &FileFacts {
        &self.facts[self.file(body).index()]
    }

    /// Returns a body's record.
    #[must_use]
    pub fn body(&self, body: ProgramBody) -> &Body {
        let mount = self.mount_of_body(body);
        self.facts[mount.file.index()].body(BodyId(body.0 - mount.first_body))
    }

    /// Returns the body that a body is written in.
    #[must_use]
    pub fn parent(&self, body: ProgramBody) -> Option<ProgramBody> {
        let mount = self.mount_of_body(body);
        self.body(body).parent.map(|parent| mount.body(parent))
    }

    /// Returns a call's record, with the facts of its file.
    #[must_use]
    pub fn call(&self, call: ProgramCall) -> (&FileFacts, &Call) {
        let mount = self.mount_of_call(call);
        let facts = &self.facts[mount.file.index()];
        (facts, facts.call(CallId(call.0 - mount.first_call)))
    }

    /// Returns the file of a call.
    #[must_use]
    pub fn file_of_call(&self, call: ProgramCall) -> FileId {
        self.mount_of_call(call).file
    }

    /// Returns the body that a call stands in.
    #[must_use]
    pub fn body_of_call(&self, call: ProgramCall) -> ProgramBody {
        let mount = self.mount_of_call(call);
        mount.body(self.call(call).1.body)
    }

    /// Says whether calling a body runs its code at once.
    #[must_use]
    pub fn runs_when_called(&self, body: ProgramBody) -> bool {
        matches!(self.body(body).flavour, Flavour::Sync | Flavour::Generator)
    }

    /// Says whether a body is part of what is analysed.
    #[must_use]
    pub fn is_present(&self, body: ProgramBody, tests: bool) -> bool {
        match self.resolved(body).presence {
            Presence::Present => true,
            Presence::Test => tests,
            Presence::Absent => false,
        }
    }
}
