//! Makes what the service reads, and takes it away again.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use diesel::prelude::*;
use redis::Commands;

use crate::schema::video_service_videos;
use crate::video::{Row, labels_key, labels_of, subtitles_name, title_of, views_key};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// URL of a PostgreSQL database
    #[arg(long, env = "NOSTALL_TEST_POSTGRES", hide_env_values = true)]
    database: String,
    /// URL of a Redis server
    #[arg(long, env = "NOSTALL_TEST_REDIS", hide_env_values = true)]
    cache: String,
    /// Folder for the subtitles
    #[arg(long)]
    files: PathBuf,
    /// How many videos there are
    #[arg(long, default_value_t = 1000)]
    videos: i64,
    /// Take everything away again
    #[arg(long)]
    remove: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Arguments {
        database,
        cache,
        files,
        videos,
        ..
    } = arguments;
    if arguments.remove {
        return remove(database, cache, *videos);
    }
    seed(database, cache, files, *videos)
}

/// Makes the table, fills the cache, writes the subtitles.
pub(crate) fn seed(database: &str, cache: &str, files: &Path, videos: i64) -> Result<()> {
    fill_table(database, videos).context("fill the table")?;
    fill_cache(cache, videos).context("fill the cache")?;
    for id in 1..=videos {
        std::fs::write(files.join(subtitles_name(id)), subtitles(id))
            .context("write the subtitles")?;
    }
    Ok(())
}

/// Takes away the table and the keys. The folder belongs to whoever made it.
pub(crate) fn remove(database: &str, cache: &str, videos: i64) -> Result<()> {
    let mut database = PgConnection::establish(database)?;
    diesel::sql_query("DROP TABLE IF EXISTS video_service_videos").execute(&mut database)?;
    let mut cache = redis::Client::open(cache)?.get_connection()?;
    for id in 1..=videos {
        let _: i64 = cache.del(&[views_key(id), labels_key(id)])?;
    }
    Ok(())
}

fn fill_table(url: &str, videos: i64) -> Result<()> {
    let mut database = PgConnection::establish(url)?;
    database.transaction(|database| {
        diesel::sql_query("DROP TABLE IF EXISTS video_service_videos").execute(database)?;
        diesel::sql_query(
            "CREATE TABLE video_service_videos \
             (id bigint PRIMARY KEY, title text NOT NULL, channel text NOT NULL, seconds integer NOT NULL)",
        )
        .execute(database)?;
        for id in 1..=videos {
            let (title, channel, seconds) = row(id);
            diesel::insert_into(video_service_videos::table)
                .values((
                    video_service_videos::id.eq(id),
                    video_service_videos::title.eq(title),
                    video_service_videos::channel.eq(channel),
                    video_service_videos::seconds.eq(seconds),
                ))
                .execute(database)?;
        }
        Ok(())
    })
}

fn fill_cache(url: &str, videos: i64) -> Result<()> {
    let mut cache = redis::Client::open(url)?.get_connection()?;
    for id in 1..=videos {
        // Without an end, so that no form of the service is measured while others' labels have just gone.
        let _: () = cache.set(labels_key(id), labels_of(&row(id)))?;
    }
    Ok(())
}

fn row(id: i64) -> Row {
    let seconds = i32::try_from(id * 37 % 3600).expect("a remainder below 3600");
    (title_of(id), format!("Channel {}", id % 50), seconds)
}

/// About 4 kB of subtitles in WebVTT.
fn subtitles(id: i64) -> String {
    let mut text = String::from("WEBVTT\n");
    for cue in 0..60 {
        let _ = write!(
            text,
            "\n00:{cue:02}:00.000 --> 00:{cue:02}:04.000\nLine {cue} of video {id}.\n"
        );
    }
    text
}
