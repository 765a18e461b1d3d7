"""Measures what a collector costs on the path from a load generator to a sink.

    generator (CPU 1) -> subject (CPU 0) -> sink (CPU 1)

Each row is run with the collector and with controls, in turn, several times: a copy of bytes, a
proxy that looks at nothing, and the floor, which is that proxy and a validating scan and the codec
of the row. The figure is the CPU time of the subject for a million items: it does not depend on
whether generator or sink keep up. A run whose ledger is not exact (an item lost, doubled, or
acknowledged and not arrived) is reported as a failure and not as a figure. Meanwhile the CPUs are
kept from halting: see awake.py.

Usage: bench/path.py [ROW ...] [--quick]. Needs Linux, two CPUs and python3; builds what it runs.
"""

import argparse
import dataclasses
import json
import pathlib
import sys

import durable
import engine
import overload
import report
import still
from awake import awake
from programs import Bench, Failure, controls, product
from rows import DURABLE, ENGINE, OVERLOAD, ROWS, STILL

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent


def measure(bench, names, repeats):
    """All samples by row and subject, the subjects in turn; and the runs that failed."""
    samples, failures = {}, []
    for repeat in range(repeats):
        for name in names:
            row = ROWS[name]
            for subject in (*row.controls, "collector"):
                print(f"{name}: {subject}, {repeat + 1} of {repeats}", file=sys.stderr)
                try:
                    sample = bench.run(subject, row)
                except Failure as failure:
                    failures.append(f"{name}: {subject}: {failure}")
                else:
                    samples.setdefault((name, subject), []).append(sample)
    return samples, failures


def measure_overload(bench):
    for protocol in ("grpc", "http"):
        for times in (2, 10):
            print(f"overload: {protocol}, {times} times", file=sys.stderr)
            yield overload.run(bench, times, protocol)


def measure_durable(bench, repeats):
    for repeat in range(repeats):
        print(f"durable: {repeat + 1} of {repeats}", file=sys.stderr)
        yield durable.run(bench)


def measure_still(bench, repeats):
    for repeat in range(repeats):
        print(f"still: {repeat + 1} of {repeats}", file=sys.stderr)
        yield still.run(bench)


def arguments():
    known = [*ROWS, STILL, OVERLOAD, DURABLE, ENGINE]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(known)}")
    parser.add_argument("--bin", help="the collector to measure; Tidegate, if not given")
    parser.add_argument("--config", help="its configuration, instead of that of the row")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--items", type=int, default=4_000_000, help="items of a run")
    quick = "the rows that have a goal, 3 repeats of half as many items"
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--json", type=pathlib.Path, help="where to write all samples")
    parser.add_argument("--no-build", action="store_true", help="use what was built before")
    options = parser.parse_args()
    unknown = set(options.rows) - set(known)
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    if not options.rows:
        quick_rows = [name for name, row in ROWS.items() if row.is_quick]
        options.rows = [*quick_rows, STILL, OVERLOAD, DURABLE, ENGINE] if options.quick else known
    if options.quick:
        options.repeats, options.items = 3, options.items // 2
    return options


def main():
    options = arguments()
    tools, control = product(is_built=options.no_build), controls(is_built=options.no_build)
    bench = Bench(tools, control, [options.bin or tools], options.config, options.items)
    with awake():
        failures = show(bench, options)
    if failures:
        sys.exit("\n".join(["bench: these runs show no figure:", *failures]))


def show(bench, options):
    """Measures the rows and prints their tables; the runs that failed."""
    names = [name for name in options.rows if name in ROWS]
    samples, failures = measure(bench, names, options.repeats)
    if samples:
        print("\n".join(report.table(samples)))
    if STILL in options.rows:
        print("\n" + "\n".join(still.table(bench, list(measure_still(bench, options.repeats)))))
    if OVERLOAD in options.rows:
        print("\n" + "\n".join(overload.table(measure_overload(bench))))
    if DURABLE in options.rows:
        print("\n" + "\n".join(durable.table(measure_durable(bench, options.repeats))))
    if ENGINE in options.rows:
        print("\n" + "\n".join(engine.table(engine.build(ROOT), options.repeats)))
    if options.json:
        all_samples = [
            {"row": row, "subject": subject, **dataclasses.asdict(sample)}
            for (row, subject), found in samples.items()
            for sample in found
        ]
        options.json.write_text(json.dumps(all_samples, indent=1))
    return failures


if __name__ == "__main__":
    main()
