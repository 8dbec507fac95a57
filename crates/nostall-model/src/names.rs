//! Interned strings: each file has its own table, so that its facts can be cached alone.

use rustc_hash::FxHashMap;

/// An interned string of one file's [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub u32);

/// The strings that the facts of one file speak of.
#[derive(Clone, Debug, Default)]
pub struct Names {
    strings: Vec<Box<str>>,
    index: FxHashMap<Box<str>, Name>,
}

impl Names {
    /// Returns the id of `text`, adding it when it is new.
    pub fn intern(&mut self, text: &str) -> Name {
        if let Some(&name) = self.index.get(text) {
            return name;
        }
        let name =
            Name(u32::try_from(self.strings.len()).expect("a file has fewer than 2^32 names"));
        self.strings.push(text.into());
        self.index.insert(text.into(), name);
        name
    }

    /// Returns the id of `text` if the file has it.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Name> {
        self.index.get(text).copied()
    }

    /// Returns the text of a name of this table.
    ///
    /// # Panics
    /// When the name belongs to another file's table and this one is shorter.
    #[must_use]
    pub fn text(&self, name: Name) -> &str {
        &self.strings[name.0 as usize]
    }

    /// Returns how many strings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.strings.len()
    }

    /// Says whether the table is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.strings.is_empty()
    }

    /// Walks the strings in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (Name, &str)> {
        (0..).map(Name).zip(self.strings.iter().map(AsRef::as_ref))
    }
}
