//! Proxy variables: what the environment of the process says about the way out.

/// The values of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; empty when unset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    /// For plain HTTP.
    pub http: String,
    /// For TLS, and for gRPC.
    pub https: String,
    /// Which hosts are reached without a proxy.
    pub exempt: String,
}

impl ProxyVariables {
    /// Reads the variables by `lookup`; names in capitals win over names in small letters.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| {
            let either = [name.to_owned(), name.to_ascii_lowercase()];
            either.iter().filter_map(|name| lookup(name)).find(|value| !value.is_empty())
        };
        Self {
            http: value("HTTP_PROXY").unwrap_or_default(),
            https: value("HTTPS_PROXY").unwrap_or_default(),
            exempt: value("NO_PROXY").unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests;
