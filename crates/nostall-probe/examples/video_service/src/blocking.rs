//! The naive form: clients that wait on the calling thread, called right in the handler. While one request waits, its worker
//! thread serves nobody else.

use std::path::Path;
use std::sync::Arc;

use axum::extract::{Path as UrlPath, State};
use axum::routing::get;
use axum::{Json, Router};
use diesel::prelude::*;
use redis::Commands;

use crate::schema::video_service_videos::dsl::*;
use crate::video::*;

pub(crate) fn router(backends: Backends) -> Router {
    Router::new()
        .route("/videos/{id}", get(video))
        .with_state(Arc::new(backends))
}

async fn video(
    State(backends): State<Arc<Backends>>,
    UrlPath(video): UrlPath<i64>,
) -> Result<Json<Video>, Failure> {
    let mut database = PgConnection::establish(&backends.database)?; // planted: blocking-db
    let row = video_service_videos
        .find(video)
        .select((title, channel, seconds))
        .first::<Row>(&mut database) // planted: blocking-db
        .optional()?
        .ok_or(Failure::NoSuchVideo)?;

    let client = redis::Client::open(backends.cache.as_str())?;
    let mut cache = client.get_connection()?; // planted: blocking-cache
    let _: i64 = cache.incr(views_key(video), 1)?; // planted: blocking-cache
    let cached: Option<String> = cache.get(labels_key(video))?; // planted: blocking-cache
    let labels = match cached {
        Some(labels) => labels,
        None => {
            let labels = labels_of(&row);
            let _: () = cache.set_ex(labels_key(video), &labels, LABELS_LIVE.as_secs())?; // planted: blocking-cache
            labels
        }
    };

    let mut answer = ureq::get(backends.next_url(video)).call()?; // planted: blocking-http
    let next = answer.body_mut().read_json()?; // planted: blocking-http

    let subtitles = read(&backends.subtitles(video))?; // planted: blocking-fs

    Ok(Json(Video::new(video, row, &labels, next, &subtitles)))
}

/// A call that blocks is not less so for being made in a function that is not async.
fn read(subtitles: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(subtitles)
}
