//! The packages of the evaluation: downloaded at pinned versions, never committed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use super::Which;
use crate::root;

/// An unpacked package.
#[derive(Clone)]
pub(crate) struct Package {
    /// `name-version`, as labels call it.
    pub(crate) tree: String,
    /// Where it is.
    pub(crate) folder: PathBuf,
}

/// Brings all packages of a language.
pub(crate) fn fetch(language: Which) -> Result<Vec<Package>> {
    match language {
        Which::Rust => crates(),
        Which::Python => wheels(),
    }
}

pub(crate) fn rows(file: &str) -> Result<Vec<Vec<String>>> {
    let file = root().join(file);
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    Ok(text
        .lines()
        .skip(1)
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect())
}

/// `cargo info` downloads and unpacks one package and builds nothing.
fn crates() -> Result<Vec<Package>> {
    let mut packages = Vec::new();
    for row in rows("fixtures/eval/rust/crates.tsv")? {
        let [name, version, ..] = row.as_slice() else {
            bail!("crates.tsv: a row without a version")
        };
        packages.push(published_crate(name, version)?);
    }
    Ok(packages)
}

/// Brings one crate.
pub(crate) fn published_crate(name: &str, version: &str) -> Result<Package> {
    let tree = format!("{name}-{version}");
    if unpacked(&tree)?.is_none() {
        let empty = tempfile::tempdir()?;
        let status = Command::new("cargo")
            .args(["info", "--quiet", &format!("{name}@{version}")])
            .current_dir(empty.path())
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "cargo info {name}@{version} failed");
    }
    let folder =
        unpacked(&tree)?.with_context(|| format!("{tree} is not under cargo's registry"))?;
    Ok(Package { tree, folder })
}

/// Finds a crate that cargo has unpacked.
fn unpacked(tree: &str) -> Result<Option<PathBuf>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .context("find cargo's home")?;
    let Ok(registries) = std::fs::read_dir(home.join("registry").join("src")) else {
        return Ok(None);
    };
    for registry in registries {
        let folder = registry?.path().join(tree);
        if folder.is_dir() {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

/// Wheels differ in the interpreters that they are for; one of these fits each.
const INTERPRETERS: [&str; 5] = ["3.13.9", "3.10.9", "3.14.9", "3.12.9", "3.11.9"];

fn wheels() -> Result<Vec<Package>> {
    let mut packages = Vec::new();
    for row in rows("fixtures/eval/python/dists.tsv")? {
        let [name, version, .., file, hash] = row.as_slice() else {
            bail!("dists.tsv: a short row")
        };
        let wheel = Wheel {
            name,
            version,
            file,
            hash,
        };
        packages.push(wheel.fetch()?);
    }
    Ok(packages)
}

/// A wheel at a pinned version.
pub(crate) struct Wheel<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) file: &'a str,
    /// The file's SHA-256.
    pub(crate) hash: &'a str,
}

impl Wheel<'_> {
    /// Downloads and unpacks it, unless that was done before.
    pub(crate) fn fetch(&self) -> Result<Package> {
        let folder = root().join("target/eval/python");
        let store = folder.join(".wheels");
        std::fs::create_dir_all(&store)?;
        let tree = format!("{}-{}", self.name, self.version);
        let unpacked = folder.join(&tree);
        if !unpacked.is_dir() {
            let file = store.join(self.file);
            download(self.name, self.version, &store, || {
                file.is_file().then(|| file.clone())
            })?;
            let bytes = std::fs::read(&file)?;
            let found: String = Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let Self { file, hash, .. } = self;
            ensure!(found == *hash, "{file}: the hash is {found}, not {hash}");
            unpack(&bytes, &unpacked).with_context(|| format!("unpack {file}"))?;
        }
        Ok(Package {
            tree,
            folder: unpacked,
        })
    }
}

/// Brings one wheel that is known by its version alone.
pub(crate) fn published_wheel(name: &str, version: &str) -> Result<Package> {
    let folder = root().join("target/eval/python");
    std::fs::create_dir_all(&folder)?;
    let tree = format!("{name}-{version}");
    let unpacked = folder.join(&tree);
    if !unpacked.is_dir() {
        let store = tempfile::tempdir_in(&folder)?;
        let file = download(name, version, store.path(), || only_file(store.path()))?;
        let bytes = std::fs::read(&file)?;
        unpack(&bytes, &unpacked).with_context(|| format!("unpack {}", file.display()))?;
    }
    Ok(Package {
        tree,
        folder: unpacked,
    })
}

fn only_file(folder: &Path) -> Option<PathBuf> {
    Some(std::fs::read_dir(folder).ok()?.next()?.ok()?.path())
}

/// Runs pip for one interpreter after the other until it has brought the wheel.
fn download(
    name: &str,
    version: &str,
    store: &Path,
    brought: impl Fn() -> Option<PathBuf>,
) -> Result<PathBuf> {
    for interpreter in INTERPRETERS {
        if let Some(file) = brought() {
            return Ok(file);
        }
        Command::new("pip")
            .args([
                "download",
                "-q",
                "--no-deps",
                "--only-binary",
                ":all:",
                "--python-version",
                interpreter,
            ])
            .args([
                "--platform",
                "manylinux2014_x86_64",
                "--platform",
                "manylinux_2_28_x86_64",
                "--platform",
                "any",
                "-d",
            ])
            .arg(store)
            .arg(format!("{name}=={version}"))
            .stderr(Stdio::null())
            .status()
            .context("run pip")?;
    }
    brought().with_context(|| format!("pip did not bring a wheel of {name} {version}"))
}

/// Unpacks the Python files of a wheel, into a folder that appears only when it is complete.
fn unpack(bytes: &[u8], to: &Path) -> Result<()> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes))?;
    let parent = to.parent().context("the folder has a parent")?;
    let partial = tempfile::tempdir_in(parent)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let Some(name) = entry.enclosed_name() else {
            continue;
        };
        let python = name.extension().is_some_and(|extension| extension == "py");
        if !python && !name.ends_with("METADATA") {
            continue;
        }
        let file = partial.path().join(name);
        std::fs::create_dir_all(file.parent().context("a file has a parent")?)?;
        std::io::copy(&mut entry, &mut std::fs::File::create(file)?)?;
    }
    std::fs::rename(partial.keep(), to)?;
    Ok(())
}
