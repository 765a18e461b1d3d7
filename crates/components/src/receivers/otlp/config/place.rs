//! Where a port listens.

use config::Faults;
use runtime::net::Address;

/// The address of `endpoint`, as the network reads it.
pub(super) fn address(endpoint: &str, transport: &str, faults: &mut Faults) -> String {
    let address = match transport {
        "tcp" | "tcp4" | "tcp6" => endpoint.to_owned(),
        "unix" if endpoint.starts_with("unix:") => endpoint.to_owned(),
        "unix" => format!("unix:{endpoint}"),
        other => {
            let message = format!("`{other}` is not a transport this receiver listens on");
            faults.add_with_remedy("transport", message, "write `tcp` or `unix`");
            return endpoint.to_owned();
        }
    };
    match address.parse::<Address>() {
        Ok(Address::Tcp { .. }) if transport == "unix" => {
            faults.add("endpoint", "is not the path of a socket, but `transport` is `unix`");
        }
        Ok(_) => {}
        Err(error) => faults.add("endpoint", error.to_string()),
    }
    address
}
