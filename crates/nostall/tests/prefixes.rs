//! Half-written files: every fixture is read as far as each place where a token begins, has begun or ends, without a panic, and
//! what is found lies inside. A broken item leaves what is found in all others.

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

/// Where half-written text may end, in bytes: everywhere but in the rest of a word or of white space, which would be read the same.
fn ends(text: &str) -> impl Iterator<Item = usize> {
    let class = |c: char| match c {
        _ if c.is_alphanumeric() || c == '_' => 'w',
        _ if c.is_whitespace() => ' ',
        _ => c,
    };
    let mut last = [None; 2];
    text.char_indices().filter_map(move |(at, next)| {
        let classes = [last[0], last[1], Some(class(next))];
        last = [classes[1], classes[2]];
        let is_within = classes[0] == classes[1]
            && classes[1] == classes[2]
            && matches!(classes[2], Some('w' | ' '));
        (!is_within).then_some(at)
    })
}

#[test]
fn a_text_may_end_at_the_edges_of_its_tokens() {
    assert_eq!(
        ends("let  été = a;").collect::<Vec<_>>(),
        [0, 1, 3, 4, 5, 7, 10, 11, 12, 13, 14]
    );
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
                    for end in ends(&text) {
                        calls(file, &text[..end]);
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
