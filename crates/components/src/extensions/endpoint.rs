//! Endpoint: where an extension listens.

use config::Faults;

/// Notes an `endpoint` that names no place.
pub(super) fn check(endpoint: &str, faults: &mut Faults) {
    if endpoint.is_empty() {
        faults.add("endpoint", "`endpoint` must not be empty");
    }
}
