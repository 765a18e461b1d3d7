//! Process: what the kernel counts for this process, under the names of the OpenTelemetry Collector.
//!
//! Reads `/proc/self` at each scrape. Where the upstream name speaks of Go's heap, the nearest thing
//! that a program without a garbage collector has is shown: private memory, and for all that was ever
//! allocated the pages that were ever made.

use std::fs;

use super::{Registry, Unit};
use crate::clock::Clock;

/// The length of a tick of `/proc`: fixed in the kernel's interface on all platforms we run on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Adds the metrics of the process, which is taken to have started now.
pub fn register_process(registry: &Registry, clock: Clock) {
    let started = clock.now();
    let cpu = ("otelcol_process_cpu_seconds", "Total CPU user and system time in seconds");
    registry.counter_fn(cpu.0, cpu.1, Vec::new(), || {
        read("/proc/self/stat").and_then(|stat| cpu_seconds(&stat)).unwrap_or(f64::NAN)
    });
    let uptime = ("otelcol_process_uptime", "Uptime of the process");
    registry.counter_fn(uptime.0, uptime.1, Vec::new(), move || {
        clock.now().saturating_duration_since(started).as_secs_f64()
    });
    let rss = ("otelcol_process_memory_rss", "Total physical memory (resident set size)");
    let heap =
        ("otelcol_process_runtime_heap_alloc_bytes", "Bytes of private memory that are resident");
    let system = (
        "otelcol_process_runtime_total_sys_memory_bytes",
        "Total bytes of private memory obtained from the OS",
    );
    for ((name, about), key) in [(rss, "VmRSS:"), (heap, "RssAnon:"), (system, "VmData:")] {
        registry.gauge_fn(name, about, Vec::new(), move || {
            read("/proc/self/status").and_then(|text| status_bytes(&text, key)).unwrap_or(f64::NAN)
        });
        registry.set_unit(name, Unit::Bytes);
    }
    let allocated = (
        "otelcol_process_runtime_total_alloc_bytes",
        "Cumulative bytes of the pages of memory that the OS made for the process",
    );
    let page_bytes = rustix::param::page_size() as f64;
    registry.counter_fn(allocated.0, allocated.1, Vec::new(), move || {
        let faults = read("/proc/self/stat").and_then(|stat| minor_faults(&stat));
        faults.map_or(f64::NAN, |faults| faults * page_bytes)
    });
    registry.set_unit(allocated.0, Unit::Bytes);
    registry.set_unit(cpu.0, Unit::Seconds);
    registry.set_unit(uptime.0, Unit::Seconds);
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// User and system time of `/proc/self/stat`.
fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / TICKS_PER_SECOND)
}

/// How often `/proc/self/stat` says that a page was made without reading a disk.
fn minor_faults(stat: &str) -> Option<f64> {
    field(stat, 10)
}

/// A field of `/proc/self/stat` by its number in proc(5), from the third on.
fn field(stat: &str, number: usize) -> Option<f64> {
    // The name of the program, in brackets, may hold anything: count from behind it.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(number - 3)?.parse().ok()
}

/// The value of `key` in `/proc/self/status`.
fn status_bytes(status: &str, key: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kib: f64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

#[cfg(test)]
mod tests;
