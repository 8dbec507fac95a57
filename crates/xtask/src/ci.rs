//! What CI runs.

use anyhow::Result;

use crate::run as command;

/// Runs all checks; the first that fails ends it.
pub(crate) fn run() -> Result<()> {
    command("cargo", &["fmt", "--all", "--check"])?;
    command(
        "cargo",
        &["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"],
    )?;
    crate::tidy::run()?;
    crate::generate::run(true)?;
    documentation()?;
    command("cargo", &["test"])?;
    // nostall on its own code.
    command("cargo", &["run", "--quiet", "-p", "nostall", "--", "check"])
}

/// Documentation without warnings: broken links are errors.
fn documentation() -> Result<()> {
    println!("$ RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps");
    let status = std::process::Command::new("cargo")
        .args(["doc", "--quiet", "--no-deps"])
        .env("RUSTDOCFLAGS", "-Dwarnings")
        .current_dir(crate::root())
        .status()?;
    anyhow::ensure!(status.success(), "cargo doc failed");
    Ok(())
}
