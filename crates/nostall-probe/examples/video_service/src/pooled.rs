//! The façade: async clients behind pools, with limits, time-outs, retries and statistics. The handler is the shortest of all.

use std::sync::Arc;

use axum::extract::{Path as UrlPath, State};
use axum::routing::get;
use axum::{Json, Router};
use nostall_probe::db::DatabaseOptions;
use nostall_probe::http::HttpOptions;
use nostall_probe::{IoSystem, Snapshot};

use crate::video::*;

/// Requests to the upstream service at once: as many as the other forms can have, which tokio's blocking threads bound.
pub(crate) const UPSTREAM_REQUESTS: usize = 512;

/// Opens the pools.
pub(crate) async fn router(backends: Backends, connections: u32) -> anyhow::Result<Router> {
    let database = DatabaseOptions {
        size: connections,
        overflow: 0,
        ..DatabaseOptions::default()
    };
    let http = HttpOptions {
        max_in_flight_per_host: UPSTREAM_REQUESTS,
        max_idle_per_host: UPSTREAM_REQUESTS,
        ..HttpOptions::default()
    };
    let io = IoSystem::builder()
        .database_with(backends.database, database)
        .cache(backends.cache)
        .http_with(backends.upstream, http)
        .files(backends.files)
        .build()
        .await?;
    Ok(Router::new()
        .route("/videos/{id}", get(video))
        .route("/stats", get(stats))
        .with_state(Arc::new(io)))
}

async fn video(
    State(io): State<Arc<IoSystem>>,
    UrlPath(video): UrlPath<i64>,
) -> Result<Json<Video>, Failure> {
    let row: Row = io
        .database()?
        .fetch_optional(SELECT_VIDEO, &[video.into()])
        .await?
        .ok_or(Failure::NoSuchVideo)?;

    let cache = io.cache()?;
    cache.incr(&views_key(video), 1).await?;
    let labels = match cache.get(&labels_key(video)).await? {
        Some(labels) => labels,
        None => {
            let labels = labels_of(&row);
            cache
                .set(&labels_key(video), &labels, Some(LABELS_LIVE))
                .await?;
            labels
        }
    };

    let next = io.http()?.get_json(&next_path(video)).await?;

    let subtitles = io.files()?.read_to_string(subtitles_name(video)).await?;

    Ok(Json(Video::new(video, row, &labels, next, &subtitles)))
}

async fn stats(State(io): State<Arc<IoSystem>>) -> Json<Snapshot> {
    Json(io.snapshot())
}
