use super::FACTORY;
use crate::testing::{check_config, parse};
use pipeline::Blueprint;

#[test]
fn keys_load_with_a_warning() {
    check_config(&FACTORY, "endpoint: localhost:1", &[]);
    check_config(&FACTORY, "endpoint: ''", &["must not be empty"]);
    check_config(&FACTORY, "address: localhost:1", &["address"]);
    let Ok(Blueprint::Extension(blueprint)) = parse(&FACTORY, "") else { panic!("no extension") };
    assert!(blueprint.warnings()[0].contains("no effect"));
}
