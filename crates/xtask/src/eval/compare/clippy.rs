//! Clippy's `disallowed_methods`, with a `clippy.toml` made of nostall's catalogue.
//!
//! Clippy needs types, so each package is built together with all that it depends on: from a copy, in one target folder for
//! all. Only packages that build count. The lint does not know async code from other code, so a hit counts when it stands
//! inside an async body.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nostall_catalog::{Api, Catalog, Effect};
use nostall_model::Language;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::bodies::Bodies;
use super::{
    Captured, Comparison, Finding, Label, MODES, Measured, OWN_VERSION, Package, capture, folder,
    measure, nostall, quoted,
};

/// How long clippy may take.
pub(super) struct Limits {
    /// For one package.
    pub(super) package: Duration,
    /// After which no further package is begun.
    pub(super) total: Option<Duration>,
}

const LINT: &str = "clippy::disallowed_methods";

/// Builds the packages with clippy and adds its rows.
pub(super) fn compare(
    limits: &Limits,
    binary: &Path,
    packages: &[Package],
    labels: &[Label],
    comparison: &mut Comparison,
) -> Result<()> {
    let Ok(version) = version() else {
        comparison.note("clippy is left out: it is not installed.".to_owned());
        return Ok(());
    };
    let listed = Listed::of(&Catalog::builtin());
    let workshop = Workshop::open(&listed)?;
    println!(
        "clippy builds the packages now: this runs build scripts and procedural macros that other people wrote"
    );
    let reports = workshop.all(limits, packages, labels)?;
    let all = packages.len();
    let built = |tree: &str| reports.get(tree).is_some_and(Report::built);
    let packages: Vec<Package> = packages
        .iter()
        .filter(|package| built(&package.tree))
        .map(|package| Package {
            tree: package.tree.clone(),
            folder: package.folder.clone(),
        })
        .collect();
    let labels: Vec<Label> = labels
        .iter()
        .filter(|label| built(&label.tree()))
        .cloned()
        .collect();
    for (what, hits) in [
        ("", Hits::WithoutTraits),
        (" with the methods of traits", Hits::All),
    ] {
        let tool = format!(
            "clippy disallowed_methods{what}, {} packages",
            packages.len()
        );
        let measured = measured(&packages, &reports, &listed, hits)?;
        comparison.add(&tool, &version, &labels, &measured);
    }
    let (mode, flags) = MODES[0];
    let measured = measure(&packages, |package| nostall(binary, package, flags));
    let tool = format!("nostall, {mode}, the same {} packages", packages.len());
    comparison.add(&tool, OWN_VERSION, &labels, &measured);
    note(&reports, all - reports.len(), &listed, comparison);
    Ok(())
}

fn version() -> Result<String> {
    let output = Command::new("cargo")
        .args(["clippy", "--version"])
        .output()
        .context("run cargo clippy")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().nth(1);
    Ok(version.context("clippy is not installed")?.to_owned())
}

/// The paths that go into `clippy.toml`.
struct Listed {
    /// Of functions and of the methods of types.
    plain: BTreeSet<String>,
    /// Of the methods of traits: clippy flags them on whatever type they are called.
    of_traits: BTreeSet<String>,
}

impl Listed {
    fn of(catalog: &Catalog) -> Self {
        let blocking =
            |api: &&Api| api.language() == Language::Rust && api.effect == Effect::Blocks;
        let (of_traits, plain): (Vec<&Api>, Vec<&Api>) = catalog
            .apis()
            .map(|(_, api)| api)
            .filter(blocking)
            .partition(|api| is_of_trait(catalog, api));
        Self {
            plain: plain.into_iter().flat_map(paths).collect(),
            of_traits: of_traits.into_iter().flat_map(paths).collect(),
        }
    }

    /// A path that does not resolve, since the package does not depend on it or since it is a macro's, is no error.
    fn configuration(&self) -> String {
        let mut text = "disallowed-methods = [\n".to_owned();
        for path in self.plain.union(&self.of_traits) {
            let _ = writeln!(text, "    {{ path = \"{path}\", allow-invalid = true }},");
        }
        text.push_str("]\n");
        text
    }
}

fn is_of_trait(catalog: &Catalog, api: &Api) -> bool {
    paths(api).any(|path| {
        let parent = path.rsplit_once("::").map(|(parent, _)| parent);
        parent.is_some_and(|parent| catalog.trait_entry(Language::Rust, parent).is_some())
    })
}

/// All paths of an entry, without those that stand for many.
fn paths(api: &Api) -> impl Iterator<Item = String> {
    std::iter::once(&api.path)
        .chain(api.also.iter())
        .filter(|path| !path.ends_with('*'))
        .cloned()
}

/// Where the packages are built.
struct Workshop {
    folder: PathBuf,
    /// Names the `clippy.toml` that results were made with.
    configuration: String,
}

/// What came out for one package. It is kept, since it costs so much.
#[derive(Serialize, Deserialize)]
struct Report {
    configuration: String,
    outcome: Outcome,
    seconds: f64,
    hits: Vec<Hit>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Outcome {
    Built,
    Failed,
    TimedOut,
}

/// One place that the lint flagged.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Hit {
    path: String,
    line: u32,
    column: u32,
    call: String,
}

impl Report {
    fn built(&self) -> bool {
        self.outcome == Outcome::Built
    }
}

impl Workshop {
    fn open(listed: &Listed) -> Result<Self> {
        let folder = folder().join("clippy");
        let text = listed.configuration();
        for part in ["configuration", "reports", "sources"] {
            std::fs::create_dir_all(folder.join(part))?;
        }
        std::fs::write(folder.join("configuration/clippy.toml"), &text)?;
        let configuration = Sha256::digest(&text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Self {
            folder,
            configuration,
        })
    }

    /// Builds all packages that time allows: those with the fewest dependencies first, those without labels last.
    fn all(
        &self,
        limits: &Limits,
        packages: &[Package],
        labels: &[Label],
    ) -> Result<BTreeMap<String, Report>> {
        let begun = Instant::now();
        let labelled: BTreeSet<String> = labels.iter().map(Label::tree).collect();
        let mut order: Vec<&Package> = packages.iter().collect();
        order.sort_by_cached_key(|package| {
            let unlabelled = !labelled.contains(&package.tree);
            (unlabelled, locked(&package.folder))
        });
        let mut reports = BTreeMap::new();
        for package in order {
            let report = match self.kept(package) {
                Some(report) => report,
                None if limits.total.is_some_and(|total| begun.elapsed() > total) => continue,
                None => self.build(limits.package, package)?,
            };
            reports.insert(package.tree.clone(), report);
        }
        Ok(reports)
    }

    fn file(&self, package: &Package) -> PathBuf {
        let name = format!("reports/{}.json", package.tree);
        self.folder.join(name)
    }

    /// What does not build with one configuration does not build with another.
    fn kept(&self, package: &Package) -> Option<Report> {
        let text = std::fs::read_to_string(self.file(package)).ok()?;
        let report: Report = serde_json::from_str(&text).ok()?;
        let fresh = !report.built() || report.configuration == self.configuration;
        fresh.then_some(report)
    }

    fn build(&self, longest: Duration, package: &Package) -> Result<Report> {
        let source = self.folder.join("sources").join(&package.tree);
        copy(&package.folder, &source)?;
        let begun = Instant::now();
        let captured = self.run(&source, longest)?;
        let seconds = begun.elapsed().as_secs_f64();
        let outcome = match &captured {
            None => Outcome::TimedOut,
            Some(captured) if captured.success => Outcome::Built,
            Some(_) => Outcome::Failed,
        };
        let hits = match &captured {
            Some(captured) if captured.success => hits(&captured.output),
            _ => Vec::new(),
        };
        println!(
            "  {}: {} in {seconds:.0} s, {} hits",
            package.tree,
            outcome.text(captured.as_ref()),
            hits.len()
        );
        let report = Report {
            configuration: self.configuration.clone(),
            outcome,
            seconds,
            hits,
        };
        std::fs::write(self.file(package), serde_json::to_vec(&report)?)?;
        Ok(report)
    }

    /// A lock file may name versions that are gone, or that no longer build; then it is tried without.
    fn run(&self, source: &Path, longest: Duration) -> Result<Option<Captured>> {
        let begun = Instant::now();
        let captured = capture(&mut self.command(source), longest)?;
        let lock = source.join("Cargo.lock");
        let failed = captured.as_ref().is_some_and(|captured| !captured.success);
        if !failed || !lock.is_file() {
            return Ok(captured);
        }
        std::fs::remove_file(&lock)?;
        let rest = longest.saturating_sub(begun.elapsed());
        capture(&mut self.command(source), rest)
    }

    /// A forced warning is above all that the package says of lints, and everything else is capped.
    fn command(&self, source: &Path) -> Command {
        let mut command = Command::new("cargo");
        command
            .args(["clippy", "--message-format=json", "--ignore-rust-version"])
            .args(["--", "--cap-lints", "allow", "--force-warn", LINT])
            .current_dir(source)
            .env("CLIPPY_CONF_DIR", self.folder.join("configuration"))
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        command
    }
}

impl Outcome {
    fn text(self, captured: Option<&Captured>) -> String {
        match (self, captured) {
            (Self::Built, _) => "built".to_owned(),
            (Self::TimedOut, _) => "stopped".to_owned(),
            (Self::Failed, captured) => {
                let errors = captured.map_or("", |captured| &captured.errors);
                let first = errors.lines().find(|line| line.starts_with("error"));
                format!("failed ({})", first.unwrap_or_default())
            }
        }
    }
}

/// How many packages a package's lock file names; those without one come last.
fn locked(folder: &Path) -> usize {
    let text = std::fs::read_to_string(folder.join("Cargo.lock"));
    text.map_or(usize::MAX, |text| text.matches("\n[[package]]").count())
}

/// Copies a package, without what would choose another toolchain or other flags, as a workspace of its own.
fn copy(from: &Path, to: &Path) -> Result<()> {
    const LEFT_OUT: [&str; 5] = [
        ".cargo",
        ".cargo-ok",
        "rust-toolchain",
        "rust-toolchain.toml",
        "target",
    ];
    let wanted = |entry: &walkdir::DirEntry| {
        entry.depth() != 1 || !LEFT_OUT.iter().any(|name| entry.file_name() == *name)
    };
    for entry in walkdir::WalkDir::new(from).into_iter().filter_entry(wanted) {
        let entry = entry?;
        let target = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target)?;
        } else {
            std::fs::copy(entry.path(), &target)
                .with_context(|| format!("copy {}", entry.path().display()))?;
        }
    }
    let manifest = to.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest)?;
    if !text.lines().any(|line| line.starts_with("[workspace")) {
        std::fs::write(&manifest, format!("{text}\n[workspace]\n"))?;
    }
    Ok(())
}

/// Reads what cargo printed. A library and a binary may share files, so a place may be flagged twice.
fn hits(output: &str) -> Vec<Hit> {
    let hits: BTreeSet<Hit> = output
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| hit(&message["message"]))
        .collect();
    hits.into_iter().collect()
}

fn hit(message: &Value) -> Option<Hit> {
    if message["code"]["code"] != LINT {
        return None;
    }
    let spans = message["spans"].as_array()?;
    let mut span = spans.iter().find(|span| span["is_primary"] == true)?;
    // What a macro of another crate made stands where the macro is called.
    while Path::new(span["file_name"].as_str()?).is_absolute() {
        span = span.pointer("/expansion/span")?;
    }
    let number = |key: &str| u32::try_from(span[key].as_u64()?).ok();
    Some(Hit {
        path: span["file_name"].as_str()?.replace('\\', "/"),
        line: number("line_start")?,
        column: number("column_start")?,
        call: quoted(message["message"].as_str()?)?.to_owned(),
    })
}

/// Which hits count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hits {
    WithoutTraits,
    All,
}

fn measured(
    packages: &[Package],
    reports: &BTreeMap<String, Report>,
    listed: &Listed,
    which: Hits,
) -> Result<Measured> {
    let mut measured = Measured::default();
    for package in packages {
        let report = &reports[&package.tree];
        let counts = |hit: &&Hit| which == Hits::All || !listed.of_traits.contains(&hit.call);
        let hits: Vec<&Hit> = report.hits.iter().filter(counts).collect();
        let findings = in_async(&package.folder, &hits)?;
        measured.findings.insert(package.tree.clone(), findings);
        measured.duration += Duration::from_secs_f64(report.seconds);
    }
    Ok(measured)
}

fn in_async(folder: &Path, hits: &[&Hit]) -> Result<Vec<Finding>> {
    let mut files: BTreeMap<&str, Bodies> = BTreeMap::new();
    let mut findings = Vec::new();
    for hit in hits {
        if !files.contains_key(hit.path.as_str()) {
            let text = std::fs::read_to_string(folder.join(&hit.path))
                .with_context(|| format!("read {}", hit.path))?;
            files.insert(&hit.path, Bodies::of(text)?);
        }
        if files[hit.path.as_str()].are_async_at((hit.line, hit.column)) {
            findings.push(Finding {
                path: hit.path.clone(),
                line: hit.line,
                call: hit.call.clone(),
                rule: LINT.to_owned(),
            });
        }
    }
    Ok(findings)
}

fn note(
    reports: &BTreeMap<String, Report>,
    left: usize,
    listed: &Listed,
    comparison: &mut Comparison,
) {
    let trees = |outcome: Outcome| -> Vec<&str> {
        reports
            .iter()
            .filter(|(_, report)| report.outcome == outcome)
            .map(|(tree, _)| tree.as_str())
            .collect()
    };
    comparison.note(format!(
        "clippy: {} functions and methods of types and {} methods of traits are disallowed; only hits inside async \
         bodies count. The time is that of the builds.",
        listed.plain.len(),
        listed.of_traits.len()
    ));
    comparison.note(format!(
        "clippy built {} packages: {}.",
        trees(Outcome::Built).len(),
        trees(Outcome::Built).join(", ")
    ));
    for (outcome, what) in [
        (Outcome::Failed, "did not build"),
        (Outcome::TimedOut, "took too long to build"),
    ] {
        let trees = trees(outcome);
        if !trees.is_empty() {
            let count = trees.len();
            comparison.note(format!("clippy: {count} {what}: {}.", trees.join(", ")));
        }
    }
    if left > 0 {
        comparison.note(format!("clippy: {left} were not tried, for lack of time."));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Hit, LINT, hit};

    #[test]
    fn a_hit_stands_where_the_package_calls_the_macro() {
        let made = json!({"is_primary": true, "file_name": "/elsewhere/lib.rs", "line_start": 1, "column_start": 1,
            "expansion": {"span": {"file_name": "src/main.rs", "line_start": 7, "column_start": 5}}});
        let message = json!({
            "code": {"code": LINT},
            "message": "use of a disallowed method `std::fs::read`",
            "spans": [made],
        });
        let expected = Hit {
            path: "src/main.rs".to_owned(),
            line: 7,
            column: 5,
            call: "std::fs::read".to_owned(),
        };
        assert!(hit(&message) == Some(expected));
    }
}
