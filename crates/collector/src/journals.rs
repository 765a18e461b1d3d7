//! Journals: looks into a journal on disk, checks it, repairs it, takes its contents out.
//!
//! All but `repair` and `replay` only read, and may run beside the collector; what they show of its newest segment
//! may be a moment old. What the records mean is known to [`decode`].

mod decode;
mod export;
mod queue;
mod replay;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand, ValueEnum};
use journal::inspect::{Inspection, Problem, Progress, StreamFacts, UNFINISHED, inspect};
use journal::repair::repair;
use journal::{Missing, StreamId};
use runtime::volume::{Directory, Permissions, Volume};
use serde_json::json;

use crate::destination::DestinationOptions;
use crate::print::{print_aside, print_line, print_text};

/// What to do with a journal.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Lists the streams and segments of a journal.
    Ls {
        #[command(flatten)]
        place: Place,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Prints the records that are still stored, one JSON object a line.
    Dump {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        choice: Choice,
    },
    /// Reads everything and checks it; damage is a failure.
    Verify {
        #[command(flatten)]
        place: Place,
    },
    /// Saves what is whole of a damaged journal and tells what was lost. Damaged files are kept beside
    /// their replacement. The collector must not run.
    Repair {
        #[command(flatten)]
        place: Place,
    },
    /// Writes the bodies of the stored records out.
    Export {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        choice: Choice,
        /// The file to write, which must not exist; `-` for standard output.
        #[arg(long, short, value_name = "FILE", default_value = "-")]
        output: String,
        /// How bodies are told apart.
        #[arg(long, value_enum, default_value_t = ExportFormat::Delimited)]
        format: ExportFormat,
    },
    /// Sends the requests of a queue, or of its refusals, to an OTLP endpoint, and forgets those that
    /// were taken. It ends at the first that is not. The collector must not run.
    Replay {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        choice: Choice,
        #[command(flatten)]
        destination: Box<DestinationOptions>,
        /// Keeps the requests stored.
        #[arg(long)]
        keep: bool,
    },
}

/// Where the journal is.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// The directory of the journal: the one with `….segment` files in it.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Which records.
#[derive(Clone, Debug, Args)]
pub(crate) struct Choice {
    /// Only the stream of this name or number.
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
    /// At most so many records.
    #[arg(long, value_name = "COUNT", default_value_t = u64::MAX, hide_default_value = true)]
    limit: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// The length of the body as a protobuf varint, then the body as it is stored.
    Delimited,
    /// One JSON text a line, of bodies whose meaning is known.
    Json,
}

pub(crate) async fn run(command: &JournalCommand) -> anyhow::Result<()> {
    match command {
        JournalCommand::Ls { place, json } => list(&place.look()?, *json),
        JournalCommand::Dump { place, choice } => dump(&place.look()?, choice),
        JournalCommand::Verify { place } => verify(&place.look()?),
        JournalCommand::Repair { place } => mend(place),
        JournalCommand::Export { place, choice, output, format } => {
            export::export(&place.look()?, choice, output, *format)
        }
        JournalCommand::Replay { place, choice, destination, keep } => {
            replay::replay(place, choice, destination, *keep).await
        }
    }
}

impl Place {
    fn open(&self) -> anyhow::Result<Arc<Directory>> {
        let path = &self.directory;
        let directory = Directory::open(path, Permissions { file: 0o600, directory: None })?;
        let files = directory.list().with_context(|| format!("list {}", path.display()))?;
        let is_journal = files.iter().any(|file| file.name.ends_with(".segment"));
        ensure!(
            is_journal,
            "there is no journal in {}: no segment file{}",
            path.display(),
            below(path)
        );
        Ok(Arc::new(directory))
    }

    fn look(&self) -> anyhow::Result<Inspection> {
        let directory = self.open()?;
        // Asked through a handle of its own, so that nobody is kept from it while this runs.
        let is_in_use = self.open()?.lock().is_ok_and(|is_free| !is_free);
        if is_in_use {
            print_aside("The journal is in use; its newest records may be missing here.");
        }
        Ok(inspect(directory)?)
    }
}

/// The journals below a directory, for who named the directory above them.
fn below(path: &Path) -> String {
    let Ok(entries) = std::fs::read_dir(path) else { return String::new() };
    let folders = entries.filter_map(Result::ok).map(|entry| entry.path());
    let folders: Vec<_> = folders.filter(|path| path.is_dir()).take(5).collect();
    let folders: Vec<_> = folders.iter().map(|path| path.display().to_string()).collect();
    if folders.is_empty() { String::new() } else { format!("; try {}", folders.join(", ")) }
}

impl Choice {
    /// The streams that were asked for.
    fn streams<'a>(&self, inspection: &'a Inspection) -> anyhow::Result<Vec<&'a StreamFacts>> {
        self.of(&inspection.streams, |stream| (&stream.name, stream.id))
    }

    /// Those of `streams` that were asked for, by name or number.
    fn of<'a, S>(
        &self,
        streams: &'a [S],
        known: impl Fn(&S) -> (&[u8], StreamId),
    ) -> anyhow::Result<Vec<&'a S>> {
        let is_wanted = |stream: &&S| {
            let (name, id) = known(stream);
            let wanted = self.stream.as_ref();
            wanted.is_none_or(|wanted| {
                name == wanted.as_bytes()
                    || decode::name(name) == *wanted
                    || id.0.to_string() == *wanted
            })
        };
        let found: Vec<_> = streams.iter().filter(is_wanted).collect();
        if let (Some(wanted), true) = (&self.stream, found.is_empty()) {
            bail!("there is no stream `{wanted}`; `tidegate journal ls` lists them");
        }
        Ok(found)
    }
}

fn list(inspection: &Inspection, is_json: bool) -> anyhow::Result<()> {
    if is_json {
        return print_line(&listing(inspection).to_string());
    }
    let mut text = format!(
        "{:>6} {:>12} {:>14} {:>12} {:>12}  stream\n",
        "id", "records", "bytes", "weight", "next"
    );
    for stream in &inspection.streams {
        let StreamFacts { id, live_records, live_bytes, live_weight, next, .. } = stream;
        let name = decode::name(&stream.name);
        text += &format!(
            "{:>6} {live_records:>12} {live_bytes:>14} {live_weight:>12} {:>12}  {name}\n",
            id.0, next.0
        );
    }
    text += &format!("\n{:<20} {:>14} {:>14}  state\n", "segment", "bytes", "live bytes");
    for segment in &inspection.segments {
        let state = if segment.has_footer { "closed" } else { "open" };
        text += &format!(
            "{:<20} {:>14} {:>14}  {state}\n",
            segment.file, segment.bytes, segment.live_bytes
        );
    }
    for missing in &inspection.missing {
        text += &format!("\ndamaged: {missing}\n");
    }
    print_text(&text)
}

fn listing(inspection: &Inspection) -> serde_json::Value {
    let streams = inspection.streams.iter().map(|stream| {
        json!({
            "id": stream.id.0,
            "name": decode::name(&stream.name),
            "records": stream.live_records,
            "bytes": stream.live_bytes,
            "weight": stream.live_weight,
            "first": stream.first.map(|first| first.0),
            "next": stream.next.0,
        })
    });
    let segments = inspection.segments.iter().map(|segment| {
        json!({
            "file": segment.file,
            "bytes": segment.bytes,
            "live_bytes": segment.live_bytes,
            "created_unix_ms": segment.created,
            "is_closed": segment.has_footer,
        })
    });
    let damaged = inspection.missing.iter().map(ToString::to_string);
    json!({
        "streams": streams.collect::<Vec<_>>(),
        "segments": segments.collect::<Vec<_>>(),
        "damaged": damaged.collect::<Vec<_>>(),
    })
}

fn dump(inspection: &Inspection, choice: &Choice) -> anyhow::Result<()> {
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let mut left = choice.limit;
    let mut result = Ok(());
    for stream in choice.streams(inspection)? {
        inspection.records(stream.id, |record| {
            if left == 0 || result.is_err() {
                return false;
            }
            left -= 1;
            result = writeln!(output, "{}", decode::record(stream, record));
            result.is_ok()
        });
    }
    export::unless_gone(result.and_then(|()| output.flush()))
}

fn verify(inspection: &Inspection) -> anyhow::Result<()> {
    let mut meter = Meter::default();
    let problems = inspection.verify(|progress| meter.show(progress))?;
    for problem in &problems {
        print_line(&shown(problem))?;
    }
    let is_shown = |missing: &&Missing| {
        problems.iter().any(|one| one.file == missing.file && one.range.contains(&missing.offset))
    };
    for missing in inspection.missing.iter().filter(|missing| !is_shown(missing)) {
        print_line(&missing.to_string())?;
    }
    let damaged = problems.iter().filter(|problem| problem.what != UNFINISHED).count();
    let found = damaged.max(inspection.missing.len());
    ensure!(found == 0, "the journal is damaged; `tidegate journal repair` saves what is whole");
    print_line(&format!("{} segments are whole", inspection.segments.len()))
}

fn mend(place: &Place) -> anyhow::Result<()> {
    let mut meter = Meter::default();
    let repaired = repair(place.open()?, |progress| meter.show(progress))?;
    for problem in &repaired.lost {
        print_line(&format!("lost: {}", shown(problem)))?;
    }
    for (stream, name) in &repaired.renamed {
        print_line(&format!("stream {} lost its name and is `{name}` now", stream.0))?;
    }
    for (file, kept) in &repaired.rewritten {
        print_line(&format!("{file} was written anew; what it was is kept as {kept}"))?;
    }
    if repaired.rewritten.is_empty() {
        print_line("nothing had to be repaired")?;
    }
    Ok(())
}

fn shown(problem: &Problem) -> String {
    let Problem { file, range, records, what } = problem;
    let mut text = format!("{file}, bytes {} to {}: {what}", range.start, range.end);
    for lost in records {
        let state = if lost.is_live { "stored" } else { "done with" };
        text += &format!("; record {} of stream {} ({state})", lost.position.0, lost.stream.0);
    }
    text
}

/// Tells how far long work has come.
#[derive(Debug, Default)]
struct Meter {
    percent: u64,
    bytes: u64,
    bytes_done: u64,
}

impl Meter {
    /// For work on so many bytes.
    fn over(bytes: u64) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// So much more is done.
    fn add(&mut self, bytes: usize) {
        let Self { bytes_done, bytes: all, .. } = *self;
        self.show(Progress { bytes_done: bytes_done + bytes as u64, bytes: all });
    }

    fn show(&mut self, progress: Progress) {
        /// Work that is done before anybody wonders is not told of.
        const SHORT_BYTES: u64 = 64 << 20;
        let Progress { bytes_done, bytes } = progress;
        self.bytes_done = bytes_done;
        let percent = bytes_done * 100 / bytes.max(1);
        if SHORT_BYTES < bytes && self.percent + 5 <= percent {
            self.percent = percent;
            print_aside(&format!("{percent} % of {} MiB", bytes >> 20));
        }
    }
}
