"""Measures what it costs to follow files.

    files -> collector (CPU 0) -> sink (CPU 1)

Each row is run with the collector and with `cat` of the same bytes, in turn, several times. The
figure is the CPU time for a GiB, start of the process included. A run in which a line is lost or
doubled is reported as a failure and not as a figure. `idle` has many files that nobody writes to.

Usage: bench/files.py [ROW ...] [--mib 1024] [--repeats 5]. Needs Linux, two CPUs and python3;
builds what it runs.
"""

import argparse
import dataclasses
import functools
import json
import os
import pathlib
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import rows
from awake import awake
from programs import Bench, Failure, Process, free_ports, product

HERE = pathlib.Path(__file__).resolve().parent
# Files that each row spreads the same bytes over.
FILES = {"one": 1, "thousand": 1000}
IDLE = "idle"
LINE_BYTES = 256
MILLION_LINES_MIN = 0.5
IDLE_FILES = 10_000
IDLE_SECONDS = 30
IDLE_PERCENT_MAX, IDLE_MIB_MAX = 1, 40
END_SECONDS = 300
ACCEPTED = re.compile(r"^otelcol_receiver_accepted_log_records\S* (\d+)", re.MULTILINE)


@dataclasses.dataclass
class Sample:
    """What one run showed."""

    seconds: float
    cpu_seconds: float
    rss_peak_mib: float


def write_lines(folder, files, lines):
    """Numbered lines as a service writes them, evenly over some files; how many bytes they have."""
    chance = random.Random(1)
    rests = [bytes(chance.choices(b"abcdefghijklmnop =0123456789", k=LINE_BYTES)) for _ in range(64)]
    share = lines // files
    for file in range(files):
        with open(folder / f"{file:05}.log", "wb") as log:
            for line in range(file * share, (file + 1) * share):
                start = b"2026-01-01T00:00:00Z INFO request %010d " % line
                log.write(start + rests[line % 64][len(start) + 1 :] + b"\n")
    return share * files * LINE_BYTES


def cat(folder):
    """One run of the control."""
    paths = sorted(folder.iterdir())
    before, began_at = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with open(os.devnull, "wb") as nowhere:
        command = ["taskset", "--cpu-list", "0", "cat", *paths]
        subprocess.run(command, stdout=nowhere, check=True)
    seconds = time.monotonic() - began_at
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sample(seconds, spent, 0)


class Follower:
    """A collector that follows the files of a folder, and its sink; ended with its block."""

    def __init__(self, bench, folder, config, sink, **variables):
        """`sink` starts the sink at a port."""
        self.bench, self.config, self.start_sink = bench, config, sink
        self.variables = {"BENCH_FOLDER": str(folder), **variables}
        self.data = tempfile.mkdtemp(prefix="bench-")

    def __enter__(self):
        sink_port, self.metrics_port = free_ports(2)
        self.sink = self.start_sink(sink_port)
        self.sink.wait_for(sink_port)
        variables = {
            **self.variables,
            "BENCH_OUT": f"127.0.0.1:{sink_port}",
            "BENCH_METRICS": str(self.metrics_port),
        }
        config = self.bench.config or HERE / "configs" / self.config
        command = [*self.bench.collector, "--config", config, "--data-dir", self.data]
        self.began_at = time.monotonic()
        self.subject = Process("0", command, variables)
        self.subject.wait_for(self.metrics_port)
        return self

    def __exit__(self, *_):
        self.subject.__exit__()
        self.sink.__exit__()
        shutil.rmtree(self.data)

    def accepted(self):
        address = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(address, timeout=5) as answer:
            found = ACCEPTED.findall(answer.read().decode())
        return sum(map(int, found))

    def wait_for(self, lines):
        """Waits until so many lines were delivered; the sample until then."""
        while self.accepted() < lines:
            if self.began_at + END_SECONDS < time.monotonic():
                raise Failure(f"{self.accepted()} of {lines} lines came in {END_SECONDS} s")
            time.sleep(0.1)
        seconds = time.monotonic() - self.began_at
        return Sample(seconds, self.subject.cpu_seconds(), self.subject.mib("VmHWM"))

    def end(self):
        """Ends both; what the sink has."""
        self.subject.process.terminate()
        self.subject.process.wait()
        return self.sink.end()


def over_grpc(bench, folder):
    return Follower(bench, folder, "files.yaml", functools.partial(bench.sink, rows.Row("", "")))


def follow(bench, folder, lines):
    with over_grpc(bench, folder) as follower:
        sample = follower.wait_for(lines)
        totals = follower.end()
    if totals["distinct"] + totals["unnumbered"] != lines:
        raise Failure(f"{lines} lines were written, but the sink has {json.dumps(totals)}")
    return sample


def measure(bench, names, lines, repeats):
    """All samples by row and subject, the subjects in turn."""
    samples = {}
    for name in names:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            folder = pathlib.Path(folder)
            count = write_lines(folder, FILES[name], lines) // LINE_BYTES
            for repeat in range(repeats):
                print(f"{name}: {repeat + 1} of {repeats}", file=sys.stderr)
                samples.setdefault((name, "cat"), []).append(cat(folder))
                sample = follow(bench, folder, count)
                samples.setdefault((name, "**collector**"), []).append(sample)
    return samples


def measure_idle(bench, files):
    """CPU in percent of a core, and memory, of a collector that follows files at rest."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        write_lines(pathlib.Path(folder), files, files)
        with over_grpc(bench, folder) as follower:
            follower.wait_for(files)
            time.sleep(5)
            before = follower.subject.cpu_seconds()
            time.sleep(IDLE_SECONDS)
            percent = (follower.subject.cpu_seconds() - before) / IDLE_SECONDS * 100
            return percent, follower.subject.mib("VmRSS")


def table(samples, mib):
    """Markdown."""
    yield "| row | subject | MB/s | CPU s per GiB | spread | lines/s of one core | x cat | peak MiB |"
    yield "|---|---|---|---|---|---|---|---|"
    gib = mib / 1024
    for (name, subject), found in samples.items():
        costs = sorted(sample.cpu_seconds / gib for sample in found)
        cost = statistics.median(costs)
        control = statistics.median(one.cpu_seconds / gib for one in samples[name, "cat"])
        rate = mib * 1.048576 / statistics.median(sample.seconds for sample in found)
        lines = (1 << 30) / LINE_BYTES / cost / 1e6
        goal = f" (goal {MILLION_LINES_MIN} M)" if subject != "cat" else ""
        files = f"{FILES[name]:,} file{'s' if 1 < FILES[name] else ''}"
        yield (
            f"| {files} | {subject} | {rate:.0f} | {cost:.2f} | {costs[0]:.2f} to {costs[-1]:.2f}"
            f" | {lines:.2f} M{goal} | {cost / control:.1f}"
            f" | {max(sample.rss_peak_mib for sample in found):.0f} |"
        )


def arguments():
    known = [*FILES, IDLE]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(known)}")
    parser.add_argument("--bin", help="the collector to measure; Tidegate, if not given")
    parser.add_argument("--config", help="its configuration, instead of that of these rows")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--mib", type=int, default=1024, help="how much is read in a run")
    parser.add_argument("--idle-files", type=int, default=IDLE_FILES)
    parser.add_argument("--no-build", action="store_true", help="use what was built before")
    options = parser.parse_args()
    unknown = set(options.rows) - set(known)
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    options.rows = options.rows or known
    return options


def main():
    options = arguments()
    tools = product(is_built=options.no_build)
    bench = Bench(tools, None, [options.bin or tools], options.config, 0)
    with awake():
        show(bench, options)


def show(bench, options):
    """Measures the rows and prints them."""
    names = [name for name in options.rows if name in FILES]
    lines = (options.mib << 20) // LINE_BYTES
    if names:
        print("\n".join(table(measure(bench, names, lines, options.repeats), options.mib)))
    if IDLE in options.rows:
        percent, mib = measure_idle(bench, options.idle_files)
        print(
            f"\n{options.idle_files:,} idle files: {percent:.2f} % of a core"
            f" (goal {IDLE_PERCENT_MAX} %), {mib:.1f} MiB (goal {IDLE_MIB_MAX})"
        )


if __name__ == "__main__":
    main()
