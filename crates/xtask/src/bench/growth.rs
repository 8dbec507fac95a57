//! How the time of a whole run grows with code of one shape: twice as much code should take about twice as long.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::usage::measure;
use crate::root;

/// The smaller size; each shape is also written four times as large.
const SMALL: usize = 2_000;

/// How many times the larger one has of everything.
const TIMES: usize = 4;

/// The most time for one run.
const LONGEST_RUN: Duration = Duration::from_secs(120);

/// One shape of code, written `n` times over.
struct Shape {
    name: &'static str,
    write: fn(usize) -> String,
}

const SHAPES: [Shape; 8] = [
    Shape {
        name: "a chain of functions, each of which calls the next",
        write: |n| {
            let chain = repeat(n, |i| format!("def f{i}(x): return f{}(x)\n", i + 1));
            format!("import time\n{chain}def f{n}(x): time.sleep(1)\nasync def main(): f0(1)\n")
        },
    },
    Shape {
        name: "early exits, one after the other",
        write: |n| {
            let exits = repeat(n, |i| {
                format!("    if x.a{i} is None: return\n    x.a{i} = {i}\n")
            });
            format!("import time\ndef f(x):\n{exits}    time.sleep(1)\nasync def main(x): f(x)\n")
        },
    },
    Shape {
        name: "`elif`",
        write: |n| {
            let arms = repeat(n, |i| format!("    elif x.b == 'k{i}': time.sleep({i})\n"));
            format!(
                "import time\ndef f(x):\n    if x == 'a': pass\n{arms}async def main(x): f(x)\n"
            )
        },
    },
    Shape {
        name: "attributes of a class and methods that use them",
        write: |n| {
            let attributes = repeat(n, |i| format!("        self.a{i} = redis.Redis()\n"));
            let methods = repeat(n, |i| {
                format!(
                    "    def m{i}(self):\n        if self.a{i}: return self.a{i}.get('x')\n        return self.m{}()\n",
                    (i + 1) % n
                )
            });
            format!(
                "import redis\nclass A:\n    def __init__(self):\n{attributes}{methods}async def main(a: A): a.m0()\n"
            )
        },
    },
    Shape {
        name: "one large table of data",
        write: |n| {
            let rows = repeat(n, |i| format!("{{'a': {i}, 'b': [{i}, f'x{i}']}},\n"));
            format!("D = [{rows}]\nasync def main(): open('a')\n")
        },
    },
    Shape {
        name: "calls of one function that asks for types",
        write: |n| {
            let calls = repeat(n, |i| format!("    a{i} = g({i})\n"));
            format!(
                "import time\ndef g(x):\n    if isinstance(x, str): time.sleep(1)\n    return x\nasync def main():\n{calls}"
            )
        },
    },
    Shape {
        name: "a variable that is given values again and again",
        write: |n| {
            let values = repeat(n, |i| {
                format!("    if x: r = redis.Redis()\n    r.get('a{i}')\n")
            });
            format!("import redis\nasync def main(x):\n    r = x\n{values}")
        },
    },
    Shape {
        name: "classes, each of which extends the one before",
        write: |n| {
            let classes = repeat(n / 20, |i| {
                format!(
                    "class C{}(C{i}):\n    def m{i}(self): return self.run()\n",
                    i + 1
                )
            });
            format!(
                "import time\nclass C0:\n    def run(self): time.sleep(1)\n{classes}async def main(c: C{}): c.m0()\n",
                n / 20
            )
        },
    },
];

fn repeat(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).map(line).collect()
}

/// Measures, prints and writes docs/growth.md.
pub(super) fn run(rounds: usize) -> Result<()> {
    let binary = crate::release_binary()?;
    let own = crate::release("xtask")?;
    let mut page = format!(
        "# How the time grows\n\nMade by `cargo xtask bench --growth`: the CPU time of `nostall check` over one generated Python \
         file, beside that over\na file with {TIMES} times as much of the same. The median of the ratios of {rounds} rounds; \
         {TIMES} is linear, less where starting\nthe program counts.\n\n| shape | lines | ratio |\n| --- | --- | --- |\n"
    );
    for shape in &SHAPES {
        let (small, large) = (written(shape, SMALL)?, written(shape, SMALL * TIMES)?);
        let mut ratios = Vec::new();
        for _ in 0..rounds {
            let one = cpu(&binary, &own, small.path())?;
            ratios.push(cpu(&binary, &own, large.path())? / one);
        }
        let ratio = super::homeassistant::median(ratios).context("no rounds to measure")?;
        let lines = (shape.write)(SMALL).lines().count();
        println!("{}: {ratio:.2}", shape.name);
        let _ = writeln!(
            page,
            "| {} | {lines} and {} | {ratio:.1} |",
            shape.name,
            lines * TIMES
        );
    }
    let file = root().join("docs/growth.md");
    std::fs::write(&file, page).with_context(|| format!("write {}", file.display()))?;
    println!("wrote docs/growth.md");
    Ok(())
}

fn written(shape: &Shape, n: usize) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("code.py"), (shape.write)(n))?;
    Ok(folder)
}

fn cpu(binary: &Path, own: &Path, folder: &Path) -> Result<f64> {
    let mut command = vec![binary.as_os_str().to_owned()];
    command.extend(super::CHECK.map(Into::into));
    command.push(folder.as_os_str().to_owned());
    let usage = measure(own, &command, folder, LONGEST_RUN)?;
    Ok(usage.context("it took too long")?.cpu)
}
