//! Which versions of Python a project says it runs on: the lowest of them.

use std::path::Path;

use nostall_model::layout::Version;
use toml::{Table, Value};

/// Returns what the manifests of a folder say.
pub(super) fn of_manifests(folder: &Path) -> Option<Version> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let pyproject = || of_pyproject(&read("pyproject.toml")?);
    let assigned = |name: &str| of_assignment(&read(name)?);
    pyproject()
        .or_else(|| assigned("setup.cfg"))
        .or_else(|| assigned("setup.py"))
        .or_else(|| of_metadata(&read("PKG-INFO")?))
}

/// Returns what is said by the metadata of the one distribution that is installed in a folder.
pub(super) fn of_installed(folder: &Path) -> Option<Version> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let is_metadata = |path: &Path| path.extension().is_some_and(|own| own == "dist-info");
    let paths = entries.map(|entry| entry.path());
    let mut all = paths.filter(|path| is_metadata(path));
    let only = all.next().filter(|_| all.next().is_none())?;
    of_metadata(&std::fs::read_to_string(only.join("METADATA")).ok()?)
}

fn of_pyproject(text: &str) -> Option<Version> {
    let table: Table = text.parse().ok()?;
    let at = |keys: &[&str]| {
        let mut keys = keys.iter();
        let first = table.get(*keys.next()?)?;
        keys.try_fold(first, |value, key| value.get(key))
    };
    let text_of = |value: &Value| match value {
        Value::Table(table) => Some(table.get("version")?.as_str()?.to_owned()),
        other => other.as_str().map(str::to_owned),
    };
    let said = at(&["project", "requires-python"])
        .or_else(|| at(&["tool", "poetry", "dependencies", "python"]))
        .and_then(text_of);
    said.and_then(|said| lowest(&said))
        .or_else(|| of_classifiers(text))
}

/// `python_requires = >=3.8` of a `setup.cfg`, `python_requires=">=3.8"` of a `setup.py`.
fn of_assignment(text: &str) -> Option<Version> {
    let said = text.lines().find_map(|line| {
        let rest = line.trim_start().strip_prefix("python_requires")?;
        rest.trim_start().strip_prefix('=')
    });
    said.and_then(lowest).or_else(|| of_classifiers(text))
}

/// `Requires-Python: >=3.8` in the headers of a distribution's metadata.
fn of_metadata(text: &str) -> Option<Version> {
    let mut headers = text.lines().take_while(|line| !line.is_empty());
    let said = headers.find_map(|line| line.strip_prefix("Requires-Python:"));
    said.and_then(lowest).or_else(|| of_classifiers(text))
}

/// The lowest of the versions that are listed: `Programming Language :: Python :: 3.8`.
fn of_classifiers(text: &str) -> Option<Version> {
    let after = text.split("Programming Language :: Python :: ").skip(1);
    let listed = after.filter(|rest| {
        let mut parts = rest.split(|c: char| !c.is_ascii_digit());
        parts.next().is_some_and(|major| !major.is_empty()) && rest[1..].starts_with('.')
    });
    listed.filter_map(Version::parse).min()
}

/// The lowest version of `>=3.8,<4`, of poetry's `^3.8`, of `3.8.*`. Alternatives stand apart in `||`.
fn lowest(said: &str) -> Option<Version> {
    let alternatives = said.split("||").filter_map(|all| {
        let bounds = all.split([',', ' ']).map(|one| one.trim_matches(is_quote));
        bounds.filter_map(lower_bound).max()
    });
    alternatives.min()
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '(' | ')')
}

fn lower_bound(one: &str) -> Option<Version> {
    let signs = |c: char| matches!(c, '>' | '=' | '~' | '^' | '<' | '!');
    let version = one.trim_start_matches(signs);
    let sign = &one[..one.len() - version.len()];
    let is_lower = matches!(
        sign,
        "" | ">=" | ">" | "==" | "===" | "~=" | "~" | "^" | "="
    );
    is_lower.then(|| Version::parse(version)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u16, minor: u16) -> Option<Version> {
        Some(Version { major, minor })
    }

    #[test]
    fn the_lowest_version_of_a_requirement_is_its_highest_lower_bound() {
        for said in [
            ">=3.8",
            ">=3.8.1,<4.0",
            "^3.8",
            "~=3.8",
            "3.8.*",
            "<4,>=3.8",
            "!=3.9.0,>=3.8",
            "^3.8 || ^3.10",
            ">= 3.8",
        ] {
            assert_eq!(lowest(said), version(3, 8), "{said}");
        }
        assert_eq!(lowest(">=3"), version(3, 0));
        assert_eq!(lowest("<4"), None);
        assert_eq!(lowest("*"), None);
    }

    #[test]
    fn each_form_of_a_manifest_is_read() {
        let project = "[project]\nrequires-python = '>=3.10'\nclassifiers = ['Programming Language :: Python :: 3.8']";
        let poetry = "[tool.poetry.dependencies]\npython = { version = '^3.8' }";
        let listed = "[project]\nclassifiers = ['Programming Language :: Python :: 3', 'Programming Language :: Python :: 3.10', 'Programming Language :: Python :: 3.9', 'Programming Language :: Python :: Implementation :: CPython']";
        assert_eq!(of_pyproject(project), version(3, 10));
        assert_eq!(of_pyproject(poetry), version(3, 8));
        assert_eq!(of_pyproject(listed), version(3, 9));
        assert_eq!(of_pyproject("[project]\nname = 'a'"), None);
        assert_eq!(of_pyproject("no [table"), None);
        assert_eq!(
            of_assignment("[options]\npython_requires = >=3.8"),
            version(3, 8)
        );
        assert_eq!(
            of_assignment("setup(\n    python_requires='>=3.7',\n)"),
            version(3, 7)
        );
        assert_eq!(
            of_metadata("Name: a\nRequires-Python: <4,>=3.7\n\ntext"),
            version(3, 7)
        );
        assert_eq!(of_metadata("Name: a\n\nRequires-Python: >=3.7"), None);
    }
}
