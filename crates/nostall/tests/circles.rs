//! What leads back to itself ends: entries of the catalogue, classes, aliases, bounds, imports and globs of a program.
//!
//! A stack that overflows aborts the whole test; that is how it fails.

use std::fmt::Write as _;

use nostall_catalog::{Catalog, Effect};
use nostall_engine::analyse::analyse;
use nostall_engine::project::{Request, load};
use nostall_engine::settings::Settings;
use nostall_model::{Language, Report};

/// How many entries of the catalogue one program uses.
const BATCH: usize = 400;

/// Analyses files that are written for it.
fn check(files: &[(&str, &str)], catalog: &Catalog) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let request = Request {
        paths: vec![folder.path().to_path_buf()],
        current_dir: folder.path().to_path_buf(),
        ..Request::default()
    };
    let project = load(&request).expect("the program can be read");
    let settings = Settings::everything();
    let report = analyse(project, catalog, &settings, &|_| {});
    let problems: Vec<&str> = report.problems.iter().map(|it| &*it.message).collect();
    assert_eq!(problems, [""; 0]);
    report
}

/// The findings as `file:line rule`.
fn found(report: &Report) -> Vec<String> {
    let found = report.findings.iter().map(|finding| {
        let at = report
            .sources
            .place(finding.place.file, finding.place.span.start);
        let path = &report.sources.get(finding.place.file).path;
        let name = path.rsplit('/').next().unwrap_or(path);
        format!("{name}:{} {}", at.line, finding.rule.id.0)
    });
    found.collect()
}

// ---- entries of the catalogue

/// The types, and the callables that make a value, of a language.
fn paths(catalog: &Catalog, language: Language) -> Vec<String> {
    let types = catalog.types().filter(|entry| entry.language() == language);
    let types = types.flat_map(|entry| std::iter::once(&entry.path).chain(&*entry.also));
    let makers = catalog.apis().map(|(_, api)| api);
    let makers = makers.filter(|api| api.language() == language && api.returns.is_some());
    let makers = makers.flat_map(|api| std::iter::once(&api.path).chain(&*api.also));
    let all = types.chain(makers).map(ToString::to_string);
    let mut paths: Vec<String> = all.filter(|path| !path.ends_with('*')).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn python_uses(number: usize, path: &str) -> String {
    format!(
        "def annotation{number}(x: {path}, y: \"{path}[{path}]\") -> {path}:\n    x.m()\n    x.a.b()\n    y[0].m()\n\
         class Base{number}({path}):\n    a: {path} = {path}()\n    def m(self): return super().m()\n\
         async def value{number}():\n    v = {path}\n    v.m()\n    Base{number}().a.m().n()\n    annotation{number}(v).m()\n\
         async def call{number}(a):\n    v = {path}(a)\n    v.m().n()\n    (await v).m()\n    v[0].m()\n    \
         with v as w: w.m()\n    async with v as w: w.m()\n    for i in v: i.m()\n    async for i in v: i.m()\n"
    )
}

fn rust_uses(number: usize, path: &str, parameters: usize) -> String {
    let arguments = match parameters {
        0 => String::new(),
        some => format!("<{}>", vec!["u8"; some].join(", ")),
    };
    let type_ = format!("{path}{arguments}");
    format!(
        "pub type Alias{number} = {type_};\npub struct Base{number}(pub {type_});\n\
         impl std::ops::Deref for Base{number} {{ type Target = {type_}; fn deref(&self) -> &Self::Target {{ &self.0 }} }}\n\
         pub async fn annotation{number}(x: {type_}, b: Base{number}) -> Alias{number} {{ b.m(); b.0.n(); x.field.m(); x.m()?; \
         for i in &x {{ i.m(); }} x.await.m(); x }}\n"
    )
}

fn rust_call(number: usize, path: &str) -> String {
    format!(
        "pub async fn call{number}(a: A) {{ let f = {path}; let v = {path}(a, |x| x.m()); v.m().n(); \
         for i in v.iter() {{ i.m(); }} f(a)?.m(); let w = v.await; w.m()?; {path}(a).map({path}); }}\n"
    )
}

/// Says whether a call hands its second argument, a closure here, to the executor.
fn schedules_second(catalog: &Catalog, path: &str) -> bool {
    let Some(found) = catalog.lookup(Language::Rust, path) else {
        return false;
    };
    let api = catalog.api(found.api);
    let index = api.callable.as_ref().and_then(|callable| callable.index);
    api.effect == Effect::Schedules && index == Some(1)
}

#[test]
fn every_entry_of_python_ends() {
    let catalog = Catalog::builtin();
    let paths = paths(&catalog, Language::Python);
    assert!(paths.len() > 2000);
    for batch in paths.chunks(BATCH) {
        let mut text = String::new();
        for path in batch {
            let package = path.split('.').next().unwrap_or(path);
            let _ = writeln!(text, "import {package}");
        }
        for (number, path) in batch.iter().enumerate() {
            text += &python_uses(number, path);
        }
        let report = check(&[("uses.py", &text)], &catalog);
        assert_eq!(report.stats.async_bodies, 2 * batch.len());
    }
}

#[test]
fn every_entry_of_rust_ends() {
    let catalog = Catalog::builtin();
    let paths = paths(&catalog, Language::Rust);
    assert!(paths.len() > 2000);
    for batch in paths.chunks(BATCH) {
        let mut text = String::new();
        let mut bodies = 0;
        for (number, path) in batch.iter().enumerate() {
            if let Some(entry) = catalog.type_entry(Language::Rust, path) {
                text += &rust_uses(number, path, entry.params.len());
                bodies += 1;
            }
            text += &rust_call(number, path);
            bodies += 1 + usize::from(schedules_second(&catalog, path));
        }
        let report = check(&[("src/lib.rs", &text)], &catalog);
        assert_eq!(report.stats.async_bodies, bodies);
    }
}

// ---- programs

#[test]
fn circles_in_python_end() {
    let text = "\
import time
from typing import TypeVar, Generic
from tornado.ioloop import PeriodicCallback

class A(B):
    def m(self): return self.n()

class B(A):
    def n(self): return super().m()

class Own(Own): ...

type X = X
type Y = Z | list[Y]
type Z = Y
T = TypeVar(\"T\", bound=\"T\")
U = TypeVar(\"U\", bound=U)

class Box(Generic[T], list[\"Box[Box[T]]\"]):
    inner: \"Box[Box[T]]\"
    def open(self: T) -> T: return self.inner.open().open()
    def __iter__(self): return self
    def __next__(self): return self
    def __enter__(self): return self.__enter__()
    def __await__(self): return self.__await__()

def bound[V: V](x: V) -> V: return x.run()
def list_bound[V: list[W], W: dict[V, W]](x: V, y: W) -> V: return x.run(y.run())

class Wide[V: V](Wide[Wide[V]]):
    def run[W: W](self, x: W) -> V: return self.run(x).run(self)

def g(): yield from g()
async def h(): return await h()
def k(x): return k(k(x))
k = k(k)

@decorated
def decorated(f): return decorated(f)

def outer(one, other=None):
    def inner(one=one, other=other):
        one.run()
        return outer(other, one)
    return inner(other, one)

def outermost(first):
    def middle(second=first):
        def within(third=second):
            third.run()
            return outermost(third)
        return within(second)
    return middle(first)

async def main(p: PeriodicCallback, a: A, b: B, own: Own, x: X, y: Y, box: Box[Box], wide: Wide):
    def inner():
        type L = L | L | L | L
        def local(l: L): l.run()
        return local
    p.start()
    a.m(); b.n(); own.m(); x.m(); y.m(); box.open().open()
    for i in box: i.open()
    with box as opened: opened.open()
    (await box).open()
    bound(x); list_bound(x, y); wide.run(wide); inner()(x)
    for i in g(): i.m()
    (await h()).m(); k(k).m(); decorated(k)
    outer(x, y); outermost(x)
    time.sleep(1)
";
    let report = check(&[("case.py", text)], &Catalog::builtin());
    let last = text.lines().count();
    assert_eq!(found(&report), [format!("case.py:{last} blocking-sleep")]);
}

#[test]
fn circles_of_imports_in_python_end() {
    let files = [
        ("p/__init__.py", "from p.a import *\nfrom p.b import run\n"),
        (
            "p/a.py",
            "from p.b import *\nfrom p.b import first as second\n",
        ),
        (
            "p/b.py",
            "import time\nfrom p.a import *\nfrom p import *\nfrom p.a import second as first\n\ndef run():\n    time.sleep(1)\n",
        ),
        (
            "main.py",
            "import p\nfrom p.a import second, run\n\nasync def main():\n    second()\n    p.first()\n    run()\n",
        ),
    ];
    let report = check(&files, &Catalog::builtin());
    assert_eq!(found(&report), ["main.py:7 blocking-sleep"]);
}

#[test]
fn circles_in_rust_end() {
    let text = "\
type A = B;
type B = A;
type Own = Own;
type Grown<T> = Grown<Vec<T>>;
type Twice<T> = (Twice<Vec<T>>, Twice<Box<T>>);
struct Held { held: Held, all: Vec<Held>, other: Box<Other> }
struct Other { held: Held }
impl Drop for Held { fn drop(&mut self) { self.all.clear(); } }
impl A { fn of_alias(&self) {} }
impl<T: Bound<T>> Bound<T> for T where T: Bound<T> { type Out = <T as Bound<T>>::Out; fn m(&self) -> Self::Out { self.m() } }
trait Bound<T: Bound<T>>: Bound<T> + Super { type Out: Bound<Self::Out>; fn m(&self) -> Self::Out; }
trait Super: Bound<u8> + Super + Super + Super + Super + Super { fn by_super(&self) { self.by_nobody() } }
struct Pointer(Box<Pointer>);
impl std::ops::Deref for Pointer { type Target = Pointer; fn deref(&self) -> &Pointer { &self.0 } }
struct Step;
impl Iterator for Step { type Item = <Step as Iterator>::Item; fn next(&mut self) -> Option<Self::Item> { self.next() } }
impl IntoIterator for Pointer { type Item = Pointer; type IntoIter = Step; fn into_iter(self) -> Step { Step } }
mod a { pub use super::b::x as x; pub use super::b::*; pub use self::y as y; pub use super::a::*; pub use self::c::*; pub mod c { pub use super::*; } }
mod b { pub use super::a::x as x; pub use super::a::*; pub use crate::b as deeper; pub use self::deeper::deeper::*; }
const FIRST: Held = SECOND;
const SECOND: Held = FIRST;
macro_rules! again { () => { again!() } }
fn bounded<T: IntoIterator<Item = T> + Bound<T>>(t: T) -> impl Bound<T> { for i in t { i.m(); } bounded(t) }
fn opaque() -> impl Fn() -> Box<dyn Fn()> { opaque() }
async fn handler(a: A, own: Own, grown: Grown<u8>, twice: Twice<u8>, pointer: Pointer, held: Held, b: impl Bound<u8>) {
    a.of_alias(); own.m(); grown.m(); twice.0.m(); pointer.gone.m(); pointer.gone();
    for p in pointer { p.m(); }
    for s in Step { s.m(); }
    a::x(); a::y(); b::x(); b::deeper::deeper::deeper::x(); a::c::c::x();
    FIRST.m(); again!(); bounded(b.m()).m().m(); b.by_super(); opaque()()();
    let mut f = || f(); let g = f; let f = g; f(g(f));
    std::thread::sleep(std::time::Duration::from_secs(1));
}
";
    let report = check(&[("src/lib.rs", text)], &Catalog::builtin());
    let last = text.lines().count() - 1;
    assert_eq!(found(&report), [format!("lib.rs:{last} blocking-sleep")]);
}

#[test]
fn long_chains_end() {
    let count = 3_000;
    let mut rust = String::from("type A0 = std::fs::File;\n");
    let mut python = String::from("import time\nclass C0:\n    def run(self): time.sleep(1)\n");
    for number in 0..count {
        let next = number + 1;
        let _ = writeln!(
            rust,
            "type A{next} = A{number}; mod m{next} {{ pub use super::m{number}::*; pub use super::m{number}::x; }}"
        );
        let _ = writeln!(
            python,
            "class C{next}(C{number}): ...\ntype T{next} = T{number}\nv{next} = v{number}"
        );
    }
    let _ = writeln!(
        rust,
        "mod m0 {{ pub fn x() {{ std::thread::sleep(D); }} pub fn y() {{ std::thread::sleep(D); }} }}\nasync fn f(a: A{count}) {{\n    a.sync_all();\n    m{count}::y();\n}}"
    );
    let _ = writeln!(
        python,
        "async def f(c: C{count}, t: T{count}):\n    t.run()\n    v{count}.run()\n    C1().run()"
    );
    let report = check(
        &[("src/lib.rs", &rust), ("case.py", &python)],
        &Catalog::builtin(),
    );
    let found = found(&report);
    assert!(
        found.iter().any(|it| it.starts_with("case.py")),
        "{found:?}"
    );
    // However many globs a name comes through, it is found.
    let last = rust.lines().count() - 1;
    assert!(
        found.contains(&format!("lib.rs:{last} blocking-sleep")),
        "{found:?}"
    );
}

// ---- globs

/// Modules that glob one another in circles, among twins for different systems.
fn glob_circles(modules: usize) -> Vec<(String, String)> {
    let mut root = String::from("mod prelude;\n");
    let mut files = vec![(
        "src/prelude.rs".to_owned(),
        "pub use crate::*;\npub use std::time::Duration;\n".to_owned(),
    )];
    for number in 0..modules {
        let next = (number + 1) % modules;
        let _ = writeln!(root, "mod m{number};\npub use m{number}::*;");
        let mut text = String::from("use crate::prelude::*;\n");
        for system in ["linux", "macos", "windows"] {
            let _ = writeln!(
                text,
                "#[cfg(target_os = \"{system}\")]\nmod {system} {{\n    pub use super::*;\n    pub use super::super::m{next}::*;\n    \
                 pub type Length{number} = Duration;\n    pub fn wait{number}() {{ std::thread::sleep(Duration::MAX) }}\n}}\n\
                 #[cfg(target_os = \"{system}\")]\npub use self::{system}::*;"
            );
        }
        let _ = writeln!(
            text,
            "pub async fn run{number}(x: Length{next}) {{\n    x.as_secs();\n    wait{next}();\n    wait{}();\n    not_there();\n}}",
            (number + modules / 2) % modules
        );
        files.push((format!("src/m{number}.rs"), text));
    }
    files.push(("src/lib.rs".to_owned(), root));
    files
}

#[test]
fn names_come_through_circles_of_globs_and_twins() {
    let modules = 300;
    let files = glob_circles(modules);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    let report = check(&files, &Catalog::builtin());
    let mut found = found(&report);
    found.sort_unstable();
    let line = files[1].1.lines().count() - 3;
    let mut expected: Vec<String> = (0..modules)
        .flat_map(|number| {
            [line, line + 1].map(|line| format!("m{number}.rs:{line} blocking-sleep"))
        })
        .collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}
