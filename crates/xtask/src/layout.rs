//! Layout: which functions run from the start of the product to its rest, for the linker.
//!
//! What a process holds of its binary are the pages around what it ran: the system maps 64 KiB with
//! each that is touched. Where these functions stand together, they fill few pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::workspace::{Workspace, say};

/// Read by the build script of the collector.
const LAYOUT: &str = "crates/collector/layout.ld";

/// What runs is laid down in this order: what each collector does, what a request adds, and what
/// more most collectors have.
const RUNS: [&[&str]; 3] =
    [&["--config", "bench/configs/grpc.yaml"], &["demo", "--seconds", "2"], &["--config", USUAL]];

/// What `bench/configs` ask of their environment; any port that is free.
const VARIABLES: [(&str, &str); 3] =
    [("BENCH_IN", "127.0.0.1:0"), ("BENCH_OUT", "127.0.0.1:4317"), ("BENCH_COMPRESSION", "none")];

const USUAL: &str = "yaml:
receivers:
  otlp: { protocols: { grpc: { endpoint: 127.0.0.1:0 }, http: { endpoint: 127.0.0.1:0 } } }
  file_log: { include: [no-such-file.log] }
processors:
  memory_limiter: { check_interval: 1s, limit_mib: 512 }
  batch:
exporters:
  otlp: { endpoint: localhost:4317, tls: { insecure: true } }
  otlp_http: { endpoint: https://localhost:4318 }
extensions: { health_check: { endpoint: 127.0.0.1:0 } }
service:
  extensions: [health_check]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs:
      receivers: [otlp, file_log]
      processors: [memory_limiter, batch]
      exporters: [otlp, otlp_http]
";

/// Until it rests, under valgrind.
const SECONDS_TO_REST: &str = "20";

/// Runs the product and writes the layout down.
pub(crate) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    let layout = workspace.root.join(LAYOUT);
    // Valgrind knows the names of functions in `.text` only, not of those that a layout takes out.
    match std::fs::remove_file(&layout) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).context("remove the old layout");
        }
        _ => {}
    }
    let mut build = Command::new(env!("CARGO"));
    build.args(["rustc", "--release", "--locked", "--package", "collector", "--bin", "tidegate"]);
    build.args(["--message-format", "json", "--", "-Cstrip=none"]);
    let program = workspace.built(&mut build, "tidegate")?;
    let mut laid = Vec::new();
    let mut known = BTreeSet::new();
    for words in RUNS {
        let ran = profile(workspace, &program, words)?;
        ensure!(!ran.is_empty(), "no function was seen to run");
        laid.extend(ran.difference(&known).cloned());
        known.extend(ran);
    }
    std::fs::write(layout, script(&laid)).context("write the layout")?;
    say(&format!("wrote {LAYOUT}: {} functions", laid.len()));
    Ok(())
}

/// What ran of `program`, as callgrind saw it.
fn profile(
    workspace: &Workspace,
    program: &Path,
    words: &[&str],
) -> anyhow::Result<BTreeSet<String>> {
    let folder = workspace.root.join("target/layout");
    std::fs::create_dir_all(&folder).context("make a folder for what callgrind sees")?;
    let profile = folder.join("callgrind.out");
    let mut run = Command::new("timeout");
    run.args(["--preserve-status", SECONDS_TO_REST, "valgrind", "--tool=callgrind"]);
    run.arg("--demangle=no").arg(format!("--callgrind-out-file={}", profile.display()));
    run.arg(program).args(words).envs(VARIABLES).env("STATE_DIRECTORY", folder);
    workspace.output(&mut run)?;
    let text = std::fs::read_to_string(profile).context("read what callgrind saw")?;
    Ok(functions(&text, &program.to_string_lossy()))
}

/// All functions of `program` itself that ran.
fn functions(profile: &str, program: &str) -> BTreeSet<String> {
    let (mut objects, mut names) = (BTreeMap::new(), BTreeMap::new());
    let (mut object, mut ran) = ("", BTreeSet::new());
    for (word, value) in profile.lines().filter_map(|line| line.split_once('=')) {
        // A name is written where its number comes first.
        let (number, name) = value.split_once(' ').map_or((value, None), |(n, m)| (n, Some(m)));
        match word {
            "ob" | "cob" => objects.extend(name.map(|name| (number, name))),
            "fn" | "cfn" => names.extend(name.map(|name| (number, name))),
            _ => continue,
        }
        match word {
            "ob" => object = number,
            "fn" => drop(ran.insert((object, number))),
            _ => {}
        }
    }
    let is_ours = |object: &str| objects.get(object) == Some(&program);
    let ours = ran.iter().filter(|(object, _)| is_ours(object));
    ours.filter_map(|(_, number)| names.get(number)).filter_map(|name| stable(name)).collect()
}

/// A function as any build names it: without hashes, so with all its instances.
fn stable(name: &str) -> Option<String> {
    // Behind it stands how deep it was in itself, or what the compiler did to it.
    let name = name.split('\'').next()?;
    let stable = match name.rfind("17h") {
        Some(hash) if name.starts_with("_ZN") => format!("{}17h*", &name[..hash]),
        _ if name.starts_with("_R") => without_crate_hashes(name),
        _ => name.to_owned(),
    };
    let is_plain = stable.chars().all(|c| c.is_ascii_alphanumeric() || "_$.*".contains(c));
    (is_plain && !stable.starts_with("0x")).then_some(stable)
}

/// `NtCsjrHSEGnQ3l9_3std` becomes `NtCs*_3std*`.
fn without_crate_hashes(name: &str) -> String {
    let mut parts = name.split('.').next().unwrap_or_default().split("Cs");
    let first = parts.next().unwrap_or_default().to_owned();
    let stable = parts.fold(first, |text, part| {
        let rest = part.split_once('_').map_or("", |(_, rest)| rest);
        format!("{text}Cs*_{rest}")
    });
    format!("{stable}*")
}

fn script(functions: &[String]) -> String {
    let mut text = String::from(
        "/* What runs from start to rest stands together, and then what more is often run.\n   \
         Written by `cargo xtask layout`. */\nSECTIONS\n{\n  .text.start :\n  {\n",
    );
    for function in functions {
        writeln!(text, "    *(.text.{function})").ok();
    }
    // What the compiler takes for seldom used: little, and some of it runs.
    text + "    *(.text.unlikely.*)\n  }\n}\nINSERT BEFORE .text;\n"
}

#[cfg(test)]
mod tests;
