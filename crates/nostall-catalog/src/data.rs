//! The data as files. The build script reads them with this module, and tests do.

use std::io;
use std::path::{Path, PathBuf};

use nostall_model::Language;

use crate::check::{check_own, complete};
use crate::form::{Tables, parse};

/// Lists the files below a data folder, in the order of languages and names.
pub(crate) fn files(folder: &Path) -> io::Result<Vec<(Language, PathBuf)>> {
    let mut files = Vec::new();
    for language in [Language::Rust, Language::Python] {
        for entry in std::fs::read_dir(folder.join(language.name()))? {
            files.push((language, entry?.path()));
        }
    }
    files.retain(|(_, file)| {
        file.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    Ok(files)
}

/// Reads and checks one file, and puts its defaults into its entries. Returns all that is wrong with it, each with its place.
pub(crate) fn read(language: Language, file: &Path) -> Result<Tables, Vec<String>> {
    let place = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| vec![format!("{place}: {error}")])?;
    let mut tables: Tables = parse(&text).map_err(|error| vec![format!("{place}:{error}")])?;
    let mut errors = complete(&mut tables, language);
    errors.extend(check_own(&tables));
    if errors.is_empty() {
        return Ok(tables);
    }
    Err(errors
        .into_iter()
        .map(|error| format!("{place}: {error}"))
        .collect())
}
