//! The entries' own tests: what nostall carries has no snippets. Not for use in nostall itself.

use std::path::Path;

use nostall_model::Language;

use crate::data;
use crate::entry::{Api, Effect};
use crate::error::CatalogError;
use crate::form::Tables;

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
    let mut snippets = Vec::new();
    for file in data_files()? {
        let apis = file.tables.api.into_iter();
        snippets.extend(apis.map(|api| snippet(&file.name, file.language, api)));
    }
    Ok(snippets)
}

fn snippet(file: &str, language: Language, api: Api) -> Snippet {
    Snippet {
        file: file.to_owned(),
        entry_path: api.path,
        language,
        bad: api.bad,
        good: api.good,
        effect: api.effect,
    }
}

/// Reads the data folder.
///
/// # Errors
/// The first file that cannot be read or is not valid.
pub fn data_files() -> Result<Vec<DataFile>, CatalogError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let paths = data::files(&root).map_err(CatalogError::Unreadable)?;
    let files = paths.into_iter().map(|(language, path)| {
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(DataFile {
            name: format!("{}/{file_name}", language.name()),
            language,
            tables: data::read(language, &path).map_err(CatalogError::Data)?,
        })
    });
    files.collect()
}
