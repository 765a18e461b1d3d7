use super::super::{Reading, Registry};
use super::{cpu_seconds, minor_faults, register_process, status_bytes};
use crate::clock::Clock;

#[test]
fn reads_cpu_time_behind_any_program_name() {
    let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 150 75 9 9 20 0 1 0 12 34 56";
    assert_eq!(Some(2.25), cpu_seconds(stat));
    assert_eq!(Some(100.0), minor_faults(stat));
    assert_eq!(None, cpu_seconds("7 (short) S 1"));
}

#[test]
fn reads_memory_by_its_key() {
    let status = "Name:\tx\nVmRSS:\t    2048 kB\nRssAnon:\t    1024 kB\n";
    assert_eq!(Some(2_097_152.0), status_bytes(status, "VmRSS:"));
    assert_eq!(None, status_bytes(status, "VmData:"));
}

#[tokio::test(start_paused = true)]
async fn shows_this_process() {
    let registry = Registry::default();
    register_process(&registry, Clock);
    Clock.sleep(std::time::Duration::from_secs(90)).await;
    let snapshots = registry.snapshot();
    assert_eq!(6, snapshots.len());
    for snapshot in snapshots {
        let [(_, Reading::Number(value))] = snapshot.series.as_slice() else { panic!() };
        match snapshot.name {
            "otelcol_process_uptime" => assert_eq!(90.0, *value),
            "otelcol_process_cpu_seconds" => assert!(0.0 <= *value),
            name => assert!(100_000.0 < *value, "{name} {value}"),
        }
    }
}
