//! Build: hands the layout to the linker, so that what runs at start stands together.

use std::io::{self, Write as _};
use std::path::Path;

/// Written by `cargo xtask layout`, which builds without it; GNU ld and LLVM's take it.
const LAYOUT: &str = "layout.ld";

fn main() -> io::Result<()> {
    let variable = |name| std::env::var(name).unwrap_or_default();
    // Another linker may not know layouts, and nothing but the memory at rest depends on them.
    let is_default_linker = variable("RUSTC_LINKER").is_empty()
        && !variable("CARGO_ENCODED_RUSTFLAGS").contains("link");
    let mut cargo = io::stdout().lock();
    writeln!(cargo, "cargo::rerun-if-changed={LAYOUT}")?;
    let layout = Path::new(&variable("CARGO_MANIFEST_DIR")).join(LAYOUT);
    if variable("CARGO_CFG_TARGET_OS") == "linux"
        && variable("PROFILE") == "release"
        && is_default_linker
        && layout.exists()
    {
        writeln!(cargo, "cargo::rustc-link-arg-bins=-Wl,--script={}", layout.display())?;
    }
    Ok(())
}
