use super::FACTORY;
use crate::testing::check_config;

#[test]
fn keys_are_checked() {
    check_config(&FACTORY, "endpoint: localhost:1", &[]);
    check_config(&FACTORY, "endpoint: ''", &["must not be empty"]);
    check_config(&FACTORY, "address: localhost:1", &["address"]);
}
