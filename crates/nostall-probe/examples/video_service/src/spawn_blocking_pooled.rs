//! The quick repair with pools of blocking connections: each request still holds a thread, but no longer opens connections.

use std::sync::Arc;

use axum::extract::{Path as UrlPath, State};
use axum::routing::get;
use axum::{Json, Router};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use redis::Commands;
use tokio::task::spawn_blocking;

use crate::schema::video_service_videos::dsl::*;
use crate::video::*;

struct Service {
    backends: Backends,
    database: Pool<ConnectionManager<PgConnection>>,
    cache: Pool<redis::Client>,
    http: ureq::Agent,
}

/// Opens the pools. It waits for connections, so it is to be called before the service runs.
pub(crate) fn router(backends: Backends, connections: u32) -> anyhow::Result<Router> {
    let service = Service {
        database: Pool::builder()
            .max_size(connections)
            .build(ConnectionManager::new(&backends.database))?,
        cache: Pool::builder()
            .max_size(connections)
            .build(redis::Client::open(backends.cache.as_str())?)?,
        http: ureq::Agent::config_builder()
            .max_idle_connections(512)
            .max_idle_connections_per_host(512)
            .build()
            .into(),
        backends,
    };
    Ok(Router::new()
        .route("/videos/{id}", get(video))
        .with_state(Arc::new(service)))
}

async fn video(
    State(service): State<Arc<Service>>,
    UrlPath(video): UrlPath<i64>,
) -> Result<Json<Video>, Failure> {
    spawn_blocking(move || fetch(&service, video))
        .await?
        .map(Json)
}

fn fetch(service: &Service, video: i64) -> Result<Video, Failure> {
    let row = video_service_videos
        .find(video)
        .select((title, channel, seconds))
        .first::<Row>(&mut service.database.get()?)
        .optional()?
        .ok_or(Failure::NoSuchVideo)?;

    let labels = labels(service, video, &row)?;

    let mut answer = service.http.get(service.backends.next_url(video)).call()?;
    let next = answer.body_mut().read_json()?;

    let subtitles = std::fs::read_to_string(service.backends.subtitles(video))?;

    Ok(Video::new(video, row, &labels, next, &subtitles))
}

/// A function of its own, so that the connection goes back before the request goes on.
fn labels(service: &Service, video: i64, row: &Row) -> Result<String, Failure> {
    let mut cache = service.cache.get()?;
    let _: i64 = cache.incr(views_key(video), 1)?;
    let cached: Option<String> = cache.get(labels_key(video))?;
    if let Some(labels) = cached {
        return Ok(labels);
    }
    let labels = labels_of(row);
    let _: () = cache.set_ex(labels_key(video), &labels, LABELS_LIVE.as_secs())?;
    Ok(labels)
}
