//! What can be wrong with entries.

/// An error of the catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// An entry is not valid; the text begins with its path.
    #[error("catalogue entry {0}")]
    Entry(String),
    /// A data file cannot be read.
    #[error("read {path}: {source}")]
    Unreadable {
        /// The file, from the data folder on.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A data file is not TOML, or has keys or values that mean nothing; the text begins with the line.
    #[error("{path}:{message}")]
    Form {
        /// The file, from the data folder on.
        path: String,
        /// The line, the entry and what is wrong with it.
        message: String,
    },
}
