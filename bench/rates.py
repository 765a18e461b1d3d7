"""Measures what log groups that take nothing cost the one that does.

    files -> collector (CPU 0) -> sink --cloudwatch (CPU 1)

One file, whose log group takes its lines, is followed beside files whose groups deny theirs or never
answer, or alone. All runs of a row have the same number of workers and take turns. When the first line
was taken, the others are appended at once: the figure is the time until the last of them was taken, next
to the time it takes alone; the goal is nine tenths of the rate. Beside it stands how long the first line
took from the start of the process, when nothing is known of any target. A run in which a line is lost or
doubled is reported as a failure and not as a figure.

Usage: bench/rates.py [ROW ...] [--lines 2000000] [--repeats 3]. Needs Linux, two CPUs and python3;
builds what it runs.
"""

import argparse
import dataclasses
import functools
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

import files
from awake import awake
from programs import OTHERS_CPU, Bench, Process, check_ledger, product

RATE_MIN = 0.9
GOOD = "good.log"
# What nobody takes: a request or two for each file.
BAD_LINES = 1000


@dataclasses.dataclass(frozen=True)
class Row:
    """Files beside the one that is measured."""

    about: str
    bad: int
    behaviour: str
    workers: int

    @property
    def alone(self):
        return Row(self.about, 0, self.behaviour, self.workers)


@dataclasses.dataclass
class Sample:
    """What one run showed: how long the first line took, and then the others."""

    first: float
    seconds: float


ROWS = {
    "denied": Row("10 denied, 2 workers", 10, "deny", 2),
    "denied-1000": Row("1,000 denied, 2 workers", 1000, "deny", 2),
    "silent": Row("10 that never answer, 1 worker", 10, "swallow", 1),
}


def write_files(folder, row, lines):
    """What is followed, with the first line that is taken; the path of the others."""
    followed, rest = folder / "followed", folder / "rest"
    followed.mkdir()
    text = "nobody takes this ".ljust(files.LINE_BYTES - 1, "y") + "\n"
    for file in range(row.bad):
        (followed / f"bad{file}.log").write_text(text * BAD_LINES, encoding="ascii")
    (followed / GOOD).write_text(numbered(0), encoding="ascii")
    with open(rest, "w", encoding="ascii") as others:
        others.writelines(map(numbered, range(1, lines)))
    return followed, rest


def numbered(line):
    start = f"tidegate.run=rates tidegate.sequence={line:016} "
    return start.ljust(files.LINE_BYTES - 1, "x") + "\n"


def run(bench, row, lines):
    """Seconds until the first line was taken, and from then until the last was."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        followed, rest = write_files(pathlib.Path(folder), row, lines)
        sink = functools.partial(cloudwatch, bench, f"bad*={row.behaviour}")
        workers = {"BENCH_WORKERS": str(row.workers)}
        with files.Follower(bench, followed, "rates.yaml", sink, **workers) as follower:
            first = follower.wait_for(1).seconds
            began_at = time.monotonic()
            with open(followed / GOOD, "ab") as good, open(rest, "rb") as others:
                shutil.copyfileobj(others, good, 1 << 20)
            follower.wait_for(lines)
            seconds = time.monotonic() - began_at
            check_ledger(lines, follower.end())
    return Sample(first, seconds)


def cloudwatch(bench, rule, port):
    """A sink where what fits the rule does not take anything."""
    words = ["--cloudwatch", f"127.0.0.1:{port}", "--create-missing", "--rule", rule, "--json"]
    return Process(OTHERS_CPU, [bench.tools, "sink", *words])


def measure(bench, names, lines, repeats):
    """Seconds by row: alone and beside the others, in turn."""
    samples = {}
    for repeat in range(repeats):
        for name in names:
            print(f"{name}: {repeat + 1} of {repeats}", file=sys.stderr)
            row = ROWS[name]
            pair = run(bench, row.alone, lines), run(bench, row, lines)
            samples.setdefault(name, []).append(pair)
    return samples


def table(samples, lines):
    """Markdown."""
    yield (
        "| beside | lines/s alone | lines/s beside them | share of the rate | spread"
        " | first line alone, s | beside them, s |"
    )
    yield "|---|---|---|---|---|---|---|"
    for name, pairs in samples.items():
        alone, beside = zip(*pairs)
        shares = sorted(one.seconds / other.seconds for one, other in pairs)
        yield (
            f"| {ROWS[name].about} | {rate(alone, lines):,.0f} | {rate(beside, lines):,.0f}"
            f" | {statistics.median(shares):.2f} (goal {RATE_MIN})"
            f" | {shares[0]:.2f} to {shares[-1]:.2f} | {first(alone):.1f} | {first(beside):.1f} |"
        )


def rate(samples, lines):
    return lines / statistics.median(sample.seconds for sample in samples)


def first(samples):
    return statistics.median(sample.first for sample in samples)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--lines", type=int, default=2_000_000, help="lines of the file that is taken")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-build", action="store_true", help="use what was built before")
    options = parser.parse_args()
    unknown = set(options.rows) - set(ROWS)
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    options.rows = options.rows or list(ROWS)
    return options


def main():
    options = arguments()
    tools = product(is_built=options.no_build)
    bench = Bench(tools, None, [tools], None, 0)
    with awake():
        samples = measure(bench, options.rows, options.lines, options.repeats)
    print("\n".join(table(samples, options.lines)))


if __name__ == "__main__":
    main()
