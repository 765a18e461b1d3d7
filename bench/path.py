"""Measures what a collector costs on the path from a load generator to a sink.

    generator (CPU 1) -> subject (CPU 0) -> sink (CPU 1)

Each row is run with the collector and with controls that do nothing, in turn, several times. The
figure is the CPU time of the subject for a million items: it does not depend on whether generator
or sink keep up, nor on what else the machine does. A run whose ledger is not exact (an item lost,
doubled, or acknowledged and not arrived) is reported as a failure and not as a figure.

Usage: bench/path.py [ROW ...] [--quick]. Needs Linux, two CPUs and python3; builds what it runs.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
START_SECONDS = 20
END_SECONDS = 30
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Text of an item, so that a request of 1,000 has 298 KB.
ITEM_BYTES = 222
# Items of a load that is not counted: connections, tables and caches are warm after it.
WARM_UP_ITEMS = 100_000


@dataclasses.dataclass(frozen=True)
class Row:
    """One kind of load."""

    about: str
    config: str
    protocol: str = "grpc"
    compression: str = "none"
    items: int = 1000
    connections: int = 1
    concurrency: int = 8
    # How much of the usual number of items is sent.
    share: float = 1.0

    @property
    def controls(self):
        return ("tcp", "http2" if self.protocol == "grpc" else "http1")


ROWS = {
    "grpc": Row("gRPC, 1,000 a request", "grpc.yaml"),
    "grpc-gzip": Row("gRPC, gzip both ways", "grpc.yaml", compression="gzip", share=0.5),
    "grpc-zstd": Row("gRPC, zstd both ways", "grpc.yaml", compression="zstd", share=0.5),
    "http": Row("HTTP, 1,000 a request", "http.yaml", protocol="http"),
    "grpc-insert": Row("gRPC, insert an attribute", "grpc-insert.yaml"),
    "grpc-small": Row(
        "gRPC, 10 a request", "grpc.yaml", items=10, connections=2, concurrency=50, share=0.1
    ),
    "grpc-small-batch": Row(
        "gRPC, 10 a request, batched to 1,000",
        "grpc-batch.yaml",
        items=10,
        connections=4,
        concurrency=100,
        share=0.1,
    ),
}


@dataclasses.dataclass
class Sample:
    """What one run showed."""

    cpu_seconds: float
    items: int
    seconds: float
    latency_ms: tuple
    rss_peak_mib: float

    @property
    def cpu_per_million(self):
        return self.cpu_seconds / self.items * 1e6


class Failure(Exception):
    """A run that shows no figure."""


class Process:
    """A process on one CPU, ended with the block it is used in."""

    def __init__(self, cpu, command, variables=None):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["taskset", "--cpu-list", str(cpu), *map(str, command)],
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def wait_for(self, port):
        ends_at = time.monotonic() + START_SECONDS
        while time.monotonic() < ends_at and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Failure(f"nothing listens on port {port}: {self.complaint()}")

    def complaint(self):
        self.errors.seek(0)
        return self.errors.read()[-2000:].strip()

    def cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def rss_peak_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def result(self, seconds):
        """The JSON of the last line, when the process has ended."""
        try:
            output, _ = self.process.communicate(timeout=seconds)
            return json.loads(output.strip().splitlines()[-1])
        except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
            raise Failure(f"no result: {error!r} {self.complaint()}") from error


@dataclasses.dataclass
class Bench:
    """The programs, and how much is sent."""

    tools: pathlib.Path
    control: pathlib.Path
    collector: list
    config: str
    items: int

    def subject(self, name, row, ports):
        addresses = [f"127.0.0.1:{port}" for port in ports]
        if name != "collector":
            return Process(0, [self.control, name, *addresses])
        variables = {
            "BENCH_IN": addresses[0],
            "BENCH_OUT": addresses[1],
            "BENCH_COMPRESSION": row.compression,
        }
        config = self.config or HERE / "configs" / row.config
        return Process(0, [*self.collector, "--config", config], variables)

    def sink(self, row, port):
        address = f"127.0.0.1:{port}"
        grpc, http = (address, "") if row.protocol == "grpc" else ("", address)
        return Process(1, [self.tools, "sink", "--grpc", grpc, "--http", http, "--json"])

    def load(self, row, port, items):
        scheme = "http://" if row.protocol == "http" else ""
        options = {
            "endpoint": f"{scheme}127.0.0.1:{port}",
            "protocol": row.protocol,
            "compression": row.compression,
            "items": row.items,
            "item-bytes": ITEM_BYTES,
            "connections": row.connections,
            "concurrency": row.concurrency,
            "requests": max(1, round(items / row.items)),
            "seconds": 600,
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        with Process(1, [self.tools, "generate", "--json", *words]) as generator:
            sent = generator.result(660)
        if sent["acknowledged_items"] != sent["sent_items"] or sent["rejected_items"]:
            raise Failure(f"not everything was taken: {sent}")
        return sent

    def run(self, name, row):
        """One run of one subject."""
        ports = free_ports(2)
        with self.sink(row, ports[1]) as sink, self.subject(name, row, ports) as subject:
            sink.wait_for(ports[1])
            subject.wait_for(ports[0])
            warm = self.load(row, ports[0], WARM_UP_ITEMS)
            before = subject.cpu_seconds()
            sent = self.load(row, ports[0], self.items * row.share)
            cpu_seconds = subject.cpu_seconds() - before
            rss_peak_mib = subject.rss_peak_mib()
            sink.process.send_signal(signal.SIGTERM)
            totals = sink.result(END_SECONDS)
        check_ledger(warm["sent_items"] + sent["sent_items"], totals)
        latency_ms = tuple(sent[f"latency_micros_{at}"] / 1000 for at in ("p50", "p99", "p999"))
        items, seconds = sent["sent_items"], sent["seconds"]
        return Sample(cpu_seconds, items, seconds, latency_ms, rss_peak_mib)


def check_ledger(sent_items, totals):
    """All that was sent was acknowledged: it must have arrived, once."""
    arrived = (totals["distinct"], totals["doubled"], totals["unnumbered"])
    if arrived != (sent_items, 0, 0):
        raise Failure(f"{sent_items} items were acknowledged, but the sink has {totals}")


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def measure(bench, names, repeats):
    """All samples by row and subject, the subjects in turn."""
    samples = {}
    for repeat in range(repeats):
        for name in names:
            row = ROWS[name]
            for subject in (*row.controls, "collector"):
                print(f"{name}: {subject}, {repeat + 1} of {repeats}", file=sys.stderr)
                sample = bench.run(subject, row)
                samples.setdefault((name, subject), []).append(sample)
    return samples


def middle(samples, figure):
    return statistics.median(figure(sample) for sample in samples)


def table(samples):
    """The rows as Markdown."""
    yield (
        "| row | subject | CPU s per million items | spread | items/s of one core | items/s measured"
        " | p50 / p99 / p99.9 ms | peak MiB | x tcp | x null proxy |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for (name, subject), found in samples.items():
        row = ROWS[name]
        cost = middle(found, lambda sample: sample.cpu_per_million)
        costs = [sample.cpu_per_million for sample in found]
        rate = middle(found, lambda sample: sample.items / sample.seconds)
        latency = " / ".join(
            f"{middle(found, lambda sample, at=at: sample.latency_ms[at]):.1f}" for at in range(3)
        )
        ratios = [
            cost / middle(samples[name, control], lambda sample: sample.cpu_per_million)
            for control in row.controls
        ]
        yield (
            f"| {row.about} | {subject} | {cost:.3f} | {min(costs):.3f} to {max(costs):.3f}"
            f" | {1 / cost:.2f} M | {rate / 1e6:.2f} M | {latency}"
            f" | {max(sample.rss_peak_mib for sample in found):.0f}"
            f" | {ratios[0]:.2f} | {ratios[1]:.2f} |"
        )


def build(target):
    """Builds the product and the controls, each as it is released."""
    product = ["--package", "collector", "--bin", "tidegate"]
    control = ["--manifest-path", HERE / "control" / "Cargo.toml"]
    for words, folder in ((product, target), (control, target / "control")):
        command = ["cargo", "build", "--release", "--locked", "--target-dir", folder, *words]
        subprocess.run(command, cwd=ROOT, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all if none")
    parser.add_argument("--bin", help="the collector to measure; Tidegate, if not given")
    parser.add_argument("--config", help="its configuration, instead of that of the row")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--items", type=int, default=4_000_000, help="items of a run")
    parser.add_argument("--quick", action="store_true", help="3 repeats of half as many items")
    parser.add_argument("--json", type=pathlib.Path, help="where to write all samples")
    parser.add_argument("--no-build", action="store_true", help="use what was built before")
    options = parser.parse_args()
    unknown = set(options.rows) - set(ROWS)
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    if not options.no_build:
        build(target)
    tools = target / "release" / "tidegate"
    control = target / "control" / "release" / "control"
    repeats, items = (3, options.items // 2) if options.quick else (options.repeats, options.items)
    bench = Bench(tools, control, [options.bin or tools], options.config, items)
    try:
        samples = measure(bench, options.rows or list(ROWS), repeats)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    if options.json:
        all_samples = [
            {"row": row, "subject": subject, **dataclasses.asdict(sample)}
            for (row, subject), found in samples.items()
            for sample in found
        ]
        options.json.write_text(json.dumps(all_samples, indent=1))
    print("\n".join(table(samples)))


if __name__ == "__main__":
    main()
