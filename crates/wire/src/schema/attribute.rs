//! Attribute: attributes and their values, scopes and entity references, as `common.proto` has them.

use super::Message;
use super::field::{Kind::*, Table, choice, many, one};

pub(super) const PACKAGE: &str = "opentelemetry.proto.common.v1";

pub static ANY_VALUE: Message = Message::new(
    PACKAGE,
    "AnyValue",
    &[
        choice("value", 1, "string_value", "stringValue", String),
        choice("value", 2, "bool_value", "boolValue", Bool),
        choice("value", 3, "int_value", "intValue", Int64),
        choice("value", 4, "double_value", "doubleValue", Double),
        choice("value", 5, "array_value", "arrayValue", Message(&ARRAY_VALUE)),
        choice("value", 6, "kvlist_value", "kvlistValue", Message(&KEY_VALUE_LIST)),
        choice("value", 7, "bytes_value", "bytesValue", Bytes),
        choice("value", 8, "string_value_strindex", "stringValueStrindex", Index(Table::Strings)),
    ],
);

pub static ARRAY_VALUE: Message =
    Message::new(PACKAGE, "ArrayValue", &[many(1, "values", "values", Message(&ANY_VALUE))]);

pub static KEY_VALUE_LIST: Message =
    Message::new(PACKAGE, "KeyValueList", &[many(1, "values", "values", Message(&KEY_VALUE))]);

pub static KEY_VALUE: Message = Message::new(
    PACKAGE,
    "KeyValue",
    &[
        one(1, "key", "key", String),
        one(2, "value", "value", Message(&ANY_VALUE)),
        one(3, "key_strindex", "keyStrindex", Index(Table::Strings)),
    ],
);

pub static INSTRUMENTATION_SCOPE: Message = Message::new(
    PACKAGE,
    "InstrumentationScope",
    &[
        one(1, "name", "name", String),
        one(2, "version", "version", String),
        many(3, "attributes", "attributes", Message(&KEY_VALUE)),
        one(4, "dropped_attributes_count", "droppedAttributesCount", Uint32),
    ],
);

pub static ENTITY_REF: Message = Message::new(
    PACKAGE,
    "EntityRef",
    &[
        one(1, "schema_url", "schemaUrl", String),
        one(2, "type", "type", String),
        many(3, "id_keys", "idKeys", String),
        many(4, "description_keys", "descriptionKeys", String),
    ],
);
