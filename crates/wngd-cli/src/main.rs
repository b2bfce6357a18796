//! `wngd`: fit models to densities by natural gradient descent.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    wngd_cli::main()
}
