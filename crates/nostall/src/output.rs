//! Where output goes. A closed pipe is no error: whoever reads has seen enough.

use std::fs;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context as _, Result};
use nostall_report::Options;

use crate::arguments::Color;

/// Writes to standard output, or to a file: a regular one appears whole or not at all, all others are written in place.
pub(crate) fn write(output: Option<&Path>, bytes: &[u8]) -> Result<()> {
    match output {
        Some(path) => write_file(path, bytes).with_context(|| format!("write {}", path.display())),
        None => ignore_closed_pipe(write_all(&mut io::stdout().lock(), bytes))
            .context("write to standard output"),
    }
}

/// Writes to standard error.
pub(crate) fn write_error(bytes: &[u8]) -> Result<()> {
    ignore_closed_pipe(write_all(&mut io::stderr().lock(), bytes))
        .context("write to standard error")
}

fn write_all(out: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    out.write_all(bytes)?;
    out.flush()
}

fn ignore_closed_pipe(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match target(path)? {
        Target::Standard(mut stream) => ignore_closed_pipe(write_all(&mut *stream, bytes)),
        Target::Special(path) => ignore_closed_pipe(write_in_place(&path, bytes)),
        Target::Regular(path) => replace(&path, bytes),
    }
}

/// What a path leads to, all links followed: a link stays, what it names is written.
enum Target {
    /// One of the process's own streams.
    Standard(Box<dyn Write>),
    /// A device, a pipe, a socket, an open file of a process: only writing into it means anything.
    Special(PathBuf),
    /// A regular file, or one that is not there yet.
    Regular(PathBuf),
}

/// Links of links that are followed; the system's own limit.
const MAX_LINKS: usize = 40;

fn target(path: &Path) -> io::Result<Target> {
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        if let Some(descriptor) = descriptor(&path) {
            return Ok(match descriptor.as_str() {
                "1" => Target::Standard(Box::new(io::stdout())),
                "2" => Target::Standard(Box::new(io::stderr())),
                _ => Target::Special(path),
            });
        }
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                path = folder_of(&path).join(fs::read_link(&path)?);
            }
            Ok(metadata) if metadata.is_file() => return Ok(Target::Regular(path)),
            Ok(metadata) if metadata.is_dir() => {
                return Err(io::Error::from(io::ErrorKind::IsADirectory));
            }
            Ok(_) => return Ok(Target::Special(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Target::Regular(path));
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many links"))
}

/// The number of an open file of a process, `/dev/fd/63` or `/proc/self/fd/63`. What such a link reads as is no path.
fn descriptor(path: &Path) -> Option<String> {
    let folder = folder_of(path).canonicalize().ok()?;
    let of_process = folder.starts_with("/proc") || folder == Path::new("/dev/fd");
    let name = path.file_name()?.to_str()?;
    (of_process && folder.ends_with("fd")).then(|| name.to_owned())
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

/// Appends, so that what others write to the same open file stays.
fn write_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().append(true).open(path)?;
    write_all(&mut file, bytes)
}

/// Puts a new file in the place of the old: with its mode and, where the system lets us, its owner.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let known = match fs::OpenOptions::new().append(true).open(path) {
        Ok(file) => Some(file.metadata()?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut file = match temporary(folder_of(path)) {
        // The file may be written, the folder around it may not.
        Err(error) if known.is_some() && error.kind() == io::ErrorKind::PermissionDenied => {
            return fs::write(path, bytes);
        }
        other => other?,
    };
    file.write_all(bytes)?;
    if let Some(known) = &known {
        resemble(file.as_file(), known)?;
    }
    file.as_file().sync_all()?;
    match file.persist(path) {
        // A file that is mounted by itself, as containers do, has no other in its place.
        Err(error) if error.error.kind() == io::ErrorKind::ResourceBusy => fs::write(path, bytes),
        other => Ok(other.map(drop)?),
    }
}

#[cfg(unix)]
fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    // Temporary files are private; what this one becomes is a file like others, less what the user's mask takes.
    tempfile::Builder::new()
        .prefix(".nostall-")
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

#[cfg(not(unix))]
fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".nostall-")
        .tempfile_in(folder)
}

#[cfg(unix)]
fn resemble(file: &fs::File, known: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    // Only root may give files away. The owner goes before the mode: a new owner takes mode bits off.
    let _ = fchown(file, Some(known.uid()), Some(known.gid()));
    file.set_permissions(known.permissions())
}

#[cfg(not(unix))]
fn resemble(file: &fs::File, known: &fs::Metadata) -> io::Result<()> {
    file.set_permissions(known.permissions())
}

/// Says whether to write in colour: as asked, else as the environment and the terminal say.
///
/// <https://no-color.org>, <https://bixense.com/clicolors>, <https://force-color.org>.
pub(crate) fn with_color(color: Color, to_file: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if to_file => false,
        Color::Auto => {
            let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            let forced = set("FORCE_COLOR") && !set("NO_COLOR");
            forced || AutoStream::choice(&io::stdout()) != ColorChoice::Never
        }
    }
}

/// Without a terminal and without `COLUMNS`.
const USUAL_WIDTH: u16 = 100;

/// The columns of the output: what `COLUMNS` says, else the terminal.
pub(crate) fn width(to_file: bool) -> usize {
    let said = std::env::var("COLUMNS").ok();
    let said = said.and_then(|columns| columns.trim().parse().ok());
    let terminal = || {
        let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
        Some(width.0)
    };
    let columns = match said {
        Some(columns) if columns > 0 => columns,
        _ if to_file => USUAL_WIDTH,
        _ => terminal().unwrap_or(USUAL_WIDTH),
    };
    usize::from(columns).clamp(40, 400)
}

/// How answers to questions are written.
pub(crate) fn style(color: Color) -> Options {
    Options {
        color: with_color(color, false),
        width: width(false),
        terminal: io::stdout().is_terminal(),
        ..Options::default()
    }
}
