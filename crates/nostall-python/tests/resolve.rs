//! What calls reach, over one or more files.

use std::sync::Arc;

use nostall_catalog::Catalog;
use nostall_model::facts::FileFacts;
use nostall_model::layout::Layout;
use nostall_model::program::{Presence, Resolution, Target, TargetKind};
use nostall_model::{Confidence, Context, FileId, Language, Role, Source};
use nostall_python::{Input, extract, resolve};

struct Program {
    texts: Vec<String>,
    facts: Vec<FileFacts>,
    resolution: Resolution,
    catalog: Catalog,
}

fn program(files: &[(&str, &str)], roots: &[&str]) -> Program {
    let source = |(path, text): &(&str, &str)| Source {
        path: (*path).to_owned(),
        language: Language::Python,
        role: Role::Report,
        text: Arc::from(*text),
        decoded: false,
    };
    let facts: Vec<FileFacts> = files.iter().map(|file| extract(&source(file))).collect();
    let input: Vec<(FileId, &str, &FileFacts)> = files
        .iter()
        .zip(&facts)
        .enumerate()
        .map(|(id, ((path, _), facts))| (FileId(id as u32), *path, facts))
        .collect();
    let python_roots = roots.iter().map(|root| (*root).to_owned()).collect();
    let layout = Layout {
        python_roots,
        ..Layout::default()
    };
    let catalog = Catalog::builtin();
    let resolution = resolve(&Input {
        files: &input,
        layout: &layout,
        catalog: &catalog,
    });
    Program {
        texts: files.iter().map(|(_, text)| (*text).to_owned()).collect(),
        facts,
        resolution,
        catalog,
    }
}

impl Program {
    fn target(&self, target: &Target) -> String {
        let kind = match &target.kind {
            TargetKind::Body(body) => self.resolution.bodies[body.index()].path.clone(),
            TargetKind::Api(api) => format!(
                "api {}",
                self.catalog.api(nostall_catalog::ApiId(*api)).path
            ),
            TargetKind::External(path) => format!("external {path}"),
            TargetKind::Parameter(body, index) => {
                format!(
                    "parameter {index} of {}",
                    self.resolution.bodies[body.index()].path
                )
            }
            TargetKind::Unresolved(reason) => format!("unresolved {reason:?}"),
        };
        let mark = match target.confidence {
            Confidence::Certain => "",
            Confidence::Likely => " (likely)",
            Confidence::Possible => " (possible)",
        };
        format!("{kind}{mark}")
    }

    /// What the calls of this name in the first file reach.
    fn reaches(&self, name: &str) -> Vec<String> {
        let calls = self.facts[0].calls.iter().enumerate();
        let named = calls.filter(|(_, call)| &self.texts[0][call.name_span.range()] == name);
        named
            .flat_map(|(index, _)| {
                &self.resolution.targets[self.resolution.calls[index].targets.range()]
            })
            .map(|target| self.target(target))
            .collect()
    }

    /// The callables that calls of this name in the first file are given.
    fn passes(&self, name: &str) -> Vec<(u16, String)> {
        let calls = self.facts[0].calls.iter().enumerate();
        let named = calls.filter(|(_, call)| &self.texts[0][call.name_span.range()] == name);
        named
            .flat_map(|(index, _)| {
                &self.resolution.passed[self.resolution.calls[index].passed.range()]
            })
            .map(|passed| (passed.index, self.target(&passed.target)))
            .collect()
    }
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &[&str])]) {
    let program = program(&[("case.py", text)], &[""]);
    for (name, targets) in expected {
        assert_eq!(program.reaches(name), *targets, "{name}");
    }
}

#[test]
fn names_are_followed_to_where_they_come_from() {
    check(
        "import requests as r, os.path\nfrom time import sleep as nap\ndef f():\n    r.get('a')\n    nap(1)\n    os.path.exists('a')\n    read = r.get\n    read('b')\n",
        &[
            ("r.get", &["api requests.get"]),
            ("nap", &["api time.sleep"]),
            ("os.path.exists", &["api os.path.exists"]),
            ("read", &["api requests.get"]),
        ],
    );
    check(
        "def open(path): ...\nopen('a')\nlen('a')\nnowhere()\n",
        &[
            ("open", &["case.open"]),
            ("len", &["api builtins.len"]),
            ("nowhere", &["unresolved Name"]),
        ],
    );
}

#[test]
fn shadowed_names_are_not_the_library() {
    check(
        "import requests\ndef f(requests):\n    requests.get('a')\n",
        &[("requests.get", &["unresolved Receiver"])],
    );
    check(
        "import time\nclass A:\n    time = 1\n    def f(self):\n        time.sleep(1)\n",
        &[("time.sleep", &["api time.sleep"])],
    );
    check(
        "import time\ntime = object()\nx = time.sleep(1)\n",
        &[("time.sleep", &["unresolved Receiver"])],
    );
}

#[test]
fn modules_of_the_program() {
    let files = [
        (
            "src/app/main.py",
            "from . import remote\nfrom .remote import fetch, again as more\nfrom app.deep.inner import *\nimport app.remote\nremote.fetch()\nfetch()\nmore()\nstarred()\napp.remote.fetch()\nremote.nothing()\n",
        ),
        ("src/app/__init__.py", ""),
        (
            "src/app/remote.py",
            "from .deep import fetch\nfrom app.main import fetch as circle\ndef again(): ...\n",
        ),
        ("src/app/deep/__init__.py", "from .inner import fetch\n"),
        (
            "src/app/deep/inner.py",
            "def fetch(): ...\ndef starred(): ...\n",
        ),
    ];
    let program = program(&files, &["src", ""]);
    for name in ["remote.fetch", "fetch", "app.remote.fetch"] {
        assert_eq!(program.reaches(name), ["app.deep.inner.fetch"], "{name}");
    }
    assert_eq!(program.reaches("more"), ["app.remote.again"]);
    assert_eq!(program.reaches("starred"), ["app.deep.inner.starred"]);
    assert_eq!(program.reaches("remote.nothing"), ["unresolved Method"]);
}

#[test]
fn star_imports_of_others_are_possible() {
    check(
        "from time import *\nsleep(1)\nprint('a')\n",
        &[
            ("sleep", &["api time.sleep (possible)"]),
            ("print", &["api builtins.print"]),
        ],
    );
}

#[test]
fn types_are_found_where_they_are_plain_to_see() {
    check(
        "import pathlib, requests\nfrom pathlib import Path\ndef f(p: Path, q: 'Path | None', s: requests.Session = None):\n    p.read_text()\n    q.exists()\n    s.get('a')\n    Path('a').write_text('b')\n    (p / 'c').unlink()\n    with open('a') as file:\n        file.read()\n    for line in open('b').readlines():\n        line.strip()\n    r = requests.Session()\n    r.post('b')\n",
        &[
            ("p.read_text", &["api pathlib.Path.read_text"]),
            ("q.exists", &["api pathlib.Path.exists"]),
            ("s.get", &["api requests.Session.get"]),
            ("write_text", &["api pathlib.Path.write_text"]),
            ("r.post", &["api requests.Session.post"]),
        ],
    );
}

#[test]
fn classes_of_the_program() {
    check(
        "import requests\nclass Base:\n    def shared(self): ...\nclass A(Base):\n    def __init__(self):\n        self.session = requests.Session()\n    @property\n    def size(self): ...\n    @classmethod\n    def make(cls): return cls()\n    def run(self):\n        self.session.get('a')\n        self.shared()\n        self.size\n        self.make()\nA()\nA().run()\nBase()\n",
        &[
            ("A", &["case.A", "case.A.__init__", "case.A.__init__"]),
            ("run", &["case.A.run"]),
            ("self.session.get", &["api requests.Session.get (likely)"]),
            ("self.shared", &["case.Base.shared"]),
            ("size", &["case.A.size"]),
            ("self.make", &["case.A.make"]),
            ("Base", &["case.Base"]),
        ],
    );
}

#[test]
fn callables_are_passed_on() {
    let text = "import asyncio, functools, time\ndef work(x): ...\nclass A:\n    def m(self): ...\nasync def f(loop, callback, a: A):\n    await asyncio.to_thread(work, 1)\n    await asyncio.to_thread(lambda: work(1))\n    asyncio.to_thread(functools.partial(work, 1))\n    asyncio.to_thread(a.m)\n    asyncio.to_thread(time.sleep, 1)\n    asyncio.to_thread(callback)\n    callback()\n";
    let program = program(&[("case.py", text)], &[""]);
    assert_eq!(
        program.passes("asyncio.to_thread"),
        [
            (0, "case.work".to_owned()),
            (0, "case.f.<lambda>".to_owned()),
            (0, "case.work".to_owned()),
            (0, "case.A.m".to_owned()),
            (0, "api time.sleep".to_owned()),
            (0, "parameter 1 of case.f".to_owned()),
        ]
    );
    assert_eq!(program.reaches("callback"), ["parameter 1 of case.f"]);
}

#[test]
fn generators_run_where_they_are_iterated() {
    check(
        "def rows():\n    yield 1\ndef f():\n    for row in rows(): pass\n    [row for row in rows()]\n",
        &[
            ("rows()", &["case.rows", "case.rows"]),
            ("rows", &["case.rows", "case.rows"]),
        ],
    );
}

#[test]
fn contexts_made_of_generators_run_them() {
    check(
        "import contextlib, pathlib\n@contextlib.contextmanager\ndef held() -> 'Iterator[pathlib.Path]':\n    yield 1\nasync def f():\n    with held() as path:\n        pass\n",
        &[("held()", &["case.held (likely)"])],
    );
}

#[test]
fn several_values_are_likely() {
    check(
        "import time, json\ndef f(flag):\n    work = time.sleep if flag else json.loads\n    work(1)\n",
        &[(
            "work",
            &["api time.sleep (likely)", "api json.loads (likely)"],
        )],
    );
}

#[test]
fn bodies_know_where_they_run() {
    let text = "from typing import TYPE_CHECKING\nimport trio\nasync def a(): ...\nasync def b():\n    yield 1\n    [x for x in y]\n    lambda: 1\nif TYPE_CHECKING:\n    def c():\n        def d(): ...\nclass E:\n    def f(self): ...\n";
    let program = program(
        &[("tests/case.py", text), ("app/__init__.py", "def g(): ...")],
        &[""],
    );
    let bodies: Vec<(&str, Context, Presence)> = program
        .resolution
        .bodies
        .iter()
        .map(|body| (body.path.as_str(), body.context, body.presence))
        .collect();
    use {Context::*, Presence::*};
    assert_eq!(
        bodies,
        [
            ("tests.case", Sync, Test),
            ("tests.case.a", Async, Test),
            ("tests.case.b", Async, Test),
            ("tests.case.b", Sync, Test),
            ("tests.case.b.<lambda>", Sync, Test),
            ("tests.case.c", Sync, Absent),
            ("tests.case.c.d", Sync, Absent),
            ("tests.case.E", Sync, Test),
            ("tests.case.E.f", Sync, Test),
            ("app", Sync, Present),
            ("app.g", Sync, Present),
        ]
    );
    let runtime = |body: usize| {
        let id = program.resolution.bodies[body]
            .runtime
            .expect("one is known");
        program.catalog.runtime(id).key.as_str()
    };
    assert_eq!((runtime(0), runtime(9)), ("trio", "asyncio"));
}

#[test]
fn circles_end() {
    let files = [
        (
            "a.py",
            "from b import *\nfrom b import x\ntry:\n    from c import y\nexcept ImportError:\n    from b import y\nx()\ny()\nz()\nclass A(A): ...\nA().m()\ndef f(): return f()\nf()()\nw = w2 = lambda: w()()\nw()\n",
        ),
        (
            "b.py",
            "from a import *\nfrom c import *\nfrom a import x, y\n",
        ),
        (
            "c.py",
            "from a import *\nfrom b import *\nfrom a import y\n",
        ),
    ];
    let program = program(&files, &[""]);
    assert_eq!(program.reaches("x"), ["unresolved Value"]);
    let long: String = (1..300)
        .map(|line| format!("x{line} = x{} or x{}\n", line - 1, line - 1))
        .collect();
    check(
        &format!("x0 = print\n{long}x299()\nx1()\n"),
        &[("x1", &["api builtins.print"])],
    );
}
