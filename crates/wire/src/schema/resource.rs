//! Resource: what produced the telemetry, as `resource.proto` has it.

use super::Message;
use super::attribute::{ENTITY_REF, KEY_VALUE};
use super::field::{Kind::*, many, one};

pub(super) const PACKAGE: &str = "opentelemetry.proto.resource.v1";

pub static RESOURCE: Message = Message::new(
    PACKAGE,
    "Resource",
    &[
        many(1, "attributes", "attributes", Message(&KEY_VALUE)),
        one(2, "dropped_attributes_count", "droppedAttributesCount", Uint32),
        many(3, "entity_refs", "entityRefs", Message(&ENTITY_REF)),
    ],
);
