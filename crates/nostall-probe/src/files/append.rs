//! Adds to the end of a file: all of it or nothing, as far as one process can see to it.
//!
//! The operating system adds each write as a whole to the end (`O_APPEND`), but a full disk cuts a write short. What was written then
//! is cut off again, and that is safe only while nobody else appends: appends of this process to one file take turns, and
//! if the end has moved because another process appended, the part stays and the error says so.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Seek, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use cap_std::fs::{Dir, File, Metadata, OpenOptions};

use super::error::{FileError, at};
use super::options::FilesOptions;
use super::path::{Place, Target, sync_folder};
use super::write::step;
use crate::error::Cause;

/// Adds to the end of a file, which is made if it is missing.
pub(super) fn append(
    root: &Dir,
    target: &Target,
    content: &[u8],
    options: &FilesOptions,
) -> Result<(), Cause> {
    let place = target.place_by(root, step(options))?;
    let (mut file, metadata, made) = open(&place)?;
    {
        let turn = &TURNS[turn_of(&metadata)];
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        append_whole(&mut file, target.path(), content)?;
    }
    if options.durable {
        file.sync_all().map_err(at(target.path()))?;
        if made {
            sync_folder(place.dir()).map_err(at(target.path()))?;
        }
    }
    Ok(())
}

/// Opens the file, and says whether it may have been made.
fn open(place: &Place<'_>) -> Result<(File, Metadata, bool), Cause> {
    let existing = place.open(OpenOptions::new().append(true));
    match existing {
        Err(Cause::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            let (file, metadata) = place.open(OpenOptions::new().append(true).create(true))?;
            Ok((file, metadata, true))
        }
        existing => existing.map(|(file, metadata)| (file, metadata, false)),
    }
}

/// Two files may share a turn; one file never has two.
static TURNS: [Mutex<()>; 64] = [const { Mutex::new(()) }; 64];

#[cfg(unix)]
fn turn_of(metadata: &Metadata) -> usize {
    use cap_std::fs::MetadataExt;
    let mut hasher = DefaultHasher::new();
    (metadata.dev(), metadata.ino()).hash(&mut hasher);
    usize::try_from(hasher.finish() % TURNS.len() as u64).unwrap_or(0)
}

/// Files have no number that could be had in the same way: all share one turn.
#[cfg(not(unix))]
fn turn_of(_metadata: &Metadata) -> usize {
    0
}

/// Writes in one call if the system takes it; else goes on, and at an error cuts off what is there.
fn append_whole(file: &mut File, path: &Path, content: &[u8]) -> Result<(), Cause> {
    let mut part = Part::default();
    while part.written < content.len() {
        match file.write(&content[part.written..]) {
            Ok(0) => return Err(part.undo(file, path, content, io::ErrorKind::WriteZero.into())),
            Ok(count) if count == content.len() => return Ok(()),
            Ok(count) => part.grow(file, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(part.undo(file, path, content, error)),
        }
    }
    Ok(())
}

/// What is written of an append that took more than one call.
#[derive(Default)]
struct Part {
    written: usize,
    /// Where it ends, while it is in one piece and nobody else can have added to it.
    end: Option<u64>,
}

impl Part {
    fn grow(&mut self, file: &mut File, count: usize) {
        let position = file.stream_position().ok();
        let follows = self.written == 0
            || matches!((position, self.end), (Some(now), Some(end)) if now == end + count as u64);
        self.end = position.filter(|_| follows);
        self.written += count;
    }

    fn undo(&self, file: &mut File, path: &Path, content: &[u8], error: io::Error) -> Cause {
        if self.written == 0 {
            return at(path)(error);
        }
        let length = file.metadata().map(|metadata| metadata.len()).ok();
        let start = self.end.map(|end| end - self.written as u64);
        match start {
            Some(start) if length == self.end && file.set_len(start).is_ok() => at(path)(error),
            _ => FileError::PartlyAppended {
                path: path.to_owned(),
                written: self.written,
                length: content.len(),
                source: error,
            }
            .into(),
        }
    }
}
