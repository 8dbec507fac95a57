//! What can be wrong with entries.

/// An error of the catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// An entry is not valid; the text begins with its path.
    #[error("catalogue entry {0}")]
    Entry(String),
    /// The data folder cannot be read.
    #[error("read the data folder: {0}")]
    Unreadable(std::io::Error),
    /// All that is wrong with a data file, a fault a line.
    #[error("{}", .0.join("\n"))]
    Data(Vec<String>),
}
