//! Print: the words of commands on standard output; a reader that went away is no error.

use std::io::Write as _;

/// Prints one line.
pub(crate) fn print_line(line: &str) {
    print_text(&format!("{line}\n"));
}

/// Prints text as it is.
pub(crate) fn print_text(text: &str) {
    std::io::stdout().lock().write_all(text.as_bytes()).ok();
}

/// Prints one line on standard error: progress and problems.
pub(crate) fn print_aside(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").ok();
}
