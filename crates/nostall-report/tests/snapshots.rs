//! One sample report in every format, held against files. `BLESS=1` rewrites them: read the difference before you commit.

use std::path::Path;

use nostall_model::finding::{
    ApiId, Cause, Code, Entry, Finding, Form, Group, Hop, HopKind, Offload, Place, Problem,
    ProblemCode, Replacement, RiskReason, Rule, Twin, Waits,
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
const PYTHON: &str = "import time\r\nasync def f():\r\n    time.sleep(1)  # \u{1b}[31m\r\n";

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
        replacement: Some(Replacement::Offload(Offload {
            code: Code::of(
                "tokio::task::spawn_blocking(move || util::load(\"ä\")).await.unwrap()".to_owned(),
            ),
            borrowed: Vec::new(),
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
        replacement: Some(Replacement::Twin(Twin {
            path: "asyncio.sleep".to_owned(),
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

#[test]
fn every_format_is_as_recorded() {
    compare(
        "human_80.txt",
        &rendered(
            Format::Human,
            &Options {
                width: 80,
                ..Options::default()
            },
        ),
    );
    let wide = Options {
        width: 140,
        all: true,
        statistics: true,
        ..Options::default()
    };
    compare("human_140.txt", &rendered(Format::Human, &wide));
    compare("report.json", &rendered(Format::Json, &Options::default()));
    compare(
        "report.jsonl",
        &rendered(Format::Jsonl, &Options::default()),
    );
    compare("github.txt", &rendered(Format::Github, &Options::default()));
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
