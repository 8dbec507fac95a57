//! Calls in async code that hold the executor: found through summaries, worded per kind of wait.

use nostall_catalog::{Api, ApiId};
use nostall_model::finding::{Finding, Hop};
use nostall_model::program::{ProgramBody, ProgramCall, Runtime};
use nostall_model::{Context, Language, Waits};

use super::by_category;
use super::draft::{Draft, Matter, Writer, place};
use crate::contexts::Runs;
use crate::sinks::Blocking;
use crate::startup::Startup;
use crate::summary::{Basis, Effect, Summaries, effects_of_call};

/// Finds all ways in which calls of async bodies block, each as a draft.
pub(super) fn find(
    basis: Basis<'_>,
    summaries: &mut Summaries,
    runs: &[Runs],
    startup: &Startup,
) -> Vec<Draft> {
    let program = basis.program;
    let mut drafts = Vec::new();
    for body in program
        .bodies()
        .filter(|body| runs[body.index()].context == Context::Async)
    {
        let around = &runs[body.index()];
        for call in program.calls_of(body) {
            for effect in effects_of_call(basis, body, *call, summaries) {
                if effect.condition.is_some_and(|condition| condition.strict) {
                    continue;
                }
                let blocking = summaries.sink(effect.sink);
                let placement = effect
                    .placement
                    .and(around.placement)
                    .and(startup.placement(around.entry, *call));
                let (risk, reasons) = placement.grade(blocking);
                drafts.push(Draft {
                    rule: by_category(blocking.category).id,
                    risk,
                    reasons,
                    confidence: effect.confidence.min(around.confidence),
                    body,
                    place: place(program, *call),
                    statement: program.call(*call).1.statement,
                    matter: Matter::Blocks(*call, effect),
                });
            }
        }
    }
    drafts
}

impl Writer<'_> {
    /// Writes the finding for a call that blocks.
    pub(super) fn blocking(
        &self,
        draft: &Draft,
        call: ProgramCall,
        effect: Effect,
        others: &[&Draft],
    ) -> Finding {
        let blocking = self.summaries.sink(effect.sink);
        let api = self.catalog.api(ApiId(blocking.api));
        let runs = &self.runs[draft.body.index()];
        let chain = self.chain(draft.body, effect);
        let called = chain.last().map_or(&*api.path, |hop| hop.call.as_str());
        Finding {
            rule: draft.rule,
            risk: draft.risk,
            risk_reasons: draft.reasons.clone(),
            confidence: draft.confidence,
            language: api.language(),
            category: blocking.category,
            place: draft.place,
            statement: draft.statement,
            function: self.program.resolved(runs.entry).path.clone(),
            entry: runs.why.clone(),
            entry_place: Some(self.entry_place(runs.entry)),
            call: called.to_owned(),
            message: message(
                api,
                blocking,
                called,
                chain.first().filter(|_| chain.len() > 1),
            ),
            why: api.why.to_string(),
            replacement: self.replacement(draft.body, call, api, &chain),
            also: self.also(called, others),
            chain,
            fix: None,
            fingerprint: String::new(),
        }
    }

    /// The hops from the reported call to the api.
    pub(crate) fn chain(&self, body: ProgramBody, first: Effect) -> Vec<Hop> {
        let steps = self.steps(body, first).into_iter();
        steps
            .map(|(function, effect)| Hop {
                function: self.program.resolved(function).path.clone(),
                place: self.place(effect.call),
                call: match effect.next {
                    Some(next) => self.program.resolved(next).path.clone(),
                    None => self.api_path(effect),
                },
            })
            .collect()
    }

    /// The steps from a body to the api: each with the body that its call stands in.
    pub(crate) fn steps(&self, body: ProgramBody, first: Effect) -> Vec<(ProgramBody, Effect)> {
        let mut steps = Vec::new();
        let mut effect = first;
        let mut function = body;
        // A way is never longer than there are bodies; recursion among equals ends here at the latest.
        for _ in 0..64 {
            steps.push((function, effect));
            let deeper = effect
                .next
                .and_then(|next| self.summaries.effect(next, effect.sink, effect.under));
            let Some(deeper) = deeper else { break };
            effect = *deeper;
            function = self.program.body_of_call(deeper.call);
        }
        steps
    }

    fn also(&self, called: &str, others: &[&Draft]) -> Vec<String> {
        let mut also: Vec<String> = others
            .iter()
            .filter_map(|draft| match draft.matter {
                Matter::Blocks(_, effect) => Some(self.api_path(effect)),
                Matter::Holds(_) => None,
            })
            .collect();
        also.sort();
        also.dedup();
        also.retain(|path| path != called);
        also
    }

    /// What to use instead: the entry's own twin for this runtime where the api is called here, else one of a library that
    /// the file imports, else the runtime's way to move the work away.
    fn replacement(
        &self,
        body: ProgramBody,
        call: ProgramCall,
        api: &Api,
        chain: &[Hop],
    ) -> Option<String> {
        let runtime = self.program.resolved(body).runtime;
        let name = self.callee_text(call);
        let away = offload(runtime, api.panics, &name);
        if chain.len() > 1 {
            return Some(away);
        }
        if let Some(twin) = api.instead.get(runtime.key()) {
            return Some(format!("`{twin}`"));
        }
        let names = &self.program.facts(body).names;
        let libraries: Vec<_> = api
            .instead
            .iter()
            .filter(|(key, _)| !is_runtime(key))
            .collect();
        let known = libraries.iter().find(|(key, _)| names.find(key).is_some());
        match (known, libraries.as_slice()) {
            (Some((_, twin)), _) => Some(format!("`{twin}`")),
            (None, []) => Some(away),
            (None, several) => {
                let twins: Vec<String> = several
                    .iter()
                    .map(|(key, twin)| format!("`{twin}` ({key})"))
                    .collect();
                Some(format!("{}, or {away}", twins.join(" or ")))
            }
        }
    }
}

fn is_runtime(key: &str) -> bool {
    const ALL: [Runtime; 6] = [
        Runtime::Tokio,
        Runtime::AsyncStd,
        Runtime::Smol,
        Runtime::Asyncio,
        Runtime::Trio,
        Runtime::Anyio,
    ];
    ALL.iter().any(|runtime| runtime.key() == key)
}

/// The runtime's own way to move work off the executor.
fn offload(runtime: Runtime, panics: bool, callee: &str) -> String {
    if panics {
        return "`.await` instead of starting a runtime, or a thread of its own".to_owned();
    }
    match runtime {
        Runtime::Tokio => format!("`tokio::task::spawn_blocking(move || {callee}(..)).await`"),
        Runtime::AsyncStd => {
            format!("`async_std::task::spawn_blocking(move || {callee}(..)).await`")
        }
        Runtime::Smol => format!("`smol::unblock(move || {callee}(..)).await`"),
        Runtime::Asyncio => format!("`await asyncio.to_thread({callee}, ..)`"),
        Runtime::Trio => format!("`await trio.to_thread.run_sync({callee}, ..)`"),
        Runtime::Anyio => format!("`await anyio.to_thread.run_sync({callee}, ..)`"),
    }
}

/// What happens, about the user's code: the called helper where there is one, else the api.
fn message(api: &Api, blocking: &Blocking, called: &str, helper: Option<&Hop>) -> String {
    let subject = helper.map_or(called, |hop| hop.call.as_str());
    let executor = match api.language() {
        Language::Rust => "executor thread",
        Language::Python => "event loop",
    };
    let doing = match api.waits {
        Some(Waits::Timer) => format!("puts the {executor} to sleep"),
        Some(Waits::Network) => format!("holds the {executor} for a network round trip"),
        Some(Waits::Cpu) => format!("computes on the {executor}"),
        Some(Waits::Disk) => format!("holds the {executor} while the disk works"),
        Some(Waits::Metadata) => format!("holds the {executor} for a file-system call"),
        Some(Waits::Brief) => format!("holds the {executor} for a moment"),
        Some(Waits::Unbounded) | None => format!("can hold the {executor} without a bound"),
    };
    let through = helper.map_or_else(String::new, |_| format!(", through `{called}`"));
    debug_assert_eq!(api.category, Some(blocking.category));
    format!("`{subject}` {doing}{through}")
}
