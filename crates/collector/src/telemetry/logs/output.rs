//! Output: where the lines of the log go.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write};

use anyhow::Context as _;
use tracing_subscriber::fmt::MakeWriter;

/// All places that every line goes to.
#[derive(Debug)]
pub(super) struct Outputs {
    all: Vec<Output>,
}

#[derive(Debug)]
enum Output {
    Stdout,
    Stderr,
    File(File),
}

impl Outputs {
    /// Opens `stdout`, `stderr` and files, to which lines are appended.
    pub(super) fn open(paths: &[String]) -> anyhow::Result<Self> {
        let open = |path: &String| {
            Output::open(path).with_context(|| {
                format!(
                    "open {path} for the collector's own log (service.telemetry.logs.output_paths)"
                )
            })
        };
        Ok(Self { all: paths.iter().map(open).collect::<anyhow::Result<_>>()? })
    }

    /// Whether nobody but people on a terminal reads the lines.
    pub(super) fn is_terminal(&self) -> bool {
        self.all.iter().all(|output| match output {
            Output::Stdout => io::stdout().is_terminal(),
            Output::Stderr => io::stderr().is_terminal(),
            Output::File(_) => false,
        })
    }
}

impl Output {
    fn open(path: &str) -> io::Result<Self> {
        match path {
            "stdout" => Ok(Self::Stdout),
            "stderr" => Ok(Self::Stderr),
            path => OpenOptions::new().create(true).append(true).open(path).map(Self::File),
        }
    }

    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().lock().write_all(line),
            Self::Stderr => io::stderr().lock().write_all(line),
            Self::File(file) => (&mut &*file).write_all(line),
        }
    }
}

impl<'a> MakeWriter<'a> for Outputs {
    type Writer = &'a Outputs;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Outputs {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // One output that fails must not cost the others the line.
        for output in &self.all {
            output.write_line(line).ok();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
