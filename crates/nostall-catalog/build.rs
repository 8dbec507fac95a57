//! Reads and checks the data, and stores it in the form that the library takes it from.

use std::path::{Path, PathBuf};

#[path = "src/check.rs"]
#[allow(dead_code, unreachable_pub)]
mod check;
#[path = "src/data.rs"]
#[allow(dead_code, unreachable_pub)]
mod data;
#[path = "src/entry.rs"]
#[allow(dead_code, unreachable_pub)]
mod entry;
#[path = "src/form.rs"]
#[allow(dead_code, unreachable_pub)]
mod form;

fn main() {
    println!("cargo::rerun-if-changed=data");
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for (language, path) in data::files(Path::new("data")).expect("the data folder can be read") {
        match data::read(language, &path) {
            Ok(tables) => files.push((language, without_snippets(tables))),
            Err(found) => errors.extend(found),
        }
    }
    // All of them at once, as errors of the build: one line each, which cargo prints without a backtrace.
    if !errors.is_empty() {
        errors
            .iter()
            .for_each(|error| println!("cargo::error={error}"));
        return;
    }
    let stored = postcard::to_allocvec(&files).expect("tables can be stored");
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(folder.join("catalogue"), stored).expect("OUT_DIR can be written");
}

/// Takes out what only tests read.
fn without_snippets(mut tables: form::Tables) -> form::Tables {
    for api in &mut tables.api {
        (api.bad, api.good) = (None, None);
    }
    tables
}
