//! What a condition asks of an argument, and the literals that it compares with.

use serde::{Deserialize, Deserializer, Serialize};

use super::When;

/// A question about an argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Test<'a> {
    /// It equals a literal.
    Is(&'a Literal),
    /// It is there, or is not.
    Given(bool),
    /// It is of one of these types, or of one that extends one.
    Type(&'a [String]),
    /// It is a text with the address of a host in numbers, or of this one.
    Numeric,
    /// It is a number less than this one.
    Below(f64),
    /// It is a text that begins with one of these.
    Begins(&'a [String]),
}

impl When {
    /// Returns what is asked of the argument; of a table that passed the check it is one thing.
    #[must_use]
    pub fn test(&self) -> Test<'_> {
        match (&self.is, self.given) {
            (Some(literal), _) => Test::Is(literal),
            (None, Some(given)) => Test::Given(given),
            (None, None) if !self.types.is_empty() => Test::Type(&self.types),
            (None, None) if self.numeric => Test::Numeric,
            (None, None) if !self.begins.is_empty() => Test::Begins(&self.begins),
            (None, None) => match self.below {
                Some(limit) => Test::Below(limit),
                None => Test::Is(&Literal::None),
            },
        }
    }
}

/// A literal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Literal {
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Str(String),
    /// Python's `None`.
    None,
}

/// A literal as the tables write it.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "`when.is` must be a truth value, a number or a text"
)]
enum WrittenLiteral {
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
}

/// Reads a literal of a table, or one that is stored.
pub(super) fn literal<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Literal>, D::Error> {
    if !deserializer.is_human_readable() {
        return Deserialize::deserialize(deserializer);
    }
    Ok(Some(match WrittenLiteral::deserialize(deserializer)? {
        WrittenLiteral::Bool(value) => Literal::Bool(value),
        WrittenLiteral::Int(value) => Literal::Int(value),
        WrittenLiteral::Float(value) => Literal::Float(value),
        WrittenLiteral::Str(value) => Literal::Str(value),
    }))
}
