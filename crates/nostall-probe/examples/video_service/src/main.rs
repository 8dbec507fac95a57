//! One small video service in five forms, from blocking to pooled, and the load that tells them apart. See the README.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the command line"
)]

mod blocking;
mod demo;
mod listen;
mod load;
mod pooled;
mod schema;
mod seed;
mod serve;
mod spawn_blocking;
mod spawn_blocking_pooled;
mod unpooled;
mod upstream;
mod video;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// One small video service in five forms, and the load that tells them apart.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the table, fills the cache, writes the subtitles
    Seed(seed::Arguments),
    /// Runs the service that recommends videos
    Upstream(upstream::Arguments),
    /// Runs the video service
    Serve(serve::Arguments),
    /// Puts load on a running service and prints figures as JSON
    Load(load::Arguments),
    /// Runs all of it for each form and prints tables
    Demo(demo::Arguments),
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Seed(arguments) => seed::run(&arguments),
        Command::Upstream(arguments) => upstream::run(&arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Load(arguments) => load::run(arguments),
        Command::Demo(arguments) => demo::run(&arguments),
    }
}
