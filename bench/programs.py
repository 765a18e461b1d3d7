"""The programs of a run: generator and sink on CPU 1, the subject on CPU 0."""

import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import rows

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
START_SECONDS = 20
END_SECONDS = 60
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# A process that uses no more of a core does nothing.
QUIET_SHARE = 0.05
# Items of a load that is not counted: connections, tables and caches are warm after it.
WARM_UP_ITEMS = 100_000
OTHERS_CPU = "1"


@dataclasses.dataclass
class Sample:
    """What one run showed."""

    cpu_seconds: float
    items: int
    seconds: float
    latency_ms: tuple
    rss_peak_mib: float
    rss_mib: float
    # The largest share of the CPU time that one thread had.
    thread_share: float

    @property
    def cpu_per_million(self):
        return self.cpu_seconds / self.items * 1e6


class Failure(Exception):
    """A run that shows no figure."""


class Process:
    """A process on some CPUs, ended with the block it is used in, and its folder removed."""

    def __init__(self, cpus, command, variables=None, folder=None):
        self.errors = tempfile.TemporaryFile("w+")
        self.folder = folder
        self.process = subprocess.Popen(
            ["taskset", "--cpu-list", cpus, *map(str, command)],
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
        if self.folder:
            shutil.rmtree(self.folder)

    def wait_for(self, port):
        """Waits until it listens; how long that took, in seconds."""
        began_at = time.monotonic()
        while time.monotonic() < began_at + START_SECONDS and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return time.monotonic() - began_at
            except OSError:
                time.sleep(0.002)
        raise Failure(f"nothing listens on port {port}: {self.complaint()}")

    def complaint(self):
        self.errors.seek(0)
        return self.errors.read()[-2000:].strip()

    def cpu_seconds(self):
        return ticks(pathlib.Path(f"/proc/{self.process.pid}/stat")) / TICKS_PER_SECOND

    def thread_ticks(self):
        """CPU time by thread."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return {task.name: ticks(task / "stat") for task in tasks}

    def mib(self, name):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(name + r":\s+(\d+)", status)[1]) / 1024

    def result(self, seconds):
        """The JSON of the last line, when the process has ended."""
        try:
            output, _ = self.process.communicate(timeout=seconds)
            return json.loads(output.strip().splitlines()[-1])
        except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
            raise Failure(f"no result: {error!r} {self.complaint()}") from error

    def rest(self):
        """Waits until it has nothing left to do."""
        before, quiet = self.cpu_seconds(), 0
        for _ in range(END_SECONDS):
            time.sleep(1)
            now = self.cpu_seconds()
            quiet = quiet + 1 if now - before <= QUIET_SHARE else 0
            before = now
            if quiet == 2:
                return
        raise Failure("it does not come to rest")

    def end(self):
        """Asks it to end; its last word."""
        self.process.send_signal(signal.SIGTERM)
        return self.result(END_SECONDS)


def ticks(stat):
    fields = stat.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


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
        folder = tempfile.mkdtemp(prefix="bench-")
        if name != "collector":
            command = [self.control, name, *addresses]
            return Process(row.cpus, command, {"BENCH_FOLDER": folder}, folder)
        variables = {
            "BENCH_IN": addresses[0],
            "BENCH_OUT": addresses[1],
            "BENCH_OUT_2": addresses[-1],
            "BENCH_COMPRESSION": row.compression,
            "BENCH_FOLDER": folder,
        }
        config = self.config or HERE / "configs" / row.config
        return Process(row.cpus, [*self.collector, "--config", config], variables, folder)

    def sink(self, row, port, *words):
        address = f"127.0.0.1:{port}"
        grpc, http = (address, "") if row.is_grpc else ("", address)
        command = [self.tools, "sink", "--grpc", grpc, "--http", http, "--json", *words]
        return Process(OTHERS_CPU, command)

    def load(self, row, port, items, **others):
        """Starts the generator."""
        scheme = "" if row.is_grpc else "http://"
        options = {
            "endpoint": f"{scheme}127.0.0.1:{port}",
            "protocol": row.protocol,
            "compression": row.compression,
            "signal": row.signal,
            "items": row.items,
            "item-bytes": rows.ITEM_BYTES,
            "connections": row.connections,
            "concurrency": row.concurrency,
            "requests": max(1, round(items / row.items)),
            "seconds": 600,
            **others,
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        return Process(OTHERS_CPU, [self.tools, "generate", "--json", *words])

    def send(self, row, port, items, **others):
        """Sends `items`, all of which must be taken."""
        with self.load(row, port, items, **others) as generator:
            sent = generator.result(660)
        if sent["acknowledged_items"] != sent["sent_items"] or sent["rejected_items"]:
            raise Failure(f"not everything was taken: {sent}")
        return sent

    def run(self, name, row):
        """One run of one subject."""
        ports = free_ports(1 + row.sinks)
        sinks = [self.sink(row, port) for port in ports[1:]]
        try:
            for sink, port in zip(sinks, ports[1:]):
                sink.wait_for(port)
            with self.subject(name, row, ports) as subject:
                subject.wait_for(ports[0])
                sample, items = self.measure(subject, row, ports[0])
            for sink in sinks:
                check_ledger(items, sink.end())
            return sample
        finally:
            for sink in sinks:
                sink.__exit__()

    def measure(self, subject, row, port):
        """A sample, and all the items that were sent for it."""
        warm = self.send(row, port, min(WARM_UP_ITEMS, self.items * row.share))
        before, threads_before = subject.cpu_seconds(), subject.thread_ticks()
        rate = {"rate": row.rate} if row.rate else {}
        sent = self.send(row, port, self.items * row.share, **rate)
        cpu_seconds = subject.cpu_seconds() - before
        spent = [
            after - threads_before.get(thread, 0)
            for thread, after in subject.thread_ticks().items()
        ]
        latency_ms = tuple(sent[f"latency_micros_{at}"] / 1000 for at in ("p50", "p99", "p999"))
        sample = Sample(
            cpu_seconds,
            sent["sent_items"],
            sent["seconds"],
            latency_ms,
            subject.mib("VmHWM"),
            subject.mib("VmRSS"),
            max(spent) / max(1, sum(spent)),
        )
        return sample, warm["sent_items"] + sent["sent_items"]


def check_ledger(sent_items, totals):
    """All that was sent was acknowledged: it must have arrived, once."""
    arrived = (totals["distinct"], totals["doubled"], totals["unnumbered"])
    if arrived != (sent_items, 0, 0):
        raise Failure(f"{sent_items} items were acknowledged, but the sink has {totals}")


def product(is_built):
    """The product as it is released."""
    return released(TARGET, "tidegate", "--package", "collector", "--bin", "tidegate", is_built=is_built)


def controls(is_built):
    """The program that is all the controls."""
    manifest = HERE / "control" / "Cargo.toml"
    return released(TARGET / "control", "control", "--manifest-path", manifest, is_built=is_built)


def released(folder, name, *words, is_built):
    """Where a program is, which is built unless that was done before."""
    if not is_built:
        command = ["cargo", "build", "--release", "--locked", "--target-dir", folder, *words]
        subprocess.run(command, cwd=ROOT, check=True)
    return folder / "release" / name


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
