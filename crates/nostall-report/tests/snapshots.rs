//! One sample report in every format, held against files. `BLESS=1` rewrites them: read the difference before you commit.

use std::path::Path;

use nostall_model::finding::{
    AlsoAt, ApiId, Cause, Code, Entry, Finding, Form, Group, HeldLock, Hop, HopKind, Offload,
    Place, Problem, ProblemCode, Repair, Replacement, RiskReason, Rule, Twin, Waits,
};
use nostall_model::{
    Category, Confidence, FileId, Language, Report, Risk, Role, RuleId, Source, Sources, Span,
    Stats,
};
use nostall_report::{Format, Options, render, render_problems};

static FS: Rule = Rule {
    id: RuleId("blocking-fs"),
    group: Group::Blocking,
    summary: "file and folder access on the executor",
    page: "docs/rules/blocking-fs.md",
};
static SLEEP: Rule = Rule {
    id: RuleId("blocking-sleep"),
    group: Group::Blocking,
    summary: "sleeping on the executor",
    page: "docs/rules/blocking-sleep.md",
};
const MAIN: &str = "mod util;\n\nasync fn handler() {\n\tutil::load(\"ä\"); // tab and two bytes\n    util::load(\"b\");\n}\n";
const UTIL: &str = "pub fn load(name: &str) {\n    std::fs::read(name);\n}\n";
const PYTHON: &str =
    "import time\r\nasync def f():\r\n    time.sleep(1), time.sleep(2)  # \u{1b}[31m\r\n";

fn place(sources: &Sources, file: FileId, nth: usize, text: &str) -> Place {
    let whole = &sources.get(file).text;
    let (start, _) = whole
        .match_indices(text)
        .nth(nth)
        .expect("the sample has it");
    Place {
        file,
        span: Span::new(start, start + text.len()),
    }
}

fn source(path: &str, language: Language, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        language,
        role: Role::Report,
        text: text.into(),
        decoded: false,
    }
}

fn chain(sources: &Sources, main: FileId, util: FileId, nth: usize) -> Finding {
    let call = place(sources, main, nth, "util::load");
    let sink = place(sources, util, 0, "std::fs::read");
    Finding {
        rule: &FS,
        risk: Risk::Medium,
        risk_reasons: vec![RiskReason {
            code: "disk",
            text: "reads or writes the disk".to_owned(),
        }],
        confidence: Confidence::Certain,
        language: Language::Rust,
        category: Some(Category::Fs),
        place: call,
        statement: call.span,
        function: "app::handler".to_owned(),
        entry: Entry::Form(Form::AsyncFn),
        entry_place: Some(place(sources, main, 0, "handler")),
        cause: Cause::Call {
            api: ApiId(0),
            path: "std::fs::read".to_owned(),
            waits: Waits::Disk,
            panics: false,
            why: "Reads the whole file before the thread goes on.".to_owned(),
        },
        chain: vec![
            Hop {
                function: "app::handler".to_owned(),
                place: call,
                call: "app::util::load".to_owned(),
                kind: HopKind::Call,
            },
            Hop {
                function: "app::util::load".to_owned(),
                place: sink,
                call: "std::fs::read".to_owned(),
                kind: HopKind::Call,
            },
        ],
        also: vec!["std::fs::metadata".to_owned()],
        also_at: Vec::new(),
        held: Some(HeldLock {
            guard: "std::sync::MutexGuard".to_owned(),
            place: place(sources, main, 0, "handler"),
        }),
        replacement: Some(Replacement::Offload(Offload {
            code: Code::of(
                "tokio::task::spawn_blocking(move || util::load(\"ä\")).await.unwrap()".to_owned(),
                call.span,
            ),
            borrowed: Vec::new(),
            unclonable: false,
            features: Vec::new(),
            awaits: true,
        })),
        fix: None,
        fingerprint: format!("{nth:016x}"),
    }
}

fn direct(sources: &Sources, file: FileId) -> Finding {
    let call = place(sources, file, 0, "time.sleep");
    Finding {
        rule: &SLEEP,
        risk: Risk::Critical,
        risk_reasons: vec![RiskReason {
            code: "timer",
            text: "sleeps for 1 s".to_owned(),
        }],
        confidence: Confidence::Certain,
        language: Language::Python,
        category: Some(Category::Sleep),
        place: call,
        statement: call.span,
        function: "jobs.f".to_owned(),
        entry: Entry::Form(Form::AsyncDef),
        entry_place: None,
        cause: Cause::Call {
            api: ApiId(1),
            path: "time.sleep".to_owned(),
            waits: Waits::Timer,
            panics: false,
            why: "Holds the thread for the whole time.".to_owned(),
        },
        chain: vec![Hop {
            function: "jobs.f".to_owned(),
            place: call,
            call: "time.sleep".to_owned(),
            kind: HopKind::Call,
        }],
        also: Vec::new(),
        also_at: vec![AlsoAt {
            place: place(sources, file, 1, "time.sleep"),
            call: "time.sleep".to_owned(),
        }],
        held: None,
        replacement: Some(Replacement::Twin(Twin {
            path: "asyncio.sleep".to_owned(),
            of_handle: false,
            features: Vec::new(),
            library: None,
            code: None,
        })),
        fix: None,
        fingerprint: "00000000000000ff".to_owned(),
    }
}

fn sample() -> Report {
    let mut sources = Sources::default();
    let main = sources.add(source("src/main.rs", Language::Rust, MAIN));
    let util = sources.add(source("src/util.rs", Language::Rust, UTIL));
    let python = sources.add(source("jobs.py", Language::Python, PYTHON));
    let findings = vec![
        direct(&sources, python),
        chain(&sources, main, util, 0),
        chain(&sources, main, util, 1),
    ];
    let repair = Repair {
        function: "app::util::load".to_owned(),
        place: place(&sources, util, 0, "load"),
        removes: vec![1, 2],
    };
    let problem = Problem {
        path: "jobs.py".to_owned(),
        place: Some(place(&sources, python, 0, "async")),
        code: ProblemCode::Syntax,
        message: "this statement cannot be read".to_owned(),
    };
    let mut stats = Stats {
        files: 3,
        async_bodies: 2,
        calls: 4812,
        resolved_calls: 4600,
        external_calls: 150,
        unknown_calls: 62,
        hidden_by_risk: 10,
        hidden_by_confidence: 2,
        suppressed: 1,
        ..Stats::default()
    };
    stats.by_rule.insert("blocking-fs".to_owned(), 2);
    stats.by_rule.insert("blocking-sleep".to_owned(), 1);
    Report {
        sources,
        findings,
        repairs: vec![repair],
        problems: vec![problem],
        unresolved: Vec::new(),
        stats,
    }
}

fn compare(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, text).expect("written");
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        known.replace("\r\n", "\n") == text,
        "{name} differs, `BLESS=1 cargo test` accepts:\n{text}"
    );
}

fn rendered(format: Format, options: &Options) -> String {
    let mut bytes = Vec::new();
    render(&sample(), format, options, &mut bytes).expect("a vector takes all");
    String::from_utf8(bytes).expect("text")
}

fn human(width: usize) -> Options {
    Options {
        width,
        ..Options::default()
    }
}

#[test]
fn every_format_is_as_recorded() {
    let all = Options {
        all: true,
        statistics: true,
        ..human(140)
    };
    let summary = Options {
        summary: true,
        ..human(80)
    };
    let colour = Options {
        color: true,
        ..human(80)
    };
    for (name, format, options) in [
        ("human_50.txt", Format::Human, &human(50)),
        ("human_80.txt", Format::Human, &human(80)),
        ("human_140.txt", Format::Human, &all),
        ("human_colour.txt", Format::Human, &colour),
        ("summary.txt", Format::Human, &summary),
        ("concise.txt", Format::Concise, &human(80)),
        ("report.json", Format::Json, &human(80)),
        ("report.jsonl", Format::Jsonl, &human(80)),
        ("github.txt", Format::Github, &human(80)),
    ] {
        compare(name, &rendered(format, options));
    }
}

#[test]
fn the_worst_are_chosen_and_the_rest_is_counted() {
    let options = Options {
        max_findings: Some(1),
        ..Options::default()
    };
    let text = rendered(Format::Human, &options);
    assert!(
        text.contains("jobs.py:3:5") && !text.contains("main.rs"),
        "{text}"
    );
    assert!(
        text.contains("Not shown: 2 beyond `--max-findings 1`, 10 below"),
        "{text}"
    );
    assert!(text.contains("3 findings: 1 critical, 2 medium"), "{text}");
    let lines = rendered(Format::Concise, &options);
    assert_eq!(lines.lines().count(), 1, "{lines}");
    assert!(
        lines.starts_with("jobs.py:3:5: critical[blocking-sleep] "),
        "{lines}"
    );
}

#[test]
fn nothing_is_wider_than_the_terminal_but_what_must_stay_whole() {
    for width in [40, 50, 60, 80, 100, 140] {
        for line in rendered(Format::Human, &human(width)).lines() {
            let whole = [
                "spawn_blocking",
                "std::fs::read_to_string",
                "app::util::load",
                "--min-risk low",
            ];
            let fits = line.chars().count() <= width;
            assert!(
                fits || whole.iter().any(|word| line.contains(word)),
                "{width}: {line}"
            );
        }
    }
}

/// What a run without findings says of what was hidden, unknown or not read.
fn without_findings(stats: Stats) -> String {
    let report = Report {
        stats,
        ..Report::default()
    };
    let mut bytes = Vec::new();
    render(&report, Format::Human, &human(200), &mut bytes).expect("a vector takes all");
    let text = String::from_utf8(bytes).expect("text");
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn no_findings_are_told_with_what_is_not_known() {
    let clean = Stats {
        files: 3,
        async_bodies: 12,
        calls: 100,
        resolved_calls: 100,
        ..Stats::default()
    };
    assert_eq!(
        without_findings(clean.clone()),
        "No blocking calls found: 12 async functions in 3 files."
    );
    assert_eq!(
        without_findings(Stats {
            resolved_calls: 63,
            unknown_calls: 37,
            skipped_files: 1,
            ..clean.clone()
        }),
        "No blocking calls found: 12 async functions in 3 files, but 37 % of their calls are unknown and 1 file was not read."
    );
    assert_eq!(
        without_findings(Stats {
            hidden_by_risk: 3,
            hidden_by_baseline: 8,
            ..clean.clone()
        }),
        "No finding is shown: 3 below `--min-risk medium`, 8 in the baseline (`--min-risk low` shows more); 12 async functions in 3 files."
    );
    assert_eq!(
        without_findings(Stats {
            hidden_by_rule: 2,
            ..clean.clone()
        }),
        "No finding is shown: 2 of rules that are off; 12 async functions in 3 files."
    );
    assert_eq!(
        without_findings(Stats {
            async_bodies: 0,
            test_bodies: 1,
            files: 1,
            ..Stats::default()
        }),
        "No async code found in 1 file but 1 async function of tests: `--tests` looks at it."
    );
    assert_eq!(
        without_findings(Stats {
            skipped_files: 2,
            ..Stats::default()
        }),
        "No async code found in 0 files, but 2 files were not read."
    );
}

#[test]
fn problems_are_a_line_each() {
    let report = sample();
    let mut bytes = Vec::new();
    render_problems(&report, &report.problems, &mut bytes).expect("a vector takes all");
    assert_eq!(
        String::from_utf8_lossy(&bytes),
        "warning[syntax]: jobs.py:2:1: this statement cannot be read\n"
    );
}

#[test]
fn colour_and_control_characters() {
    assert!(
        !rendered(Format::Human, &Options::default()).contains('\u{1b}'),
        "the source must not speak to the terminal"
    );
    assert!(
        rendered(
            Format::Human,
            &Options {
                color: true,
                ..Options::default()
            }
        )
        .contains('\u{1b}')
    );
}
