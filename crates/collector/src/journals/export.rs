//! Export: the bodies of stored records, one behind the other.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::{Context as _, bail};
use journal::inspect::{Inspection, StreamFacts};
use journal::{ReadError, Stored};

use super::decode::decode;
use super::{Choice, ExportFormat, Meter};
use crate::print::print_aside;

pub(super) fn export(
    inspection: &Inspection,
    choice: &Choice,
    output: &str,
    format: ExportFormat,
) -> anyhow::Result<()> {
    let streams = choice.streams(inspection)?;
    let meter = Meter::over(streams.iter().map(|stream| stream.live_bytes).sum());
    let output = opened(output)?;
    let mut export = Export { output, format, left: choice.limit, unread: 0, meter };
    let mut written = 0;
    for stream in streams {
        let mut result = Ok(true);
        inspection.records(stream.id, |record| {
            result = export.write(stream, record);
            written += u64::from(matches!(result, Ok(true)));
            matches!(result, Ok(true))
        });
        if !result? {
            break;
        }
    }
    unless_gone(export.output.flush())?;
    print_aside(&format!("{written} records were written"));
    match export.unread {
        0 => Ok(()),
        unread => bail!("{unread} records are damaged and were left out"),
    }
}

/// Where bodies go, and how.
struct Export {
    output: Box<dyn Write>,
    format: ExportFormat,
    left: u64,
    unread: u64,
    meter: Meter,
}

impl Export {
    /// Writes one record; `false` when there will be no more.
    fn write(
        &mut self,
        stream: &StreamFacts,
        record: Result<Stored, ReadError>,
    ) -> anyhow::Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        let body = match record {
            Ok(Stored { body, .. }) => body,
            Err(error) => {
                print_aside(&error.to_string());
                self.unread += 1;
                return Ok(true);
            }
        };
        self.left -= 1;
        self.meter.add(body.len());
        let result = match self.format {
            ExportFormat::Delimited => delimited(&mut self.output, &body),
            ExportFormat::Json => {
                let Some(meaning) = decode(&stream.name, &body) else {
                    let name = super::decode::name(&stream.name);
                    bail!(
                        "what is in the stream `{name}` has no JSON form; use `--format delimited`"
                    );
                };
                writeln!(self.output, "{meaning}")
            }
        };
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            result => result.map(|()| true).context("write a record"),
        }
    }
}

fn delimited(output: &mut dyn Write, body: &[u8]) -> io::Result<()> {
    let mut length = body.len();
    while 0x80 <= length {
        output.write_all(&[(length & 0x7f) as u8 | 0x80])?;
        length >>= 7;
    }
    output.write_all(&[length as u8])?;
    output.write_all(body)
}

fn opened(output: &str) -> anyhow::Result<Box<dyn Write>> {
    if output == "-" {
        return Ok(Box::new(BufWriter::new(io::stdout().lock())));
    }
    // Telemetry is nobody else's business.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(output);
    Ok(Box::new(BufWriter::new(file.with_context(|| format!("make the new file {output}"))?)))
}

/// A reader that went away is no error.
pub(super) fn unless_gone(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("write"),
        _ => Ok(()),
    }
}
