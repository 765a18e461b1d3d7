"""The rows as Markdown."""

import statistics

from rows import ROWS

NAMES = {
    "tcp": "TCP copy",
    "http1": "null proxy",
    "http2": "null proxy",
    "floor1": "floor",
    "floor2": "floor",
    "collector": "**collector**",
}


def middle(samples, figure):
    return statistics.median(figure(sample) for sample in samples)


def cost(samples):
    return middle(samples, lambda sample: sample.cpu_per_million)


def table(samples):
    yield (
        "| row | subject | CPU s per million items | spread | items/s of one core | items/s measured"
        " | % of a core | p50 / p99 / p99.9 ms | peak MiB | MiB after it | busiest thread"
        " | x null proxy | x floor | goal |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    for (name, subject), found in samples.items():
        row = ROWS[name]
        costs = [sample.cpu_per_million for sample in found]
        rate = middle(found, lambda sample: sample.items / sample.seconds)
        share = middle(found, lambda sample: sample.cpu_seconds / sample.seconds)
        latency = " / ".join(
            f"{middle(found, lambda sample, at=at: sample.latency_ms[at]):.1f}" for at in range(3)
        )
        null, floor = (ratio(samples, name, control, found) for control in controls(row))
        yield (
            f"| {row.about} | {NAMES[subject]} | {cost(found):.3f}"
            f" | {min(costs):.3f} to {max(costs):.3f} | {1 / cost(found):.2f} M"
            f" | {rate / 1e6:.2f} M | {share * 100:.1f} | {latency}"
            f" | {max(sample.rss_peak_mib for sample in found):.0f}"
            f" | {middle(found, lambda sample: sample.rss_mib):.0f}"
            f" | {middle(found, lambda sample: sample.thread_share) * 100:.0f} %"
            f" | {null} | {floor} | {goal(row) if subject == 'collector' else ''} |"
        )


def controls(row):
    return row.controls[1:] or (None, None)


def ratio(samples, name, control, found):
    if (name, control) not in samples:
        return "-"
    return f"{cost(found) / cost(samples[name, control]):.2f}"


def goal(row):
    wanted = []
    if row.ratio_max:
        wanted.append(f"at most {row.ratio_max} x floor")
    if row.millions_min:
        wanted.append(f"at least {row.millions_min} M")
    return ", ".join(wanted)
