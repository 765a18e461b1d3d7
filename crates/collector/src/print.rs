//! Print: the words of commands on standard output; a reader that went away is no error.

use std::io::{self, ErrorKind, Write as _};

use anyhow::Context as _;

/// Prints one line.
pub(crate) fn print_line(line: &str) -> anyhow::Result<()> {
    print_text(&format!("{line}\n"))
}

/// Prints text as it is.
pub(crate) fn print_text(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("write to standard output")
        }
        _ => Ok(()),
    }
}

/// Prints one line on standard error: progress and problems.
pub(crate) fn print_aside(line: &str) {
    writeln!(io::stderr().lock(), "{line}").ok();
}
