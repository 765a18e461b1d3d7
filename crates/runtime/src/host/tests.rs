use std::fs;

use super::{Files, cpus, memory_max_bytes};

/// The memory limit of a machine with these files and 8 GiB.
fn check(name: &str, files: &[(&str, &str)], expected: usize) {
    let root = std::env::temp_dir().join(format!("runtime-host-{}-{name}", std::process::id()));
    let machine = ("proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\n");
    for (path, text) in files.iter().chain([&machine]) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    assert_eq!(expected, Files { root: root.clone() }.memory_max_bytes(), "{name}");
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn without_cgroups_the_machine_is_the_limit() {
    check("none", &[], 8 << 30);
}

#[test]
fn the_smallest_limit_on_the_way_up_counts() {
    let files = [
        ("proc/self/cgroup", "0::/system.slice/tidegate.service\n"),
        ("sys/fs/cgroup/system.slice/tidegate.service/memory.max", "max\n"),
        ("sys/fs/cgroup/system.slice/memory.max", "1073741824\n"),
    ];
    check("version-2", &files, 1 << 30);
}

#[test]
fn a_container_sees_its_limit_at_the_root() {
    let files =
        [("proc/self/cgroup", "0::/../../pod/abc\n"), ("sys/fs/cgroup/memory.max", "536870912\n")];
    check("container", &files, 512 << 20);
}

#[test]
fn reads_version_1_and_its_huge_number_for_no_limit() {
    let files = [
        ("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/docker/abc\n0::/\n"),
        ("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "9223372036854771712\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n"),
    ];
    check("version-1", &files, 256 << 20);
}

#[test]
fn this_machine_has_cpus_and_memory() {
    assert!(0 < cpus());
    assert!((64 << 20) < memory_max_bytes());
}
