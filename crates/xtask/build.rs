//! Tells xtask for which platform it was built.

fn main() {
    let host = std::env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=XTASK_HOST={host}");
    println!("cargo::rerun-if-changed=build.rs");
}
