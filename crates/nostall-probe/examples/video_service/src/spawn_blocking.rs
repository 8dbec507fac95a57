//! The quick repair: the very same code, moved as it is to tokio's blocking threads. The workers stay free, but each request
//! holds a thread for as long as it takes, and opens its connections anew.

use std::sync::Arc;

use axum::extract::{Path as UrlPath, State};
use axum::routing::get;
use axum::{Json, Router};
use diesel::prelude::*;
use redis::Commands;
use tokio::task::spawn_blocking;

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
    spawn_blocking(move || fetch(&backends, video))
        .await?
        .map(Json)
}

fn fetch(backends: &Backends, video: i64) -> Result<Video, Failure> {
    let mut database = PgConnection::establish(&backends.database)?;
    let row = video_service_videos
        .find(video)
        .select((title, channel, seconds))
        .first::<Row>(&mut database)
        .optional()?
        .ok_or(Failure::NoSuchVideo)?;

    let client = redis::Client::open(backends.cache.as_str())?;
    let mut cache = client.get_connection()?;
    let _: i64 = cache.incr(views_key(video), 1)?;
    let cached: Option<String> = cache.get(labels_key(video))?;
    let labels = match cached {
        Some(labels) => labels,
        None => {
            let labels = labels_of(&row);
            let _: () = cache.set_ex(labels_key(video), &labels, LABELS_LIVE.as_secs())?;
            labels
        }
    };

    let mut answer = ureq::get(backends.next_url(video)).call()?;
    let next = answer.body_mut().read_json()?;

    let subtitles = std::fs::read_to_string(backends.subtitles(video))?;

    Ok(Video::new(video, row, &labels, next, &subtitles))
}
