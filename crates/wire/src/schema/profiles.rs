//! Profiles: the messages of `profiles.proto`, version v1development.

use super::Message;
use super::attribute::{ANY_VALUE, INSTRUMENTATION_SCOPE};
use super::field::{Kind::*, Table, many, one};
use super::resource::RESOURCE;

pub(super) const PACKAGE: &str = "opentelemetry.proto.profiles.v1development";

pub static PROFILES_DICTIONARY: Message = Message::new(
    PACKAGE,
    "ProfilesDictionary",
    &[
        many(1, "mapping_table", "mappingTable", Message(&MAPPING)),
        many(2, "location_table", "locationTable", Message(&LOCATION)),
        many(3, "function_table", "functionTable", Message(&FUNCTION)),
        many(4, "link_table", "linkTable", Message(&LINK)),
        many(5, "string_table", "stringTable", String),
        many(6, "attribute_table", "attributeTable", Message(&KEY_VALUE_AND_UNIT)),
        many(7, "stack_table", "stackTable", Message(&STACK)),
    ],
);

pub(super) static PROFILES_DATA: Message = Message::new(
    PACKAGE,
    "ProfilesData",
    &[
        many(1, "resource_profiles", "resourceProfiles", Message(&RESOURCE_PROFILES)),
        one(2, "dictionary", "dictionary", Message(&PROFILES_DICTIONARY)),
    ],
);

pub static RESOURCE_PROFILES: Message = Message::new(
    PACKAGE,
    "ResourceProfiles",
    &[
        one(1, "resource", "resource", Message(&RESOURCE)),
        many(2, "scope_profiles", "scopeProfiles", Message(&SCOPE_PROFILES)),
        one(3, "schema_url", "schemaUrl", String),
    ],
);

pub static SCOPE_PROFILES: Message = Message::new(
    PACKAGE,
    "ScopeProfiles",
    &[
        one(1, "scope", "scope", Message(&INSTRUMENTATION_SCOPE)),
        many(2, "profiles", "profiles", Message(&PROFILE)),
        one(3, "schema_url", "schemaUrl", String),
    ],
);

pub static PROFILE: Message = Message::new(
    PACKAGE,
    "Profile",
    &[
        one(1, "sample_type", "sampleType", Message(&VALUE_TYPE)),
        many(2, "samples", "samples", Message(&SAMPLE)),
        one(3, "time_unix_nano", "timeUnixNano", Fixed64),
        one(4, "duration_nano", "durationNano", Uint64),
        one(5, "period_type", "periodType", Message(&VALUE_TYPE)),
        one(6, "period", "period", Int64),
        one(7, "profile_id", "profileId", Id(16)),
        one(8, "dropped_attributes_count", "droppedAttributesCount", Uint32),
        one(9, "original_payload_format", "originalPayloadFormat", String),
        one(10, "original_payload", "originalPayload", Bytes),
        many(11, "attribute_indices", "attributeIndices", Index(Table::Attributes)),
    ],
);

pub static LINK: Message = Message::new(
    PACKAGE,
    "Link",
    &[one(1, "trace_id", "traceId", Id(16)), one(2, "span_id", "spanId", Id(8))],
);

pub static VALUE_TYPE: Message = Message::new(
    PACKAGE,
    "ValueType",
    &[
        one(1, "type_strindex", "typeStrindex", Index(Table::Strings)),
        one(2, "unit_strindex", "unitStrindex", Index(Table::Strings)),
    ],
);

pub static SAMPLE: Message = Message::new(
    PACKAGE,
    "Sample",
    &[
        one(1, "stack_index", "stackIndex", Index(Table::Stacks)),
        many(2, "attribute_indices", "attributeIndices", Index(Table::Attributes)),
        one(3, "link_index", "linkIndex", Index(Table::Links)),
        many(4, "values", "values", Int64),
        many(5, "timestamps_unix_nano", "timestampsUnixNano", Fixed64),
    ],
);

pub static MAPPING: Message = Message::new(
    PACKAGE,
    "Mapping",
    &[
        one(1, "memory_start", "memoryStart", Uint64),
        one(2, "memory_limit", "memoryLimit", Uint64),
        one(3, "file_offset", "fileOffset", Uint64),
        one(4, "filename_strindex", "filenameStrindex", Index(Table::Strings)),
        many(5, "attribute_indices", "attributeIndices", Index(Table::Attributes)),
    ],
);

pub static STACK: Message = Message::new(
    PACKAGE,
    "Stack",
    &[many(1, "location_indices", "locationIndices", Index(Table::Locations))],
);

pub static LOCATION: Message = Message::new(
    PACKAGE,
    "Location",
    &[
        one(1, "mapping_index", "mappingIndex", Index(Table::Mappings)),
        one(2, "address", "address", Uint64),
        many(3, "lines", "lines", Message(&LINE)),
        many(4, "attribute_indices", "attributeIndices", Index(Table::Attributes)),
    ],
);

pub static LINE: Message = Message::new(
    PACKAGE,
    "Line",
    &[
        one(1, "function_index", "functionIndex", Index(Table::Functions)),
        one(2, "line", "line", Int64),
        one(3, "column", "column", Int64),
    ],
);

pub static FUNCTION: Message = Message::new(
    PACKAGE,
    "Function",
    &[
        one(1, "name_strindex", "nameStrindex", Index(Table::Strings)),
        one(2, "system_name_strindex", "systemNameStrindex", Index(Table::Strings)),
        one(3, "filename_strindex", "filenameStrindex", Index(Table::Strings)),
        one(4, "start_line", "startLine", Int64),
    ],
);

pub static KEY_VALUE_AND_UNIT: Message = Message::new(
    PACKAGE,
    "KeyValueAndUnit",
    &[
        one(1, "key_strindex", "keyStrindex", Index(Table::Strings)),
        one(2, "value", "value", Message(&ANY_VALUE)),
        one(3, "unit_strindex", "unitStrindex", Index(Table::Strings)),
    ],
);
