//! Why a body runs on the executor.

use crate::Sources;

use super::Place;

/// Why a body runs on the executor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// It is async by its own form.
    Form(Form),
    /// A framework's loop calls this method: `Protocol.data_received`.
    Event {
        /// The framework's class, by its last name.
        class: String,
        /// The method.
        method: String,
    },
    /// It answers an HTTP route. At least one of the two is known.
    Route {
        /// `GET`, or `ANY`.
        method: Option<String>,
        /// The path as written.
        path: Option<String>,
    },
    /// It is a task.
    Task {
        /// The call that spawned it.
        at: Place,
    },
    /// A call handed it to the executor, to be run later.
    Callback {
        /// The path of what was called.
        api: String,
        /// The call.
        at: Place,
    },
}

/// How the code says that it is async.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// `async fn` of Rust.
    AsyncFn,
    /// `async { .. }`.
    AsyncBlock,
    /// `async |..| ..`.
    AsyncClosure,
    /// A function that is given a task's context and answers `Poll`.
    Poll,
    /// `async def` of Python.
    AsyncDef,
    /// `async def` with a `yield`.
    AsyncGenerator,
    /// A comprehension with an `async for` or an `await`.
    AsyncComprehension,
}

impl Form {
    /// Returns the words for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AsyncFn => "async fn",
            Self::AsyncBlock => "async block",
            Self::AsyncClosure => "async closure",
            Self::Poll => "poll",
            Self::AsyncDef => "async def",
            Self::AsyncGenerator => "async generator",
            Self::AsyncComprehension => "async comprehension",
        }
    }

    /// Says whether code of this form can await something.
    #[must_use]
    pub fn can_await(self) -> bool {
        self != Self::Poll
    }
}

impl Entry {
    /// Makes the entry of a route; none where nothing is known of it.
    #[must_use]
    pub fn route(method: Option<String>, path: Option<String>) -> Option<Self> {
        (method.is_some() || path.is_some()).then_some(Self::Route { method, path })
    }

    /// Returns it for people: `async fn`, `GET /users`, `task spawned at src/main.rs:7`.
    #[must_use]
    pub fn describe(&self, sources: &Sources) -> String {
        match self {
            Self::Form(form) => form.name().to_owned(),
            Self::Event { class, method } => format!("{class}.{method}"),
            Self::Route { method, path } => match (method, path) {
                (Some(method), Some(path)) => format!("{method} {path}"),
                (Some(method), None) => format!("{method} handler"),
                (None, Some(path)) => format!("route {path}"),
                (None, None) => "route".to_owned(),
            },
            Self::Task { at } => format!("task spawned at {}", line(sources, *at)),
            Self::Callback { api, at } => {
                let name = api.rsplit([':', '.']).next().unwrap_or(api);
                format!("{name} at {}", line(sources, *at))
            }
        }
    }
}

fn line(sources: &Sources, at: Place) -> String {
    let line = sources.place(at.file, at.span.start).line;
    format!("{}:{line}", sources.get(at.file).path)
}
