"""A queue on disk: answers after the sync, beside writing the same bytes to the same disk raw."""

import dataclasses
import os
import pathlib
import tempfile
import time

import rows
from programs import check_ledger, free_ports

ROW = rows.Row("gRPC, answered after the sync", "durable.yaml", concurrency=8)
# The control writes so many requests before each sync: one, and as many as there are callers.
GROUPS = (1, ROW.concurrency)
# The floor of a proxy, which writes and syncs each request beside, on the same CPU.
FLOOR = "disk2"
WARM_UP_REQUESTS = 50


@dataclasses.dataclass
class Durable:
    """What one run showed: requests a second."""

    requests: float
    p50_ms: float
    p99_ms: float
    cpu_per_million: float
    floor: float
    raw: tuple


def run(bench):
    with tempfile.TemporaryDirectory(prefix="bench-raw-") as folder:
        before = [raw(folder, group, 200) for group in GROUPS]
        sent, cpu_seconds = through(bench, "collector")
        floor, _ = through(bench, FLOOR)
        after = [raw(folder, group, 200) for group in GROUPS]
    return Durable(
        per_second(sent),
        sent["latency_micros_p50"] / 1000,
        sent["latency_micros_p99"] / 1000,
        cpu_seconds / sent["sent_items"] * 1e6,
        per_second(floor),
        tuple(max(pair) for pair in zip(before, after)),
    )


def through(bench, subject):
    """What was sent through it, and its CPU time."""
    ports = free_ports(2)
    with bench.sink(ROW, ports[1]) as sink:
        sink.wait_for(ports[1])
        with bench.subject(subject, ROW, ports) as subject:
            subject.wait_for(ports[0])
            warm = bench.send(ROW, ports[0], WARM_UP_REQUESTS * ROW.items)
            cpu_seconds = subject.cpu_seconds()
            sent = bench.send(ROW, ports[0], bench.items // 4)
            subject.rest()
            cpu_seconds = subject.cpu_seconds() - cpu_seconds
        check_ledger(warm["sent_items"] + sent["sent_items"], sink.end())
    return sent, cpu_seconds


def per_second(sent):
    return sent["sent_items"] / ROW.items / sent["seconds"]


def raw(folder, group, syncs):
    """Requests a second of a program that appends them and syncs after each `group`."""
    request = os.urandom(ROW.items * (rows.ITEM_BYTES + 76))
    path = pathlib.Path(folder, "raw")
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        began_at = time.monotonic()
        for _ in range(syncs):
            for _ in range(group):
                os.write(file, request)
            os.fdatasync(file)
        return group * syncs / (time.monotonic() - began_at)
    finally:
        os.close(file)
        path.unlink()


def table(samples):
    """Markdown."""
    yield (
        f"| requests of {ROW.items:,} items | a second | p50 / p99 ms | CPU s per million items"
        f" | floor with a disk | raw, each synced | raw, {GROUPS[1]} a sync | x floor |"
        f" x raw, each synced | x raw, {GROUPS[1]} a sync |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for one in samples:
        single, grouped = one.raw
        yield (
            f"| {ROW.about} | {one.requests:.0f} | {one.p50_ms:.1f} / {one.p99_ms:.1f}"
            f" | {one.cpu_per_million:.3f} | {one.floor:.0f} | {single:.0f} | {grouped:.0f}"
            f" | {one.requests / one.floor:.2f} | {one.requests / single:.2f}"
            f" | {one.requests / grouped:.2f} |"
        )
