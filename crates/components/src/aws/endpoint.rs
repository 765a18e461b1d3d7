//! Endpoints: where a service of a region is reached.

/// Which kind of endpoint is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) is_fips: bool,
    pub(crate) is_dual_stack: bool,
}

/// The URL of `service` in `region`.
pub(crate) fn url(service: &str, region: &str, kind: Kind) -> String {
    let is_china = region.starts_with("cn-");
    // GovCloud's plain names are those that are validated for FIPS.
    let is_marked = kind.is_fips && !region.starts_with("us-gov-");
    let mark = if is_marked { "-fips" } else { "" };
    let domain = match (kind.is_dual_stack, is_china) {
        (false, false) => "amazonaws.com",
        (false, true) => "amazonaws.com.cn",
        (true, false) => "api.aws",
        (true, true) => "api.amazonwebservices.com.cn",
    };
    format!("https://{service}{mark}.{region}.{domain}")
}

/// Whether this can be the name of a region: it becomes a part of a host name.
pub(crate) fn is_region(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 63 && text.chars().all(is_allowed) && !text.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_fips_and_dual_stack_have_names_of_their_own() {
        let plain = Kind::default();
        let fips = Kind { is_fips: true, ..plain };
        let dual = Kind { is_dual_stack: true, ..plain };
        for (region, kind, expected) in [
            ("eu-west-1", plain, "https://logs.eu-west-1.amazonaws.com"),
            ("us-east-1", fips, "https://logs-fips.us-east-1.amazonaws.com"),
            ("us-gov-west-1", fips, "https://logs.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", plain, "https://logs.cn-north-1.amazonaws.com.cn"),
            ("eu-west-1", dual, "https://logs.eu-west-1.api.aws"),
        ] {
            assert_eq!(url("logs", region, kind), expected);
        }
    }

    #[test]
    fn a_region_is_a_part_of_a_host_name() {
        assert!(is_region("eu-central-1"));
        for text in ["", "EU", "a.b", "-x", "a b"] {
            assert!(!is_region(text), "{text}");
        }
    }
}
