"""What the delivery engine takes, by the number of callers that wait and of lanes that exist.

Two engines in series, a batch processor and an exporter, in one thread, without a network, and with the
allocator of the product: CPU time of a request of ten items, ten of which are merged. So many callers wait
at any time, who was answered sends the next, and each batch is of another lane, in turn.
"""

import json
import resource
import subprocess

from programs import Failure

COUNTS = (10, 100, 1_000, 10_000, 100_000)
# Callers where the lanes are counted.
CALLERS = 100
# Requests of the shorter run, and how many times as many the longer one has: the difference is measured.
REQUESTS = 100_000
LONGER = 5


def build(root):
    """Builds the program, which a crate has for counting instructions, and tells where it is."""
    command = ["cargo", "bench", "--no-run", "--locked", "--package", "delivery"]
    command += ["--bench", "instructions", "--message-format", "json"]
    listing = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    for line in listing.stdout.splitlines():
        message = json.loads(line)
        if message.get("target", {}).get("name") == "instructions" and message.get("executable"):
            return message["executable"]
    raise Failure("cargo built no program `instructions`")


def micros(program, crowds, repeats):
    """CPU time of one request of each crowd."""
    runs = [(crowd, factor) for crowd in crowds for factor in (1, LONGER)]
    # In turn, so that what else the machine does falls on all alike; it only ever adds.
    rounds = [[cpu_seconds(program, *run) for run in runs] for _ in range(repeats)]
    least = {run: min(found) for run, found in zip(runs, zip(*rounds))}
    spans = [least[crowd, LONGER] - least[crowd, 1] for crowd in crowds]
    return [span / ((LONGER - 1) * REQUESTS) * 1e6 for span in spans]


def cpu_seconds(program, crowd, factor):
    callers, lanes = crowd
    times = factor * REQUESTS // callers
    before = children()
    subprocess.run([program, f"deliver/{callers}/{lanes}", str(times)], check=True)
    return children() - before


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def table(program, repeats):
    """Markdown."""
    loads = {"callers": [(count, 1) for count in COUNTS], "lanes": [(CALLERS, count) for count in COUNTS]}
    for name, crowds in loads.items():
        found = micros(program, crowds, repeats)
        yield f"| {name} | microseconds a request | x the first |"
        yield "|---|---|---|"
        for count, taken in zip(COUNTS, found):
            yield f"| {count:,} | {taken:.2f} | {taken / found[0]:.2f} |"
        yield ""
