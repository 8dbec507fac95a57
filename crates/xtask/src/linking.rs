//! Does the time to link grow with the program and no faster? A made-up package at 1, 4 and 16 times its size.
//!
//! It has what makes linkers slow: a prelude that globs everything, re-exports that go round in circles, one trait with many
//! impls and many calls through `dyn`, and functions that call one another in circles.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nostall_catalog::Catalog;
use nostall_engine::analyse::analyse_facts;
use nostall_engine::languages::front_end;
use nostall_engine::project::{Request, load};
use nostall_engine::settings::Settings;
use nostall_model::facts::FileFacts;

/// Sizes, as multiples of the first.
const SCALES: [usize; 3] = [1, 4, 16];
const MODULES: usize = 24;
/// Modules whose re-exports go round in a circle.
const CIRCLE: usize = 6;
/// Functions of a module that call one another in a circle.
const RECURSION: usize = 12;

/// Measures and prints the time per function at each size, and the ratio to the smallest.
pub(crate) fn run(rounds: usize) -> Result<()> {
    let catalog = Catalog::builtin();
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); SCALES.len()];
    for _ in 0..rounds {
        for (index, scale) in SCALES.into_iter().enumerate() {
            // The same amount of work at each size: a single small run is too short to be measured well.
            let (mut time, mut functions) = (Duration::ZERO, 0);
            for _ in 0..SCALES[SCALES.len() - 1] / scale {
                let (one, count) = link(scale, &catalog)?;
                time += one;
                functions += count;
            }
            times[index].push(time.as_secs_f64() * 1e6 / functions as f64);
        }
    }
    let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
    for (scale, time) in SCALES.into_iter().zip(&medians) {
        println!(
            "linking at {scale}x: {time:.1} us a function, {:.2} of 1x",
            time / medians[0]
        );
    }
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Links one size; answers how long it took and how many functions there are.
fn link(scale: usize, catalog: &Catalog) -> Result<(Duration, usize)> {
    let folder = tempfile::tempdir()?;
    let functions = write(folder.path(), MODULES * scale)?;
    let request = Request {
        paths: vec![folder.path().to_path_buf()],
        current_dir: folder.path().to_path_buf(),
        ..Request::default()
    };
    let project = load(&request).context("read the made-up package")?;
    let facts: Vec<FileFacts> = project
        .sources
        .iter()
        .map(|(_, source)| front_end(source.language).extract(source))
        .collect();
    let settings = Settings::everything();
    let begun = Instant::now();
    let report = analyse_facts(
        project.sources,
        &project.layout,
        project.problems,
        facts,
        catalog,
        &settings,
        &|_| {},
    );
    let time = begun.elapsed();
    anyhow::ensure!(
        report.findings.len() >= functions / 10,
        "the made-up package should block in many places"
    );
    Ok((time, functions))
}

/// Writes the package; answers how many functions it has.
fn write(folder: &Path, modules: usize) -> Result<usize> {
    let source = folder.join("src");
    std::fs::create_dir_all(&source)?;
    std::fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"linked\"\nversion = \"0.0.0\"\nedition = \"2024\"\n",
    )?;
    let mut root = String::from(
        "pub mod prelude;\npub trait Store { fn load(&self, path: &std::path::Path) -> usize; }\n",
    );
    let mut prelude = String::from("pub use crate::Store;\n");
    let mut functions = 0;
    for index in 0..modules {
        let _ = writeln!(root, "pub mod m{index};");
        let _ = writeln!(prelude, "pub use crate::m{index}::*;");
        let (text, count) = module(index, modules);
        functions += count;
        std::fs::write(source.join(format!("m{index}.rs")), text)?;
    }
    std::fs::write(source.join("lib.rs"), root)?;
    std::fs::write(source.join("prelude.rs"), prelude)?;
    Ok(functions)
}

fn module(index: usize, modules: usize) -> (String, usize) {
    let first = index - index % CIRCLE;
    let next = first + (index + 1 - first) % CIRCLE.min(modules - first);
    let far = (index * 7 + 3) % modules;
    let mut text = format!(
        "use crate::prelude::*;\npub use crate::m{next}::*;\n\
        pub struct Disk{index};\nimpl Store for Disk{index} {{ fn load(&self, path: &std::path::Path) -> usize {{ std::fs::read(path).map_or(0, |it| it.len()) }} }}\n\
        pub fn helper{index}(path: &std::path::Path) -> usize {{ Disk{index}.load(path) + circle{index}_0(path, 3) }}\n\
        pub fn by_object{index}(store: &dyn Store, path: &std::path::Path) -> usize {{ store.load(path) }}\n\
        pub fn generic{index}<S: Store>(store: &S, path: &std::path::Path) -> usize {{ store.load(path) }}\n"
    );
    let mut count = 4;
    for step in 0..RECURSION {
        let after = (step + 1) % RECURSION;
        let _ = writeln!(
            text,
            "pub fn circle{index}_{step}(path: &std::path::Path, depth: usize) -> usize {{ if depth == 0 {{ std::fs::read(path).map_or(0, |it| it.len()) }} else {{ circle{index}_{after}(path, depth - 1) }} }}"
        );
        count += 1;
    }
    for step in 0..8 {
        let _ = writeln!(
            text,
            "pub async fn work{index}_{step}(store: &dyn Store, path: &std::path::Path) -> usize {{ helper{far}(path) + by_object{far}(store, path) + generic{next}(&Disk{next}, path) + store.load(path) }}"
        );
        count += 1;
    }
    (text, count)
}
