//! The command line of nostall: arguments, exit codes, printing.

mod arguments;
mod ask;
mod known;
mod output;
mod pages;
mod progress;
mod run;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs `nostall` with the arguments of the process.
#[must_use]
pub fn main_nostall() -> ExitCode {
    run::main(&std::env::args_os().collect::<Vec<_>>())
}

/// Runs `cargo nostall`: cargo passes the name of the subcommand as the first argument.
#[must_use]
pub fn main_cargo_nostall() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments
        .get(1)
        .is_some_and(|argument| argument == "nostall")
    {
        arguments.remove(1);
    }
    run::main(&arguments)
}
