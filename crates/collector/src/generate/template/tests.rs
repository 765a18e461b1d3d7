use wire::Payload;

use super::*;
use crate::ledger::for_each_number;

fn template(signal: Signal) -> Template {
    Template::of(&Shape { signal, items: 5, item_bytes: 20, run: "a", time: 1 })
}

#[test]
fn every_signal_is_well_formed_and_counted() {
    for signal in Signal::ALL {
        let payload = Payload::parse(signal, template(signal).fill(0).into()).unwrap();
        assert_eq!(payload.items(), 5, "{signal}");
    }
}

#[test]
fn items_are_numbered_from_the_first() {
    for signal in Signal::ALL {
        let payload = Payload::parse(signal, template(signal).fill(41).into()).unwrap();
        let mut numbers = Vec::new();
        for_each_number(&payload, |run, sequence| {
            assert_eq!(run, Some("a"));
            numbers.push(sequence.unwrap());
        });
        assert_eq!(numbers, [41, 42, 43, 44, 45], "{signal}");
    }
}
