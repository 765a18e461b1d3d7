use bytes::Bytes;
use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceRequest;
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Map, Value, json};

use super::*;
use crate::schema::arbitrary::{self, Random, Shape};
use crate::schema::{self, Kind, Table};
use crate::{Payload, Signal, json as otlp_json, nest, protobuf};

/// A random request whose tables all have `entries` entries, in one dictionary or in two parts.
fn request(seed: u64, entries: usize) -> Vec<u8> {
    let mut random = Random(seed);
    let shape = Shape { is_canonical: random.below(2) == 0, index_limit: entries, depth_max: 7 };
    let profiles = schema::request(Signal::Profiles).field(1).unwrap().kind.message().unwrap();
    let mut out = Vec::new();
    for _ in 0..random.below(3) {
        protobuf::put_bytes_field(&mut out, 1, &arbitrary::message(profiles, shape, &mut random));
    }
    let first = random.below(entries + 1);
    let mut known = Known { shape, texts: Vec::new() };
    known.part(&mut out, 0..first, &mut random);
    known.part(&mut out, first..entries, &mut random);
    protobuf::put_varint_field(&mut out, 77, 5);
    out
}

fn merged<'a>(requests: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let ropes: Vec<Rope> =
        requests.into_iter().map(|one| Rope::of(Bytes::copy_from_slice(one))).collect();
    merge(&ropes).to_bytes().into()
}

fn compacted(request: &[u8]) -> Vec<u8> {
    merged([request])
}

fn payload(request: &[u8]) -> Payload {
    Payload::parse(Signal::Profiles, Bytes::copy_from_slice(request)).unwrap()
}

struct Known {
    shape: Shape,
    texts: Vec<Vec<u8>>,
}

impl Known {
    /// Appends a part of a dictionary: these entries of each table.
    fn part(&mut self, out: &mut Vec<u8>, entries: Range<usize>, random: &mut Random) {
        let opened = nest::open(out, 2);
        for table in Table::ALL {
            for at in entries.clone() {
                let entry = if at == 0 { Vec::new() } else { self.entry(table, random) };
                protobuf::put_bytes_field(out, table.field_number(), &entry);
            }
        }
        nest::close(out, opened);
    }

    fn entry(&mut self, table: Table, random: &mut Random) -> Vec<u8> {
        let field = schema::PROFILES_DICTIONARY.field(table.field_number()).unwrap();
        match field.kind {
            Kind::Message(message) => arbitrary::message(message, self.shape, random),
            // Some strings occur twice.
            _ if random.below(4) == 0 && !self.texts.is_empty() => self.texts[0].clone(),
            _ => {
                self.texts.push(format!("text {}", random.below(1000)).into_bytes());
                self.texts.last().unwrap().clone()
            }
        }
    }
}

/// The profiles of a request with every index replaced by what it means.
fn meaning(request: &[u8]) -> Vec<Value> {
    // Decoded by an independent library, so that what it cannot read fails here.
    let decoded = ExportProfilesServiceRequest::decode(request).unwrap().encode_to_vec();
    let payload = Payload::parse(Signal::Profiles, decoded.into()).unwrap();
    let request: Value = serde_json::from_slice(&otlp_json::from_payload(&payload)).unwrap();
    let nothing = json!([]);
    let profiles = request.get("resourceProfiles").unwrap_or(&nothing).as_array().unwrap();
    profiles.iter().map(|profile| resolved(profile, &request["dictionary"])).collect()
}

fn resolved(value: &Value, dictionary: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(|value| resolved(value, dictionary)).collect(),
        Value::Object(members) => {
            let mut meant = Map::new();
            for (name, member) in members {
                let member = match table_of(name) {
                    Some(table) => entries(member, &dictionary[table], dictionary),
                    None => resolved(member, dictionary),
                };
                // Index 0, an index of an entry that is all zero, and no index are the same.
                if table_of(name).is_none() || ![json!({}), json!("")].contains(&member) {
                    meant.insert(name.clone(), member);
                }
            }
            Value::Object(meant)
        }
        plain => plain.clone(),
    }
}

fn entries(index: &Value, table: &Value, dictionary: &Value) -> Value {
    match index {
        Value::Array(indices) => {
            indices.iter().map(|index| entries(index, table, dictionary)).collect()
        }
        index => resolved(&table[index.as_u64().unwrap() as usize], dictionary),
    }
}

fn table_of(member: &str) -> Option<&'static str> {
    match member {
        "stackIndex" => Some("stackTable"),
        "linkIndex" => Some("linkTable"),
        "mappingIndex" => Some("mappingTable"),
        "functionIndex" => Some("functionTable"),
        "attributeIndices" => Some("attributeTable"),
        "locationIndices" => Some("locationTable"),
        name => name.ends_with("Strindex").then_some("stringTable"),
    }
}

/// The samples of a resource with what stands around each.
fn samples(resource: &Value) -> Vec<Value> {
    let list = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let without = |value: &Value, name: &str| {
        let mut value = value.clone();
        value.as_object_mut().unwrap().remove(name);
        value
    };
    let mut samples = Vec::new();
    for scope in list(resource, "scopeProfiles") {
        for profile in list(&scope, "profiles") {
            let around = [
                without(resource, "scopeProfiles"),
                without(&scope, "profiles"),
                without(&profile, "samples"),
            ];
            samples.extend(list(&profile, "samples").iter().map(|sample| json!([around, sample])));
        }
    }
    samples
}

fn dictionary_sizes(request: &[u8]) -> [usize; Table::ALL.len()] {
    let dictionary = Dictionary::of(request);
    let is_there = |table, index: &i32| dictionary.entry(table, *index).is_some();
    Table::ALL.map(|table| (0..).take_while(|index| is_there(table, index)).count())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_index_means_the_same_after_a_merge(seeds in prop::collection::vec(any::<u64>(), 1..4)) {
        let requests: Vec<Vec<u8>> =
            seeds.iter().map(|seed| request(*seed, 1 + *seed as usize % 6)).collect();
        let merged = merged(requests.iter().map(Vec::as_slice));
        prop_assert_eq!(check(&merged), Ok(()));
        let expected: Vec<Value> = requests.iter().flat_map(|one| meaning(one)).collect();
        prop_assert_eq!(meaning(&merged), expected);
                let total: usize = requests.iter().map(|one| payload(one).items()).sum();
        prop_assert_eq!(payload(&merged).items(), total);
    }

    #[test]
    fn merging_the_same_again_adds_no_entries(seed: u64) {
        let request = request(seed, 5);
        let once = compacted(&request);
        let thrice = merged([request.as_slice(), &once, &request]);
        prop_assert_eq!(dictionary_sizes(&thrice), dictionary_sizes(&once));
        prop_assert_eq!(compacted(&once).len(), once.len());
    }

    #[test]
    fn every_index_means_the_same_after_a_cut(seed: u64, items_max in 1_usize..5) {
        let whole = payload(&request(seed, 5));
        let pieces = whole.split_by_items(items_max);
        let samples = |payload: &Payload| {
            let read = meaning(&payload.to_bytes());
            read.iter().flat_map(samples).collect::<Vec<_>>()
        };
        let expected = samples(&whole);
        let read: Vec<Value> = pieces.iter().flat_map(samples).collect();
        prop_assert_eq!(&read, &expected);
        let merged = Payload::merge(pieces).unwrap();
        prop_assert_eq!(samples(&merged), expected);
        prop_assert_eq!(merged.items(), whole.items());
    }

    #[test]
    fn pieces_keep_to_a_size_in_bytes(seed: u64, bytes_max in 50_usize..500) {
        let whole = payload(&request(seed, 5));
        let ranges = whole.cuts_by_bytes(bytes_max);
        let mut items = 0;
        for range in &ranges {
            prop_assert_eq!(range.start, items);
            items = range.end;
        }
        prop_assert_eq!(items, whole.items());
        for piece in whole.cut(&ranges).iter().filter(|piece| 1 < piece.items()) {
            prop_assert!(piece.bytes_len() <= bytes_max);
        }
    }

    #[test]
    fn random_requests_pass_the_check_unless_an_index_is_moved_out(seed: u64) {
        prop_assert_eq!(check(&request(seed, 4)), Ok(()));
        let shape = Shape { is_canonical: true, index_limit: 9, depth_max: 7 };
        let message = schema::request(Signal::Profiles);
        let wild = arbitrary::message(message, shape, &mut Random(seed));
        if check(&wild).is_ok() {
            prop_assert_eq!(meaning(&compacted(&wild)), meaning(&wild));
        }
    }
}

/// A request from JSON, which is easier to read.
fn from_json(text: &Value) -> Vec<u8> {
    otlp_json::to_protobuf(Signal::Profiles, text.to_string().as_bytes()).unwrap()
}

fn one_sample(sample: &Value, dictionary: &Value) -> Vec<u8> {
    let scopes = json!([{ "profiles": [{ "samples": [sample] }] }]);
    from_json(&json!({
        "resourceProfiles": [{ "scopeProfiles": scopes }],
        "dictionary": dictionary,
    }))
}

#[test]
fn leaves_behind_what_nothing_refers_to() {
    let request = one_sample(
        &json!({ "stackIndex": 2, "attributeIndices": [1] }),
        &json!({
            "stringTable": ["", "unused", "main", "key"],
            "functionTable": [{}, { "nameStrindex": 1 }, { "nameStrindex": 2 }],
            "locationTable": [{}, { "lines": [{ "functionIndex": 1 }] },
                { "lines": [{ "functionIndex": 2, "line": "7" }] }],
            "stackTable": [{}, { "locationIndices": [1] }, { "locationIndices": [2, 2] }],
            "attributeTable": [{}, { "keyStrindex": 3, "value": { "boolValue": true } }],
        }),
    );
    let payload = payload(&compacted(&request));
    let read: Value = serde_json::from_slice(&otlp_json::from_payload(&payload)).unwrap();
    let expected = json!({
        "mappingTable": [{}],
        "locationTable": [{}, { "lines": [{ "functionIndex": 1, "line": "7" }] }],
        "functionTable": [{}, { "nameStrindex": 1 }],
        "linkTable": [{}],
        "stringTable": ["", "main", "key"],
        "attributeTable": [{}, { "keyStrindex": 2, "value": { "boolValue": true } }],
        "stackTable": [{}, { "locationIndices": [1, 1] }],
    });
    assert_eq!(read["dictionary"], expected);
}

#[test]
fn one_large_entry_is_not_copied_for_every_sample() {
    let all = vec![json!({ "attributeIndices": [1] }); 10_000];
    let scopes = json!([{ "profiles": [{ "samples": all }] }]);
    let request = from_json(&json!({
        "resourceProfiles": [{ "scopeProfiles": scopes }],
        "dictionary": {
            "stringTable": ["", "x".repeat(50_000)],
            "attributeTable": [{}, { "keyStrindex": 1 }],
        },
    }));
    let whole = payload(&request);
    let ranges = whole.cuts_by_bytes(1_000);
    assert!(ranges.len() < 200, "{}", ranges.len());
    assert_eq!(ranges.iter().map(Range::len).sum::<usize>(), 10_000);
    // Cut as often as asked, the last pieces share the buffer of the request.
    let mut pieces = whole.split_by_items(20);
    let copied = pieces.iter().filter(|piece| piece.segments().len() == 1);
    assert!(copied.map(Payload::bytes_len).sum::<usize>() < 9 << 20);
    let last = pieces.pop().unwrap();
    assert!(last.segments().iter().any(|segment| 50_000 < segment.len()));
    assert_eq!(meaning(&last.to_bytes()).len(), 1);
    assert_eq!(samples(&meaning(&last.to_bytes())[0]), samples(&meaning(&pieces[0].to_bytes())[0]));
    assert_eq!(Payload::merge([last, pieces.swap_remove(0)]).unwrap().items(), 40);
}

#[test]
fn keeps_fields_that_are_unknown() {
    let mut request = one_sample(&json!({ "values": ["1"] }), &json!({ "stringTable": [""] }));
    protobuf::put_bytes_field(&mut request, 40, b"of the request");
    let opened = nest::open(&mut request, 2);
    protobuf::put_bytes_field(&mut request, 50, b"of the dictionary");
    nest::close(&mut request, opened);
    let merged = compacted(&request);
    let fields: Vec<_> = protobuf::Fields::of(&merged).collect();
    assert!(fields.iter().any(|field| field.bytes() == Some(b"of the request")));
    let dictionary = fields.iter().find(|field| field.number == 2).unwrap().bytes().unwrap();
    let mut inner = protobuf::Fields::of(dictionary);
    assert!(inner.any(|field| field.bytes() == Some(b"of the dictionary")));
}

#[test]
fn refuses_an_index_past_its_table() {
    let fails_at = |sample: Value, dictionary: Value, path: &str| {
        let request = one_sample(&sample, &dictionary);
        let error = check(&request).unwrap_err();
        assert_eq!(error.path, path, "{error}");
        assert!(error.what.contains("past the end"), "{error}");
        assert!(0 < error.offset && error.offset < request.len(), "{error}");
    };
    let sample = "resource_profiles.scope_profiles.profiles.samples";
    let stacks = json!({ "stackTable": [{}, {}] });
    fails_at(json!({ "stackIndex": 2 }), stacks.clone(), &format!("{sample}.stack_index"));
    fails_at(json!({ "stackIndex": -1 }), stacks, &format!("{sample}.stack_index"));
    fails_at(json!({ "linkIndex": 1 }), json!({}), &format!("{sample}.link_index"));
    let indices = json!({ "attributeIndices": [0, 0, 1] });
    fails_at(indices, json!({ "stringTable": [""] }), &format!("{sample}.attribute_indices"));
    let functions = json!({ "functionTable": [{}, { "nameStrindex": 3 }] });
    fails_at(json!({}), functions, "dictionary.function_table.name_strindex");
}

#[test]
fn index_zero_needs_no_table() {
    let request = one_sample(&json!({ "attributeIndices": [0] }), &json!({}));
    assert_eq!(check(&request), Ok(()));
    assert_eq!(dictionary_sizes(&compacted(&request)), [1; 7]);
}

#[test]
fn refuses_a_first_entry_with_a_value() {
    for (table, dictionary) in [
        ("string_table", json!({ "stringTable": ["cpu"] })),
        ("mapping_table", json!({ "mappingTable": [{ "memoryLimit": "1" }] })),
        ("stack_table", json!({ "stackTable": [{ "locationIndices": [0] }] })),
    ] {
        let error = check(&one_sample(&json!({}), &dictionary)).unwrap_err();
        assert_eq!(error.path, format!("dictionary.{table}"));
    }
}

#[test]
fn a_zero_value_may_be_spelled_out() {
    let mut request = one_sample(&json!({}), &json!({}));
    let opened = nest::open(&mut request, 2);
    // An attribute with an empty value, and a link with ids of zeros.
    protobuf::put_bytes_field(&mut request, Table::Attributes.field_number(), b"\x08\x00\x12\x00");
    let mut link = Vec::new();
    protobuf::put_bytes_field(&mut link, 1, &[0; 16]);
    protobuf::put_bytes_field(&mut link, 2, &[0; 8]);
    protobuf::put_bytes_field(&mut request, Table::Links.field_number(), &link);
    nest::close(&mut request, opened);
    assert_eq!(check(&request), Ok(()));
}
