//! Host: what the machine and the cgroup allow this process.
//!
//! Reads `/proc` and `/sys/fs/cgroup` (version 2 and 1) once a call; meant for the start.

use std::fs;
use std::path::{Path, PathBuf};

/// How many CPUs the process may use at a time: affinity and cgroup quota, rounded up.
#[must_use]
pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How much memory the process may use: the least of the machine's and its cgroups' limits.
#[must_use]
pub fn memory_max_bytes() -> usize {
    Files { root: PathBuf::from("/") }.memory_max_bytes()
}

/// The files of the kernel below `root`.
struct Files {
    root: PathBuf,
}

impl Files {
    fn memory_max_bytes(&self) -> usize {
        let machine = self.machine_memory_bytes().unwrap_or(usize::MAX);
        self.cgroup_limits().into_iter().fold(machine, usize::min)
    }

    fn machine_memory_bytes(&self) -> Option<usize> {
        let text = self.read("proc/meminfo")?;
        let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kib: usize = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1 << 10)
    }

    /// The memory limits of the process's cgroup and of all above it.
    fn cgroup_limits(&self) -> Vec<usize> {
        let Some(groups) = self.read("proc/self/cgroup") else { return Vec::new() };
        let mut limits = Vec::new();
        for line in groups.lines() {
            let mut fields = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            if controllers.is_empty() {
                limits.extend(self.limits_up("sys/fs/cgroup", path, "memory.max"));
            } else if controllers.split(',').any(|name| name == "memory") {
                let file = "memory.limit_in_bytes";
                limits.extend(self.limits_up("sys/fs/cgroup/memory", path, file));
            }
        }
        limits
    }

    fn limits_up(&self, mount: &str, path: &str, file: &str) -> Vec<usize> {
        // In a container the path may be that of the host, of which only the root is mounted.
        let relative = Path::new(path.trim_start_matches('/'));
        let groups = relative.ancestors().filter(|group| !group.starts_with(".."));
        groups
            .filter_map(|group| self.read(Path::new(mount).join(group).join(file)))
            // "max" is no number, and means no limit.
            .filter_map(|text| text.trim().parse().ok())
            .collect()
    }

    fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }
}

#[cfg(test)]
mod tests;
