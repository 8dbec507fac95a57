//! What a value of an unknown type comes from, where knowledge ends.

/// What a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A closure's parameter.
    ClosureParameter,
    /// A parameter of a type that is not known.
    Parameter,
    /// A name.
    Path(String),
    /// A field of something.
    Field(Option<Box<Self>>),
    /// A part that a pattern takes of something.
    Part(Option<Box<Self>>),
    /// What something gives.
    Result(Giver),
}

/// What gives a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Giver {
    /// A function outside the program, by its path.
    External(String),
    /// An entry of the catalogue.
    Api,
    /// A function of the program.
    Body,
    /// A callable parameter.
    Parameter,
    /// A macro that is not known.
    Macro,
}

impl Origin {
    /// Returns it for people: `a field of what a known function gives`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::ClosureParameter => "a closure's parameter".to_owned(),
            Self::Parameter => "a parameter of a type that is not known".to_owned(),
            Self::Path(path) => format!("`{path}`"),
            Self::Field(None) => "a field".to_owned(),
            Self::Field(Some(of)) => format!("a field of {}", of.innermost().describe()),
            Self::Part(None) => "a part of a pattern".to_owned(),
            Self::Part(Some(of)) => format!("a part of {}", of.innermost().describe()),
            Self::Result(giver) => match giver {
                Giver::External(path) => format!("what `{path}` gives"),
                Giver::Api => "what a known function gives".to_owned(),
                Giver::Body => "what a function of the program gives".to_owned(),
                Giver::Parameter => "what a callable parameter gives".to_owned(),
                Giver::Macro => "what a macro that is not known makes".to_owned(),
            },
        }
    }

    /// `a field of a field of x` says no more than `a field of x`.
    fn innermost(&self) -> &Self {
        match self {
            Self::Field(Some(of)) | Self::Part(Some(of)) => of.innermost(),
            other => other,
        }
    }
}
