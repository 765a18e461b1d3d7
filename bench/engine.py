"""What the delivery engine takes, by the number of callers that wait and of lanes that exist.

Two engines in series, a batch processor and an exporter, in one thread and without a network: CPU time
of a request of ten items, ten and more of which are merged.
"""

import json
import resource
import subprocess

from programs import Failure

COUNTS = (10, 100, 1_000, 10_000, 100_000)
# Callers where the lanes are counted.
CALLERS = 100
# Requests of the shorter run; what the longer one takes beside is measured.
REQUESTS = 100_000


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


def micros(program, callers, lanes):
    """CPU time of one request."""
    few = max(1, REQUESTS // callers)
    taken = [cpu_seconds(program, callers, lanes, times) for times in (few, 4 * few)]
    return (taken[1] - taken[0]) / (3 * few * callers) * 1e6


def cpu_seconds(program, callers, lanes, times):
    before = children()
    subprocess.run([program, f"deliver/{callers}/{lanes}", str(times)], check=True)
    return children() - before


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def table(program, repeats):
    """Markdown."""
    loads = {"callers": [(count, 0) for count in COUNTS]}
    loads["lanes"] = [(CALLERS, count) for count in COUNTS]
    for name, crowds in loads.items():
        # In turn, so that what else the machine does falls on all alike.
        rounds = [[micros(program, *crowd) for crowd in crowds] for _ in range(repeats)]
        least = [min(found) for found in zip(*rounds)]
        yield f"| {name} | microseconds a request | x the first |"
        yield "|---|---|---|"
        for count, taken in zip(COUNTS, least):
            yield f"| {count:,} | {taken:.2f} | {taken / least[0]:.2f} |"
        yield ""
