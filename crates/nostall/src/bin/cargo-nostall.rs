//! `cargo nostall`.

fn main() -> std::process::ExitCode {
    nostall::main_cargo_nostall()
}
