//! Sources: length, header and name of every Rust file.

use crate::workspace::Workspace;

/// Lines of a file, blanks and comments included.
const LINES_MAX: usize = 500;

/// Catalogues: tables that are read by searching, not from top to bottom.
const CATALOGUES: &[&str] = &[];

/// Names that say nothing about what is inside.
const BANNED_NAMES: &[&str] =
    &["utils", "util", "common", "core", "helpers", "helper", "misc", "mod"];

pub(super) fn check(workspace: &Workspace, findings: &mut Vec<String>) -> anyhow::Result<()> {
    for file in workspace.files()?.iter().filter(|file| file.ends_with(".rs")) {
        let text = workspace.read(file)?;
        check_file(file, &text, findings);
    }
    Ok(())
}

fn check_file(file: &str, text: &str, findings: &mut Vec<String>) {
    let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".rs")).unwrap_or(file);
    let is_test = stem == "tests" || file.contains("/tests/") || file.contains("/benches/");
    let lines = text.lines().count();
    if LINES_MAX < lines && !is_test && !CATALOGUES.contains(&file) {
        findings.push(format!("{file}: {lines} lines, at most {LINES_MAX}"));
    }
    if BANNED_NAMES.contains(&stem) {
        findings.push(format!("{file}: `{stem}` is not a noun of the domain"));
    }
    if !is_test && !text.starts_with("//!") {
        findings.push(format!("{file}: no module header"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        // Spelt in two parts, so that this line is not found itself.
        let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
        if marks.iter().any(|mark| line.contains(mark)) && !line.contains('#') {
            findings.push(format!("{file}:{number}: a mark without an issue"));
        }
    }
}
