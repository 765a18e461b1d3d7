"""Measures what log groups that take nothing cost the one that does.

    files -> collector (CPU 0) -> sink --cloudwatch (CPU 1)

The lines of one file, whose log group takes them, are there from the start, beside files whose groups
deny them or never answer, or alone. All runs of a row have the same number of workers and take turns.
The figure is the time from the start of the process until the last of these lines was taken, next to
the time it takes alone; the goal is nine tenths of the rate. A run in which a line is lost or doubled is
reported as a failure and not as a figure.

Usage: bench/rates.py [ROW ...] [--lines 1000000] [--repeats 5]. Needs Linux, two CPUs and python3;
builds what it runs.
"""

import argparse
import dataclasses
import functools
import pathlib
import statistics
import sys
import tempfile

import files
from awake import awake
from programs import OTHERS_CPU, Bench, Process, check_ledger

RATE_MIN = 0.9
GOOD = "good"


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


ROWS = {
    "denied": Row("10 denied, 2 workers", 10, "deny", 2),
    "denied-1000": Row("1,000 denied, 2 workers", 1000, "deny", 2),
    "silent": Row("10 that never answer, 1 worker", 10, "swallow", 1),
}


def write_files(folder, row, lines):
    """The file whose lines are taken, and the others, each of which fills a request or two."""
    good = pathlib.Path(folder, f"{GOOD}.log")
    with open(good, "w", encoding="ascii") as log:
        for line in range(lines):
            numbered = f"tidegate.run=rates tidegate.sequence={line:016} "
            log.write(numbered.ljust(files.LINE_BYTES - 1, "x") + "\n")
    for file in range(row.bad):
        text = "nobody takes this ".ljust(files.LINE_BYTES - 1, "y") + "\n"
        pathlib.Path(folder, f"bad{file}.log").write_text(text * 1000, encoding="ascii")


def run(bench, row, lines):
    """Seconds until all lines of the good file were taken."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        write_files(folder, row, lines)
        sink = functools.partial(cloudwatch, bench, f"bad*={row.behaviour}")
        workers = {"BENCH_WORKERS": str(row.workers)}
        with files.Follower(bench, folder, "rates.yaml", sink, **workers) as follower:
            sample = follower.wait_for(lines)
            check_ledger(lines, follower.end())
    return sample.seconds


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
    yield "| beside | lines/s alone | lines/s beside them | share of the rate | spread |"
    yield "|---|---|---|---|---|"
    for name, pairs in samples.items():
        alone, beside = (statistics.median(side) for side in zip(*pairs))
        shares = sorted(one / other for one, other in pairs)
        yield (
            f"| {ROWS[name].about} | {lines / alone:,.0f} | {lines / beside:,.0f}"
            f" | {statistics.median(shares):.2f} (goal {RATE_MIN}) | {shares[0]:.2f} to {shares[-1]:.2f} |"
        )


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines of the file that is taken")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-build", action="store_true", help="use what was built before")
    options = parser.parse_args()
    unknown = set(options.rows) - set(ROWS)
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    options.rows = options.rows or list(ROWS)
    return options


def main():
    options = arguments()
    tools = files.product(options.no_build)
    bench = Bench(tools, None, [tools], None, 0)
    with awake():
        samples = measure(bench, options.rows, options.lines, options.repeats)
    print("\n".join(table(samples, options.lines)))


if __name__ == "__main__":
    main()
