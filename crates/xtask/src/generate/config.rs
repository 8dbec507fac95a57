//! The page of the config and its JSON schema: both made from the types that read it.

use std::fmt::Write as _;

use nostall_engine::project::{KEYS, Key, OVERRIDE_KEYS, schema};
use serde_json::Value;

/// What the page says before the keys.
const INTRODUCTION: &str = "# Config

<!-- Made by `cargo xtask gen` from `crates/xtask/src/generate/config.rs` and the types in \
`crates/nostall-engine/src/project/form.rs`. -->

The config of a folder stands in `nostall.toml`, in `[workspace.metadata.nostall]` or `[package.metadata.nostall]` of a `Cargo.toml`,
or in `[tool.nostall]` of a `pyproject.toml`; of several in one folder the first of these counts. Editors complete and check
`nostall.toml` with [nostall.schema.json](nostall.schema.json).

## Which config holds where

A file's config is that of all folders from the root of its program down to its own. The *root* is the repository (the folder with
`.git`; a submodule is one of its own), or the folder nearest above whose config says `root = true`. Without either it is the
outermost Cargo or uv workspace or folder with a `nostall.toml`, else the project, and at least the current folder where the file is
below it.

An inner folder's key replaces the outer one's. `exclude`, `overrides`, `offloaders`, `api`, `type` and `trait` add up instead.
Options of the command line come last: they replace keys, also those of `overrides`. What `overrides` ignore stays ignored.
`--config FILE` reads that file alone.

Paths and globs start from the folder of the file that they stand in, wherever nostall is started. `vendor` and `./vendor` mean the
file or folder of that name there and all below it, `*` goes over `/`, `**/name` means any depth. `nostall -v` tells which globs fit
no file.

## Which files are analysed, and which reported on

The *project* is the nearest folder above with a `Cargo.toml` (the whole workspace, for a member), `pyproject.toml`, `setup.py`,
`setup.cfg`, `nostall.toml`, `.git`, `requirements*.txt`, `Pipfile`, `manage.py`, `uv.lock`, `poetry.lock`, `tox.ini` or
`environment.yml`, else the current folder. `nostall` without paths reports on the project around the current folder. What is analysed
is wider: for Rust the Cargo workspace and its path dependencies, for Python the root of the program. So the same findings come out for
a path, wherever nostall is started; `check`, `explain`, `graph` and `baseline` agree on it.

A path filters what is reported: a finding is shown where its call, its async function or a call on the way to what blocks stands in
a file that was named. What is excluded is left out, unless it is named itself; a test file that is named is checked, unless `tests =
false` stands in a config. `--force-exclude` takes both back, for hooks that name changed files.

A file or folder that cannot be read (no permission, too large, no text, nested too deeply) is told. Where nothing else is found the
exit code is then 2: not everything was looked at. What need not be read is to be excluded.

## Keys
";

/// What the page says of baselines.
const BASELINES: &str = "
## Baselines

`nostall baseline` writes down what `nostall check` with the same options shows: nothing that is hidden, so no entry is stale in the
next run. It goes to the baseline that holds here, else to `nostall-baseline.json` in the project's folder. A check finds it there by
itself, and that of each folder between the root and the files; the last lines of a run name it, `--no-baseline` leaves it out.
One that a config names and that is not written yet is a hint, no error.

An entry is known by rule, path, function and call, and stands for one finding, so lines may move. Where its file is gone it stands
for the only finding elsewhere with the same rule, call and end of the function's name: files may get other names. An entry is stale
where its file was looked at and neither shown nor hidden findings match it.

`nostall baseline --update` takes in what is new and takes out what is gone, and leaves alone what the given paths do not hold.
`--prune` only takes out.
";

/// The page: all keys, with what the types say of them.
pub(super) fn page() -> String {
    let schema: Value = serde_json::from_str(&schema_text()).unwrap_or_default();
    let mut text = INTRODUCTION.to_owned();
    for key in KEYS {
        section(&mut text, "###", &key, &schema["properties"]);
        if key.name == "overrides" {
            let inner = &schema["$defs"]["OverrideLayer"]["properties"];
            text.push_str(
                "\nTheir keys:\n\n| key | takes | not given | |\n| --- | --- | --- | --- |\n",
            );
            for key in OVERRIDE_KEYS {
                let says = description(inner, key.name);
                let _ = writeln!(
                    text,
                    "| `{}` | {} | {} | {says} |",
                    key.name, key.takes, key.default
                );
            }
        }
    }
    text + BASELINES
}

fn section(text: &mut String, level: &str, key: &Key, properties: &Value) {
    let _ = write!(
        text,
        "\n{level} `{}`\n\n{}\n\nTakes {}. Not given: {}.\n\n```toml\n{}\n```\n",
        key.name,
        description(properties, key.name),
        key.takes,
        key.default,
        key.example
    );
}

fn description(properties: &Value, key: &str) -> String {
    let text = properties[key]["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The JSON schema, as editors read it.
pub(super) fn schema_text() -> String {
    schema().unwrap_or_default()
}
