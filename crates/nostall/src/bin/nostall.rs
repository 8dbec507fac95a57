//! Finds the calls that stall an async runtime.

fn main() -> std::process::ExitCode {
    nostall::main_nostall()
}
