//! The data as files, for tests: the tables that nostall carries have no snippets. Not for use in nostall itself.

use std::path::{Path, PathBuf};

use nostall_model::Language;

use crate::check::{check_own, complete};
use crate::convert;
use crate::entry::{Effect, Origin};
use crate::error::CatalogError;
use crate::paths::separator;
use crate::schema::{ApiTable, Tables, parse};

/// An entry's own test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The file, from the data folder on: `rust/flume.toml`.
    pub file: String,
    /// The entry's path.
    pub entry_path: String,
    /// Its language.
    pub language: Language,
    /// Code with a finding for this entry.
    pub bad: Option<String>,
    /// Code without one.
    pub good: Option<String>,
    /// What calling it does, if no argument changes that.
    pub effect: Effect,
}

/// One data file.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// The file, from the data folder on: `rust/flume.toml`.
    pub name: String,
    /// Its language.
    pub language: Language,
    /// What it says, with the file's defaults in the entries.
    pub tables: Tables,
}

/// Reads all callables with their snippets, those without one too, in the order of files and entries.
///
/// # Errors
/// The first file that cannot be read or is not valid.
pub fn read() -> Result<Vec<Snippet>, CatalogError> {
    let files = data_files()?;
    Ok(files
        .iter()
        .flat_map(|file| file.tables.api.iter().map(|table| snippet(file, table)))
        .collect())
}

fn snippet(file: &DataFile, table: &ApiTable) -> Snippet {
    let api = convert::api(file.language, &file.tables.library, Origin::BuiltIn, table);
    Snippet {
        file: file.name.clone(),
        entry_path: table.path.clone(),
        language: file.language,
        bad: table.bad.clone(),
        good: table.good.clone(),
        effect: api.effect,
    }
}

/// Reads the data folder.
///
/// # Errors
/// The first file that cannot be read or is not valid.
pub fn data_files() -> Result<Vec<DataFile>, CatalogError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let mut files = Vec::new();
    for language in [Language::Rust, Language::Python] {
        for path in toml_files(&root.join(language.name()))? {
            files.push(data_file(language, &path)?);
        }
    }
    Ok(files)
}

fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, CatalogError> {
    let unreadable = |source| CatalogError::Unreadable {
        path: folder.display().to_string(),
        source,
    };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let files: Result<Vec<PathBuf>, _> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect();
    let mut files = files.map_err(unreadable)?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    Ok(files)
}

fn data_file(language: Language, path: &Path) -> Result<DataFile, CatalogError> {
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = format!("{}/{file_name}", language.name());
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|source| CatalogError::Unreadable {
        path: name.clone(),
        source,
    })?;
    let form = |message| CatalogError::Form {
        path: name.clone(),
        message,
    };
    let mut tables = parse(&text).map_err(form)?;
    let mut errors = complete(&mut tables, separator(language));
    errors.extend(check_own(&tables));
    match errors.into_iter().next() {
        Some(error) => Err(form(format!(" {error}"))),
        None => Ok(DataFile {
            name,
            language,
            tables,
        }),
    }
}
