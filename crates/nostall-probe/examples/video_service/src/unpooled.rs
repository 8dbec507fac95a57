//! Async clients, used in the naive way: nothing blocks, but each request opens its connections anew, and nothing bounds how
//! many there are.

use std::sync::Arc;

use axum::extract::{Path as UrlPath, State};
use axum::routing::get;
use axum::{Json, Router};
use redis::AsyncCommands;
use sqlx::{Connection, PgConnection};

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
    let mut database = PgConnection::connect(&backends.database).await?;
    let row: Row = sqlx::query_as(SELECT_VIDEO)
        .bind(video)
        .fetch_optional(&mut database)
        .await?
        .ok_or(Failure::NoSuchVideo)?;
    database.close().await?;

    let client = redis::Client::open(backends.cache.as_str())?;
    let mut cache = client.get_multiplexed_async_connection().await?;
    let _: i64 = cache.incr(views_key(video), 1).await?;
    let cached: Option<String> = cache.get(labels_key(video)).await?;
    let labels = match cached {
        Some(labels) => labels,
        None => {
            let labels = labels_of(&row);
            let _: () = cache
                .set_ex(labels_key(video), &labels, LABELS_LIVE.as_secs())
                .await?;
            labels
        }
    };

    let answer = reqwest::get(backends.next_url(video)).await?;
    let next = answer.error_for_status()?.json().await?;

    let subtitles = tokio::fs::read_to_string(backends.subtitles(video)).await?;

    Ok(Json(Video::new(video, row, &labels, next, &subtitles)))
}
