//! Where output goes. A closed pipe is no error: whoever reads has seen enough.

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::arguments::Color;

/// Writes to a file that appears whole or not at all, or to standard output.
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
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".nostall-")
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    make_readable(file.as_file())?;
    file.persist(path)?;
    Ok(())
}

/// Temporary files are private; what they become is a file like others.
#[cfg(unix)]
fn make_readable(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_file: &std::fs::File) -> io::Result<()> {
    Ok(())
}

/// Says whether to write in colour: <https://no-color.org>.
pub(crate) fn with_color(color: Color, to_file: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !to_file && !forbidden && io::stdout().is_terminal()
        }
    }
}

/// The width of the terminal in columns; 100 elsewhere.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0).clamp(60, 200))
}
