//! What findings are written with: paths, places and chains of the program.

use nostall_catalog::{Api, ApiId, Catalog};
use nostall_model::finding::{AlsoAt, Entry, Finding, Form, Hop, HopKind, Place};
use nostall_model::program::{ProgramBody, ProgramCall};

use super::Draft;
use crate::contexts::Runs;
use crate::crowds::Crowds;
use crate::features::Features;
use crate::held::Held;
use crate::program::Program;
use crate::summary::{Effect, Summaries};

/// What a finding is written with.
pub(crate) struct Writer<'a> {
    pub(crate) program: &'a Program<'a>,
    pub(crate) catalog: &'a Catalog,
    pub(crate) summaries: &'a Summaries,
    pub(crate) runs: &'a [Runs],
    pub(crate) held: &'a Held,
    pub(crate) crowds: &'a Crowds,
    /// Features of libraries that the code shows to be on.
    pub(crate) features: &'a Features,
}

impl Writer<'_> {
    /// Writes the finding for one place: the worst draft, the others' apis beside it.
    pub(crate) fn finding(&self, worst: &Draft, others: &[&Draft]) -> Finding {
        worst.check.write(self, worst, others)
    }

    /// What a draft is where another one speaks for it.
    pub(crate) fn also_at(&self, draft: &Draft) -> AlsoAt {
        let call = match draft.way() {
            Some((_, effect)) => match effect.next {
                Some(next) => self.program.resolved(next).path.clone(),
                None => self.api_path(effect),
            },
            None => self.finding(draft, &[]).call().to_owned(),
        };
        AlsoAt {
            place: draft.place,
            call,
        }
    }

    /// Why the code around a draft runs on the executor.
    pub(super) fn entry(&self, body: ProgramBody) -> Entry {
        let why = self.runs[body.index()].why.clone();
        // Only code that runs on the executor has findings, and what runs there says why.
        why.unwrap_or(Entry::Form(Form::AsyncFn))
    }

    /// Where the code around a draft begins to run on the executor.
    pub(super) fn entry_place(&self, body: ProgramBody) -> Place {
        Place {
            file: self.program.file(body),
            span: self.program.body(body).name_span,
        }
    }

    /// The hops from the reported call to the api.
    pub(crate) fn chain(&self, body: ProgramBody, first: Effect) -> Vec<Hop> {
        let steps = self.steps(body, first).into_iter();
        steps
            .map(|(function, effect)| Hop {
                function: self.program.resolved(function).path.clone(),
                place: place(self.program, effect.call),
                call: match effect.next {
                    Some(next) => self.program.resolved(next).path.clone(),
                    None => self.api_path(effect),
                },
                kind: HopKind::Call,
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

    /// The path to speak of for the api that an effect ends in.
    pub(crate) fn api_path(&self, effect: Effect) -> String {
        let api = ApiId(self.summaries.sink(effect.sink).api);
        spoken_path(self.catalog.api(api), &self.callee_text(effect.call)).to_owned()
    }

    /// The callee's name as written, without white space.
    pub(crate) fn callee_text(&self, call: ProgramCall) -> String {
        let place = place(self.program, call);
        let text = &self.program.sources.get(place.file).text;
        let written = text.get(place.span.range()).unwrap_or_default();
        written.split_whitespace().collect::<Vec<_>>().join("")
    }
}

/// The path to speak of where an entry stands for callables of several names: the one that ends like what is written.
fn spoken_path<'a>(api: &'a Api, written: &str) -> &'a str {
    let last = |path: &'a str| path.rsplit([':', '.']).next().unwrap_or(path);
    let name = written.rsplit([':', '.']).next().unwrap_or(written);
    let mut others = api.also.iter().map(|path| &**path);
    match others.find(|path| last(path) == name) {
        Some(other) if last(&api.path) != name => other,
        _ => &api.path,
    }
}

/// The place of a call: its callee's name as written.
pub(super) fn place(program: &Program<'_>, call: ProgramCall) -> Place {
    Place {
        file: program.file_of_call(call),
        span: program.call(call).1.name_span,
    }
}
