//! Where output goes. A closed pipe is no error: whoever reads has seen enough.

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context as _, Result};
use nostall_report::Options;

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
