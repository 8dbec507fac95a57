//! Half-written files: every prefix of every fixture is read without a panic, and what is found lies inside it. A broken item
//! leaves what is found in all others.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use nostall_engine::languages::front_end;
use nostall_engine::project::language_of;
use nostall_model::{Role, Source};

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the workspace");
    let folder = root.join("fixtures/check");
    testkit::fixtures(&folder)
        .iter()
        .flat_map(|fixture| testkit::files(fixture))
        .collect()
}

/// Reads a text; the number of calls in it.
fn calls(path: &Path, text: &str) -> usize {
    let language = language_of(path).expect("a source file");
    let source = Source {
        path: "a".to_owned(),
        language,
        role: Role::Report,
        text: text.into(),
        decoded: false,
    };
    let facts = front_end(language).extract(&source);
    let end = u32::try_from(text.len()).expect("a small file");
    let inside =
        facts.calls.iter().all(|call| {
            call.span.end <= end && call.name_span.end <= end && call.statement.end <= end
        }) && facts.exprs.iter().all(|expr| expr.span.end <= end)
            && facts.problems.iter().all(|problem| problem.span.end <= end);
    assert!(
        inside,
        "{}: a span lies outside of the first {end} bytes",
        path.display()
    );
    facts.calls.len()
}

#[test]
fn every_prefix_is_read() {
    let files = fixtures();
    assert!(files.len() > 60);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let text = std::fs::read_to_string(file).expect("readable");
                    for (at, _) in text.char_indices() {
                        calls(file, &text[..at]);
                    }
                }
            });
        }
    });
}

#[test]
fn a_broken_item_leaves_all_others() {
    let rust = "async fn a() { one(); }\nfn broken( -> {}\nimpl T { fn also(&self) { let = ; } fn b(&self) { two(); } }\nasync fn c() { three(); }\n";
    assert_eq!(calls(Path::new("a.rs"), rust), 3);
    let python =
        "async def a():\n    one()\n\ndef broken(:\n    pass\n\nasync def c():\n    three()\n";
    assert_eq!(calls(Path::new("a.py"), python), 2);
}
