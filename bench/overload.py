"""More than the back end takes, sent whether or not answers come."""

import dataclasses
import json
import tempfile

import rows
from programs import Failure, free_ports

CAPACITY = 20_000
SECONDS = 10
ITEMS = 100
# What the configurations of these rows set.
LIMIT_MIB = 64


@dataclasses.dataclass
class Overload:
    """What one run showed."""

    times: int
    protocol: str
    goodput: float
    p99_ms: float
    rss_peak_mib: float
    limit_mib: int
    refused_for_good: int


def run(bench, times, protocol):
    config = "overload.yaml" if protocol == "grpc" else "overload-http.yaml"
    row = rows.Row("", config, protocol=protocol, items=ITEMS, connections=4, concurrency=400)
    ports = free_ports(2)
    rate = CAPACITY * times
    with tempfile.NamedTemporaryFile() as ledger:
        words = ["--capacity", str(CAPACITY), "--check", ledger.name]
        with bench.sink(row, ports[1], *words) as sink:
            sink.wait_for(ports[1])
            with bench.subject("collector", row, ports) as subject:
                subject.wait_for(ports[0])
                options = {"rate": rate, "seconds": SECONDS, "ledger": ledger.name, "timeout": 5}
                with bench.load(row, ports[0], rate * SECONDS * 2, **options) as generator:
                    sent = generator.result(SECONDS + 60)
                rss_peak_mib = subject.mib("VmHWM")
            totals = sink.end()
    if totals["distinct"] < sent["acknowledged_items"]:
        raise Failure(f"acknowledged and lost: {json.dumps([sent, totals])}")
    return Overload(
        times,
        protocol,
        sent["acknowledged_items"] / (CAPACITY * sent["seconds"]),
        sent["latency_micros_p99"] / 1000,
        rss_peak_mib,
        LIMIT_MIB,
        sent["refused_requests"],
    )


def table(samples):
    """Markdown."""
    yield (
        "| protocol | times the capacity | goodput / capacity | p99 of answers, ms | peak MiB"
        " | limit MiB | refused for good |"
    )
    yield "|---|---|---|---|---|---|---|"
    for one in samples:
        yield (
            f"| {one.protocol} | {one.times} | {one.goodput:.2f} | {one.p99_ms:.0f}"
            f" | {one.rss_peak_mib:.0f} | {one.limit_mib} | {one.refused_for_good} |"
        )
