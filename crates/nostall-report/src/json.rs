//! JSON: the fields of the public contract, in their order. Fields never change meaning.

use std::io::{self, Write};

use nostall_model::finding::{
    Applicability, Hop, Place, Problem, Reach, Replacement, RiskReason, UnresolvedCall,
};
use nostall_model::{Category, Confidence, Finding, Language, Report, Risk, Sources, Stats};
use serde::Serialize;

use crate::{Options, chosen, sentences};

/// The version of the form; it grows when a field goes or changes its meaning.
const SCHEMA_VERSION: u32 = 1;

/// Writes one value for the whole report.
pub(crate) fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let sources = &report.sources;
    let whole = Whole {
        schema_version: SCHEMA_VERSION,
        findings: chosen(report, options)
            .into_iter()
            .map(|finding| entry(sources, finding))
            .collect(),
        problems: report
            .problems
            .iter()
            .map(|problem| problem_entry(sources, problem))
            .collect(),
        unresolved: options.unresolved.then(|| {
            report
                .unresolved
                .iter()
                .map(|call| unresolved(sources, call))
                .collect()
        }),
        repairs: report
            .repairs
            .iter()
            .map(|repair| RepairEntry {
                function: &repair.function,
                place: place_entry(sources, repair.place),
                removes: repair.removes.len(),
            })
            .collect(),
        stats: &report.stats,
    };
    serde_json::to_writer_pretty(&mut *out, &whole)?;
    writeln!(out)
}

/// Writes one value a finding, each on its own line.
pub(crate) fn render_lines(
    report: &Report,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in chosen(report, options) {
        serde_json::to_writer(&mut *out, &entry(&report.sources, finding))?;
        writeln!(out)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Whole<'a> {
    schema_version: u32,
    findings: Vec<Entry<'a>>,
    problems: Vec<ProblemEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unresolved: Option<Vec<UnresolvedEntry<'a>>>,
    repairs: Vec<RepairEntry<'a>>,
    stats: &'a Stats,
}

/// A function whose repair removes this many findings, once those before it are repaired.
#[derive(Serialize)]
struct RepairEntry<'a> {
    function: &'a str,
    #[serde(flatten)]
    place: PlaceEntry<'a>,
    removes: usize,
}

/// A finding.
#[derive(Serialize)]
struct Entry<'a> {
    rule: &'static str,
    risk: Risk,
    risk_reasons: &'a [RiskReason],
    confidence: Confidence,
    language: Language,
    category: Option<Category>,
    path: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    function: &'a str,
    entry: String,
    call: &'a str,
    reach: Reach,
    chain: Vec<HopEntry<'a>>,
    sink: PlaceEntry<'a>,
    also: &'a [String],
    also_at: Vec<CallEntry<'a>>,
    held: Option<LockEntry<'a>>,
    message: String,
    replacement: Option<String>,
    advice: Vec<AdviceEntry<'a>>,
    fix: Option<FixEntry<'a>>,
    fingerprint: &'a str,
}

/// One way to mend a finding, the best first; `replacement` says all of them in words.
#[derive(Serialize)]
struct AdviceEntry<'a> {
    /// `twin`, `offload`, `offload-block`, `offload-part`, `sync-endpoint`, `words`.
    kind: &'static str,
    /// The async function, or the function that runs work off the executor.
    path: Option<&'a str>,
    /// The library that the project lacks for it.
    library: Option<&'a str>,
    /// An expression that takes the call's place.
    code: Option<&'a str>,
    /// Where the call begins, a byte offset in the file as it is on disk; none where the code is a statement of its own.
    start: Option<u32>,
    /// Where it ends.
    end: Option<u32>,
    /// Statements that go before.
    before: &'a [String],
    /// The import that the file lacks for it.
    import: Option<&'a str>,
    /// What has to be owned first, as written.
    borrowed: &'a [String],
    /// The features of libraries that the manifest does not ask for.
    features: Vec<FeatureEntry<'a>>,
}

#[derive(Serialize)]
struct FeatureEntry<'a> {
    library: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct HopEntry<'a> {
    function: &'a str,
    #[serde(flatten)]
    place: PlaceEntry<'a>,
    call: &'a str,
}

/// Another call of the same statement.
#[derive(Serialize)]
struct CallEntry<'a> {
    #[serde(flatten)]
    place: PlaceEntry<'a>,
    call: &'a str,
}

/// A lock that is held meanwhile, and where it is taken.
#[derive(Serialize)]
struct LockEntry<'a> {
    guard: &'a str,
    #[serde(flatten)]
    place: PlaceEntry<'a>,
}

#[derive(Serialize)]
struct PlaceEntry<'a> {
    path: &'a str,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct FixEntry<'a> {
    applicability: Applicability,
    edits: Vec<EditEntry<'a>>,
}

/// Byte offsets in the file as it is on disk.
#[derive(Serialize)]
struct EditEntry<'a> {
    path: &'a str,
    start: u32,
    end: u32,
    text: &'a str,
}

#[derive(Serialize)]
struct ProblemEntry<'a> {
    code: &'static str,
    path: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    message: &'a str,
}

#[derive(Serialize)]
struct UnresolvedEntry<'a> {
    #[serde(flatten)]
    place: PlaceEntry<'a>,
    function: &'a str,
    text: &'a str,
    reason: String,
}

fn entry<'a>(sources: &'a Sources, finding: &'a Finding) -> Entry<'a> {
    let Place { file, span } = finding.place;
    let (start, end) = (
        sources.place(file, span.start),
        sources.place(file, span.end),
    );
    Entry {
        rule: finding.rule.id.0,
        risk: finding.risk,
        risk_reasons: &finding.risk_reasons,
        confidence: finding.confidence,
        language: finding.language,
        category: finding.category,
        path: &sources.get(file).path,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        function: &finding.function,
        entry: finding.entry.describe(sources),
        call: finding.call(),
        reach: finding.reach(),
        chain: finding
            .chain
            .iter()
            .map(|hop| hop_entry(sources, hop))
            .collect(),
        sink: place_entry(sources, finding.sink()),
        also: &finding.also,
        also_at: finding
            .also_at
            .iter()
            .map(|also| CallEntry {
                place: place_entry(sources, also.place),
                call: &also.call,
            })
            .collect(),
        held: finding.held.as_ref().map(|held| LockEntry {
            guard: &held.guard,
            place: place_entry(sources, held.place),
        }),
        message: sentences::message(finding),
        replacement: finding.replacement.as_ref().map(sentences::replacement),
        advice: finding
            .replacement
            .iter()
            .flat_map(Replacement::choices)
            .map(advice)
            .collect(),
        fix: finding.fix.as_ref().map(|fix| FixEntry {
            applicability: fix.applicability,
            edits: fix
                .edits
                .iter()
                .map(|edit| EditEntry {
                    path: &sources.get(edit.place.file).path,
                    start: edit.place.span.start,
                    end: edit.place.span.end,
                    text: &edit.text,
                })
                .collect(),
        }),
        fingerprint: &finding.fingerprint,
    }
}

fn advice(replacement: &Replacement) -> AdviceEntry<'_> {
    let (kind, path, library, borrowed): (_, _, _, &[String]) = match replacement {
        Replacement::Twin(twin) => (
            "twin",
            Some(twin.path.as_str()),
            twin.library.as_deref(),
            &[],
        ),
        Replacement::Offload(offload) => ("offload", None, None, &offload.borrowed),
        Replacement::OffloadBlock { offloader, .. } => {
            ("offload-block", Some(offloader.as_str()), None, &[])
        }
        Replacement::OffloadPart { offloader, .. } => {
            ("offload-part", Some(offloader.as_str()), None, &[])
        }
        Replacement::SyncEndpoint { .. } => ("sync-endpoint", None, None, &[]),
        Replacement::AwaitElsewhere { .. }
        | Replacement::Guarded(_)
        | Replacement::IfFree { .. }
        | Replacement::Choice(_)
        | Replacement::Words(_) => ("words", None, None, &[]),
    };
    let code = replacement.code();
    let replaces = code.and_then(|code| code.replaces);
    AdviceEntry {
        kind,
        path,
        library,
        code: code.map(|code| code.expression.as_str()),
        start: replaces.map(|span| span.start),
        end: replaces.map(|span| span.end),
        before: code.map_or(&[], |code| &code.before),
        import: code.and_then(|code| code.import.as_deref()),
        borrowed,
        features: replacement
            .features()
            .iter()
            .map(|feature| FeatureEntry {
                library: &feature.library,
                name: &feature.name,
            })
            .collect(),
    }
}

fn hop_entry<'a>(sources: &'a Sources, hop: &'a Hop) -> HopEntry<'a> {
    HopEntry {
        function: &hop.function,
        place: place_entry(sources, hop.place),
        call: &hop.call,
    }
}

fn place_entry(sources: &Sources, place: Place) -> PlaceEntry<'_> {
    let at = sources.place(place.file, place.span.start);
    PlaceEntry {
        path: &sources.get(place.file).path,
        line: at.line,
        column: at.column,
    }
}

fn problem_entry<'a>(sources: &Sources, problem: &'a Problem) -> ProblemEntry<'a> {
    let at = problem
        .place
        .map(|place| sources.place(place.file, place.span.start));
    ProblemEntry {
        code: problem.code.name(),
        path: &problem.path,
        line: at.map(|at| at.line),
        column: at.map(|at| at.column),
        message: &problem.message,
    }
}

fn unresolved<'a>(sources: &'a Sources, call: &'a UnresolvedCall) -> UnresolvedEntry<'a> {
    UnresolvedEntry {
        place: place_entry(sources, call.place),
        function: &call.function,
        text: &call.text,
        reason: sentences::unknown(call),
    }
}
