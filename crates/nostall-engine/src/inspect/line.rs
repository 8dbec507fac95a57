//! All calls of one line: what each may reach, and why it is reported or not.

use nostall_catalog::{ApiId, Effect};
use nostall_model::explain::{
    BodyAnswer, CallAnswer, FindingAnswer, LineAnswer, Stop, TargetAnswer,
};
use nostall_model::facts::{CallKind, Callee, Sink};
use nostall_model::finding::{Finding, Place};
use nostall_model::program::{Presence, ProgramBody, ProgramCall, TargetKind};
use nostall_model::{Context, FileId, Stats};

use super::{named, place_of_call};
use crate::analyse::{Analysis, Answers};
use crate::rules::Draft;
use crate::summary::Use;
use crate::together::AtPlace;

/// Explains a line, counted from 1.
pub(super) fn explain(analysis: &Analysis<'_>, file: FileId, line: u32) -> LineAnswer {
    let answers = analysis.answers();
    let cx = Cx {
        analysis,
        answers: &answers,
        told: analysis.told_together(&answers.drafts, &mut Stats::default()),
    };
    let mut seen = Vec::new();
    let mut calls = Vec::new();
    for body in analysis.program.bodies() {
        if analysis.program.file(body) != file {
            continue;
        }
        for call in analysis.program.calls_of(body) {
            let (_, record) = analysis.program.call(*call);
            let key = (record.name_span, record.kind);
            let lines = analysis.program.sources.lines(file);
            let quiet = record.kind != CallKind::Plain
                && record.kind != CallKind::Macro
                && analysis.program.targets(*call).is_empty();
            if lines.line(record.name_span.start) != line || seen.contains(&key) || quiet {
                continue;
            }
            seen.push(key);
            calls.push(cx.call(body, *call));
        }
    }
    calls.sort_by_key(|call| call.place.span);
    LineAnswer {
        calls,
        findings: cx.findings(file, line),
    }
}

/// `path:line:column` of a place.
pub(super) fn place_text(analysis: &Analysis<'_>, place: Place) -> String {
    let sources = &analysis.program.sources;
    let at = sources.place(place.file, place.span.start);
    format!("{}:{}:{}", sources.get(place.file).path, at.line, at.column)
}

struct Cx<'a> {
    analysis: &'a Analysis<'a>,
    answers: &'a Answers,
    /// What `check` tells as one finding each.
    told: Vec<Vec<AtPlace<'a>>>,
}

impl Cx<'_> {
    // ---- findings

    /// The draft of which `check` speaks where it tells of this one.
    fn speaker(&self, draft: &Draft) -> Option<&Draft> {
        let of_place = |place: &AtPlace<'_>| {
            place.worst.place == draft.place && place.worst.family() == draft.family()
        };
        let mut groups = self.told.iter();
        let group = groups.find(|group| group.iter().any(of_place))?;
        group.first().map(|place| place.worst)
    }

    /// The finding with which `check` tells a draft, if it is none of its own.
    fn told_with(&self, draft: &Draft) -> Option<String> {
        let speaker = self.speaker(draft)?;
        let is_own = speaker.place == draft.place && speaker.subject == draft.subject;
        if is_own || self.hidden(draft).is_some() {
            return None;
        }
        let place = place_text(self.analysis, speaker.place);
        Some(format!("{}, at {place}", speaker.rule.id))
    }

    fn findings(&self, file: FileId, line: u32) -> Vec<FindingAnswer> {
        let lines = self.analysis.program.sources.lines(file);
        let mut seen = Vec::new();
        let mut found = Vec::new();
        for draft in &self.answers.drafts {
            let here = draft.place.file == file && lines.line(draft.place.span.start) == line;
            if !here {
                continue;
            }
            let answer = self.finding(draft);
            let key = (
                answer.finding.place,
                answer.finding.rule.id,
                answer.finding.call().to_owned(),
            );
            if !seen.contains(&key) {
                seen.push(key);
                found.push(answer);
            }
        }
        found.sort_by_key(|answer| {
            (
                answer.finding.place.span,
                std::cmp::Reverse(answer.finding.risk),
                answer.finding.call().to_owned(),
            )
        });
        found
    }

    fn finding(&self, draft: &Draft) -> FindingAnswer {
        let writer = self.analysis.writer(self.answers);
        let finding = writer.finding(draft, &[draft]);
        let how = match draft.way() {
            Some((_, effect)) => writer
                .steps(draft.body, effect)
                .into_iter()
                .map(|(_, effect)| self.how(effect.call))
                .collect(),
            None => vec!["the variable or value lives on there".to_owned()],
        };
        let stops = self.stops(draft, &finding);
        FindingAnswer {
            hidden: self.hidden(draft),
            told_with: self.told_with(draft),
            how,
            stops,
            finding,
        }
    }

    fn hidden(&self, draft: &Draft) -> Option<String> {
        let settings = self.analysis.settings.of(draft.place.file);
        if !settings.is_on(draft.rule.id) {
            return Some(format!("the rule {} is off", draft.rule.id));
        }
        if self.analysis.is_suppressed(draft) {
            return Some("a mark in the source answers it".to_owned());
        }
        if let Some(absent) = self.absent(draft.body) {
            return Some(absent);
        }
        if draft.risk < settings.min_risk {
            return Some(format!(
                "its risk is {}: `--min-risk {}` shows it",
                draft.risk.name(),
                draft.risk.name()
            ));
        }
        (draft.confidence < settings.min_confidence).then(|| {
            format!(
                "it is only {}: `--min-confidence {}` shows it",
                draft.confidence.name(),
                draft.confidence.name()
            )
        })
    }

    /// What `check` says of a call that blocks: as it tells it.
    fn reported(&self, draft: &Draft) -> String {
        match self.speaker(draft) {
            Some(speaker) if speaker.place == draft.place => {
                format!("reported: {}", speaker.rule.id)
            }
            Some(speaker) => format!(
                "reported: {}, together with {}",
                draft.rule.id,
                place_text(self.analysis, speaker.place)
            ),
            None => format!("reported: {}", draft.rule.id),
        }
    }

    /// What would end the way: at the api, at the reported call, at a hop.
    fn stops(&self, draft: &Draft, finding: &Finding) -> Vec<Stop> {
        let mut stops = Vec::new();
        if let Some(replacement) = &finding.replacement {
            stops.push(Stop::Here(replacement.clone()));
        }
        if let Some((_, effect)) = draft.way() {
            let api = self.answers.summaries.sink(effect.sink).api;
            let api = self.analysis.catalog.api(ApiId(api));
            let runtime = self.analysis.program.resolved(draft.body).runtime;
            let keys = runtime.map(|id| self.analysis.catalog.runtime_keys(id));
            let mut keys = keys.into_iter().flatten();
            let twin = keys.find_map(|key| api.instead.get(key));
            if let (Some(twin), true) = (twin, finding.chain.len() > 1) {
                stops.push(Stop::Twin {
                    at: finding.sink(),
                    path: twin.clone(),
                });
            }
        }
        stops.push(Stop::Mark(finding.rule.id));
        stops
    }

    // ---- calls

    fn call(&self, body: ProgramBody, call: ProgramCall) -> CallAnswer {
        let program = self.analysis.program;
        let (_, record) = program.call(call);
        let place = Place {
            file: program.file_of_call(call),
            span: record.name_span,
        };
        let text = &program.sources.get(place.file).text;
        let written = text.get(place.span.range()).unwrap_or_default();
        let targets = program.targets(call).iter();
        CallAnswer {
            place,
            text: written.split_whitespace().collect::<Vec<_>>().join(" "),
            body: self.body(body),
            how: self.how(call),
            targets: targets
                .map(|target| {
                    let (path, kind) = self.target(&target.kind);
                    TargetAnswer {
                        path,
                        kind,
                        confidence: target.confidence,
                    }
                })
                .collect(),
            verdict: self.verdict(body, call),
        }
    }

    fn body(&self, body: ProgramBody) -> BodyAnswer {
        let runs = &self.answers.runs[body.index()];
        BodyAnswer {
            path: self.analysis.program.resolved(body).path.clone(),
            context: runs.context,
            why: runs.why.as_ref().map_or_else(String::new, |entry| {
                entry.describe(self.analysis.program.sources)
            }),
        }
    }

    /// How a callee was found: as the language says, else as it is written.
    fn how(&self, call: ProgramCall) -> String {
        let program = self.analysis.program;
        if let Some(reason) = program.reason(call) {
            return reason.to_owned();
        }
        let (facts, record) = program.call(call);
        match record.callee {
            Callee::Method { name, .. } => format!("the method `{}`", facts.text(name)),
            Callee::Macro(path) => format!("the macro `{}`", facts.path_text(path, "::")),
            Callee::Value(_) => "the name as it is written".to_owned(),
        }
    }

    fn target(&self, kind: &TargetKind) -> (String, &'static str) {
        match kind {
            TargetKind::Body(body) => (
                named(self.analysis, *body),
                if self.analysis.program.runs_when_called(*body) {
                    "function of the program"
                } else {
                    "async function of the program"
                },
            ),
            TargetKind::Api(api) => (
                self.analysis.catalog.api(ApiId(*api)).path.to_string(),
                "entry of the catalogue",
            ),
            TargetKind::External(path) => (path.to_string(), "outside the program"),
            TargetKind::Parameter(body, index) => (
                format!(
                    "parameter {index} of {}",
                    self.analysis.program.resolved(*body).path
                ),
                "callable parameter",
            ),
            TargetKind::Unresolved(reason) => (reason.reason().to_owned(), "not known"),
        }
    }

    // ---- verdicts

    fn verdict(&self, body: ProgramBody, call: ProgramCall) -> String {
        let at = |draft: &&Draft| draft.way().is_some_and(|(own, _)| own == call);
        let drafts = self.answers.drafts.iter().filter(at);
        let mut hidden = None;
        for draft in drafts {
            match self.hidden(draft) {
                None => return self.reported(draft),
                Some(why) => {
                    hidden.get_or_insert(format!("not shown: {} found, but {why}", draft.rule.id));
                }
            }
        }
        if let Some(hidden) = hidden {
            return hidden;
        }
        if let Some(absent) = self.absent(body) {
            return format!("not reported: {absent}");
        }
        let reason = self.silence(body, call);
        format!("not reported: {reason}")
    }

    fn absent(&self, body: ProgramBody) -> Option<String> {
        match self.analysis.program.resolved(body).presence {
            Presence::Present => None,
            Presence::Test if self.analysis.counts(body) => None,
            Presence::Test => Some("it is test code: `--tests` looks at it".to_owned()),
            Presence::Absent => Some("its condition never holds: it is never compiled".to_owned()),
        }
    }

    fn silence(&self, body: ProgramBody, call: ProgramCall) -> String {
        let (_, record) = self.analysis.program.call(call);
        let blocks = self.blocks(call);
        if let Some(blocks) = blocks {
            if self.answers.runs[body.index()].context != Context::Async {
                return format!("{blocks}, but {}", self.elsewhere(body));
            }
            if record.sink == Sink::Awaited {
                return format!("{blocks} unless it is awaited, as it is here: its async form");
            }
            return format!(
                "{blocks}, but not with these arguments, or a mark in the source vouches for it"
            );
        }
        self.harmless(call)
    }

    /// What of a call blocks, if anything does.
    fn blocks(&self, call: ProgramCall) -> Option<String> {
        let program = self.analysis.program;
        program
            .targets(call)
            .iter()
            .find_map(|target| match target.kind {
                TargetKind::Api(api) => {
                    let api = self.analysis.catalog.api(ApiId(api));
                    (api.effect == Effect::Blocks).then(|| format!("`{}` blocks", api.path))
                }
                TargetKind::Body(callee) => {
                    let summary = self.answers.summaries.of(callee);
                    let runs = program.runs_when_called(callee) && !summary.effects.is_empty();
                    runs.then(|| format!("`{}` blocks", program.resolved(callee).path))
                }
                _ => None,
            })
    }

    fn harmless(&self, call: ProgramCall) -> String {
        let program = self.analysis.program;
        let Some(target) = program.targets(call).first() else {
            return "it runs no code: it only makes a value".to_owned();
        };
        match &target.kind {
            TargetKind::Api(api) => {
                let api = self.analysis.catalog.api(ApiId(*api));
                match api.effect {
                    Effect::Offloads => "it runs what it is given off the executor".to_owned(),
                    Effect::Schedules => {
                        "it hands what it is given to the executor: reported in there".to_owned()
                    }
                    Effect::Runs => "it runs what it is given here: reported in there".to_owned(),
                    Effect::Constructs => "it only makes a value".to_owned(),
                    _ => "the catalogue knows it as harmless".to_owned(),
                }
            }
            TargetKind::Body(callee) if !program.runs_when_called(*callee) => {
                "it makes a future: what blocks in there is reported in there".to_owned()
            }
            TargetKind::Body(callee) => format!(
                "nothing that is known to block is reached through {}",
                named(self.analysis, *callee)
            ),
            TargetKind::External(path) => {
                format!("`{path}` is outside the program and the catalogue does not speak of it")
            }
            TargetKind::Parameter(..) => {
                "it runs what its caller passes: judged at each call of this function".to_owned()
            }
            TargetKind::Unresolved(reason) => reason.reason().to_owned(),
        }
    }

    /// Why a body that is not async does not hold an executor, or whose calls do.
    fn elsewhere(&self, body: ProgramBody) -> String {
        if let Some(handed) = self.handed_over(body) {
            return handed;
        }
        let callers = self.async_callers(body);
        if callers.is_empty() {
            return "no async code of the program is known to run this function".to_owned();
        }
        let shown: Vec<&str> = callers.iter().take(5).map(String::as_str).collect();
        let more = callers.len() - shown.len();
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!(
            "this function is not async: it is reported where async code calls it, at {}{rest}",
            shown.join(", ")
        )
    }

    /// A closure that is given to something that runs it elsewhere or later.
    fn handed_over(&self, body: ProgramBody) -> Option<String> {
        let program = self.analysis.program;
        let around = std::iter::successors(Some(body), |body| {
            let own = program.body(*body).item.is_none();
            program.parent(*body).filter(|_| own)
        });
        for closure in around.filter(|body| program.body(*body).item.is_none()) {
            let parent = program.parent(closure)?;
            for call in program.calls_of(parent) {
                let given = |passed: &nostall_model::program::Passed| matches!(passed.target.kind, TargetKind::Body(given) if given == closure);
                if program.passed(*call).iter().any(given) {
                    let to = self.receiver_of_callable(*call);
                    return Some(format!(
                        "it stands in a closure that is given to {to} at {}",
                        place_of_call(self.analysis, *call)
                    ));
                }
            }
        }
        None
    }

    fn receiver_of_callable(&self, call: ProgramCall) -> String {
        let Some(target) = self.analysis.program.targets(call).first() else {
            return "a value".to_owned();
        };
        let (path, _) = self.target(&target.kind);
        let what = match &target.kind {
            TargetKind::Api(api) => match self.analysis.catalog.api(ApiId(*api)).effect {
                Effect::Offloads => ", which runs it off the executor",
                _ => "",
            },
            TargetKind::Body(callee) => {
                let summary = self.answers.summaries.of(*callee);
                match summary.uses.first().map(|use_| use_.what) {
                    Some(Use::Offloaded) => ", which runs it off the executor",
                    Some(Use::Inline) => ", which runs it before it returns",
                    Some(Use::Scheduled) => ", which hands it to the executor",
                    None => ", which keeps it",
                }
            }
            _ => "",
        };
        format!("`{path}`{what}")
    }

    /// The async code that reaches a function through sync ones.
    fn async_callers(&self, body: ProgramBody) -> Vec<String> {
        let program = self.analysis.program;
        let callers = super::graph::callers(program);
        let mut open = vec![body];
        let mut seen = open.clone();
        let mut found = Vec::new();
        while let Some(callee) = open.pop() {
            for caller in callers.get(&callee).into_iter().flatten().copied() {
                let from = program.body_of_call(caller);
                if self.answers.runs[from.index()].context == Context::Async {
                    found.push(place_of_call(self.analysis, caller));
                } else if !seen.contains(&from) && seen.len() < 2000 {
                    seen.push(from);
                    open.push(from);
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }
}
