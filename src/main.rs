//! The program: parse the command line, run it, tell how it ended.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use harmattan::cli::{self, Cli, Exit};

/// Documents are taken apart and judged on all processors at once, in many small pieces.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long threads that still block may delay the end.
const LAST_WAIT: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = run(cli);
    let exit = match outcome {
        Ok(exit) => exit,
        Err(error) => {
            complain(&error);
            Exit::of(&error)
        }
    };
    ExitCode::from(exit as u8)
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    // One provider, chosen once: without it the HTTP client refuses to be built.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        anyhow::bail!("a TLS provider was installed twice");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(Box::pin(cli::main(cli)));
    runtime.shutdown_timeout(LAST_WAIT);
    outcome
}

#[expect(clippy::print_stderr, reason = "the one place that says why the program failed")]
fn complain(error: &anyhow::Error) {
    if error.is::<harmattan::config::Problems>() {
        // Each problem begins with its own file and line, where editors look for them.
        eprintln!("{error:#}");
    } else {
        eprintln!("harmattan: {error:#}");
    }
    if let Some(hint) = cli::hint(error) {
        eprintln!("  hint: {hint}");
    }
}
