//! What all forms of the service share: the answer, its parts, and where each part is kept.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use clap::Args;
use serde::{Deserialize, Serialize};

/// Where the four parts of an answer come from.
#[derive(Args, Clone, Debug)]
pub(crate) struct Backends {
    /// URL of a PostgreSQL database
    #[arg(long, env = "NOSTALL_TEST_POSTGRES", hide_env_values = true)]
    pub(crate) database: String,
    /// URL of a Redis server
    #[arg(long, env = "NOSTALL_TEST_REDIS", hide_env_values = true)]
    pub(crate) cache: String,
    /// URL of the service that recommends videos
    #[arg(long, default_value = "")]
    pub(crate) upstream: String,
    /// Folder of the subtitles
    #[arg(long, default_value = "")]
    pub(crate) files: PathBuf,
}

impl Backends {
    /// Where the upstream service says what to watch next.
    pub(crate) fn next_url(&self, id: i64) -> String {
        format!("{}{}", self.upstream, next_path(id))
    }

    /// The file with the subtitles of one video.
    pub(crate) fn subtitles(&self, id: i64) -> PathBuf {
        self.files.join(subtitles_name(id))
    }
}

/// A video's row, for the clients that take a query as text.
pub(crate) const SELECT_VIDEO: &str =
    "SELECT title, channel, seconds FROM video_service_videos WHERE id = $1";

/// What [`SELECT_VIDEO`] gives: title, channel, seconds.
pub(crate) type Row = (String, String, i32);

/// How long labels stay in the cache.
pub(crate) const LABELS_LIVE: Duration = Duration::from_mins(10);

/// The counter of a video's views. It is kept for statistics and not part of the answer, so that answers can be compared.
pub(crate) fn views_key(id: i64) -> String {
    format!("video_service:views:{id}")
}

/// Where a video's labels are cached.
pub(crate) fn labels_key(id: i64) -> String {
    format!("video_service:labels:{id}")
}

/// The labels of a video, made when the cache does not have them.
pub(crate) fn labels_of(row: &Row) -> String {
    let length = if row.2 < 600 { "short" } else { "long" };
    format!("{length},{}", row.1)
}

/// The path at the upstream service.
pub(crate) fn next_path(id: i64) -> String {
    format!("/next/{id}")
}

/// The name of a subtitles file.
pub(crate) fn subtitles_name(id: i64) -> String {
    format!("{id}.vtt")
}

/// The answer to `GET /videos/{id}`.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Video {
    pub(crate) id: i64,
    pub(crate) title: String,
    channel: String,
    seconds: i32,
    labels: Vec<String>,
    next: Vec<i64>,
    cues: usize,
}

impl Video {
    /// Puts the four parts together.
    pub(crate) fn new(id: i64, row: Row, labels: &str, next: Vec<i64>, subtitles: &str) -> Self {
        let (title, channel, seconds) = row;
        Self {
            id,
            title,
            channel,
            seconds,
            labels: labels.split(',').map(str::to_owned).collect(),
            next,
            cues: subtitles.matches("-->").count(),
        }
    }
}

/// The title of a video, by which an answer can be checked.
pub(crate) fn title_of(id: i64) -> String {
    format!("Video number {id}")
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database has no such row.
    NoSuchVideo,
    /// A backend failed.
    Backend(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Backend(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::NoSuchVideo => (StatusCode::NOT_FOUND, "no such video\n").into_response(),
            Self::Backend(error) => {
                (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")).into_response()
            }
        }
    }
}
