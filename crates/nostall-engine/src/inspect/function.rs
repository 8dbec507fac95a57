//! What one function does: the operations that hold a thread, with their risks.

use nostall_catalog::{Api, ApiId, Catalog, Effect};
use nostall_model::explain::{ApiAnswer, FunctionAnswer, Operation};
use nostall_model::finding::RiskReason;
use nostall_model::program::ProgramBody;
use nostall_model::{Confidence, Context};

use super::place_of_call;
use crate::analyse::{Analysis, Answers};
use crate::rules::{Draft, by_category, by_id};

/// Answers for all functions of a name.
pub(super) fn explain(analysis: &Analysis<'_>, bodies: &[ProgramBody]) -> Vec<FunctionAnswer> {
    let answers = analysis.answers();
    bodies
        .iter()
        .map(|body| of_body(analysis, &answers, *body))
        .collect()
}

fn of_body(analysis: &Analysis<'_>, answers: &Answers, body: ProgramBody) -> FunctionAnswer {
    let runs = &answers.runs[body.index()];
    let mut operations = if runs.context == Context::Async {
        in_async(analysis, answers, body)
    } else {
        in_sync(analysis, answers, body)
    };
    operations.sort_by(|left, right| {
        (std::cmp::Reverse(left.risk), &left.at, &left.call).cmp(&(
            std::cmp::Reverse(right.risk),
            &right.at,
            &right.call,
        ))
    });
    FunctionAnswer {
        function: analysis.program.resolved(body).path.clone(),
        context: context_name(runs.context).to_owned(),
        entry: runs.why.as_ref().map_or_else(String::new, |entry| {
            entry.describe(analysis.program.sources)
        }),
        risk: operations.iter().map(|operation| operation.risk).max(),
        operations,
    }
}

pub(super) fn context_name(context: Context) -> &'static str {
    match context {
        Context::Async => "async",
        Context::Sync => "sync",
        Context::Offloaded => "offloaded",
        Context::Unknown => "unknown",
    }
}

/// What rules say of an async body and of the closures that it runs.
fn in_async(analysis: &Analysis<'_>, answers: &Answers, body: ProgramBody) -> Vec<Operation> {
    let own = |draft: &&Draft| answers.runs[draft.body.index()].entry == body;
    let writer = analysis.writer(answers);
    let drafts = answers.drafts.iter().filter(own);
    drafts
        .map(|draft| {
            let finding = writer.finding(draft, &[]);
            let hops = finding.chain.iter();
            Operation {
                rule: finding.rule.id,
                risk: finding.risk,
                call: finding.call().to_owned(),
                via: hops
                    .take(finding.chain.len().saturating_sub(1))
                    .map(|hop| hop.call.clone())
                    .collect(),
                at: super::line::place_text(analysis, finding.place),
                risk_reasons: finding.risk_reasons,
                confidence: finding.confidence,
            }
        })
        .collect()
}

/// What the summary says of a sync body: what its callers wait for.
fn in_sync(analysis: &Analysis<'_>, answers: &Answers, body: ProgramBody) -> Vec<Operation> {
    let effects = answers.summaries.of(body).effects.iter();
    effects
        .map(|effect| {
            let blocking = answers.summaries.sink(effect.sink);
            let (risk, risk_reasons) = effect.placement.grade(blocking);
            let mut names: Vec<String> = analysis
                .writer(answers)
                .chain(body, *effect)
                .into_iter()
                .map(|hop| hop.call)
                .collect();
            Operation {
                rule: by_category(blocking.category).id,
                risk,
                risk_reasons,
                confidence: effect.confidence,
                call: names.pop().unwrap_or_default(),
                via: names,
                at: place_of_call(analysis, effect.call),
            }
        })
        .collect()
}

/// The same answer for an entry of the catalogue.
pub(super) fn of_api(catalog: &Catalog, id: ApiId) -> FunctionAnswer {
    let api = catalog.api(id);
    let blocks = api.effect == Effect::Blocks;
    let operation = api
        .category
        .zip(api.waits)
        .filter(|_| blocks)
        .map(|(category, waits)| Operation {
            rule: by_category(category).id,
            risk: if api.panics {
                nostall_model::Risk::Critical
            } else {
                waits.base_risk()
            },
            risk_reasons: vec![RiskReason {
                code: waits.name(),
                text: waits.describe().to_owned(),
            }],
            confidence: Confidence::Certain,
            call: api.path.to_string(),
            via: Vec::new(),
            at: String::new(),
        });
    debug_assert!(
        operation
            .as_ref()
            .is_none_or(|it| by_id(it.rule.0).is_some())
    );
    FunctionAnswer {
        function: api.path.to_string(),
        context: "library".to_owned(),
        entry: String::new(),
        risk: operation.as_ref().map(|operation| operation.risk),
        operations: operation.into_iter().collect(),
    }
}

/// What the catalogue says of one callable.
pub(super) fn entry(api: &Api) -> ApiAnswer {
    let effect = match api.effect {
        Effect::Blocks => "holds the calling thread",
        Effect::Offloads => "runs what it is given off the executor",
        Effect::Schedules => "hands what it is given to the executor",
        Effect::Runs => "runs what it is given before it returns",
        Effect::Constructs => "makes a value",
        Effect::None => "known to be harmless",
    };
    let mut lines = vec![("effect", effect.to_owned())];
    if !api.why.is_empty() {
        lines.push(("why", api.why.to_string()));
    }
    if let (Some(category), Some(waits)) = (api.category, api.waits) {
        let risk = waits.base_risk().name();
        lines.push(("rule", by_category(category).id.to_string()));
        lines.push(("risk", format!("{risk} ({})", waits.describe())));
    }
    if api.panics {
        lines.push(("panics", "inside an async runtime".to_owned()));
    }
    let instead = api.instead.iter();
    lines.extend(instead.map(|(key, twin)| ("instead", format!("{twin} ({key})"))));
    lines.extend(api.also.iter().map(|also| ("also", also.to_string())));
    if !api.source.is_empty() {
        lines.push(("source", api.source.to_string()));
    }
    ApiAnswer {
        path: api.path.to_string(),
        library: api.library.to_string(),
        lines,
    }
}
