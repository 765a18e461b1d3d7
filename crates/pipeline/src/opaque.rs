//! Opaque: what stands behind a trait prints as the name of the trait.
//!
//! Were each asked to print itself, the code for it, and for all that it holds, would be in every
//! binary, for no reader: what operators are told of a component is what it explains.

use std::fmt;

use crate::component::{Component, Extension};
use crate::consumer::Consumer;
use crate::factory::{
    ConnectorBlueprint, ExporterBlueprint, ExtensionBlueprint, ProcessorBlueprint,
    ReceiverBlueprint,
};

macro_rules! opaque {
    ($($name:ident)*) => {$(
        impl fmt::Debug for dyn $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

opaque! {
    Consumer
    Component
    Extension
    ReceiverBlueprint
    ProcessorBlueprint
    ExporterBlueprint
    ConnectorBlueprint
    ExtensionBlueprint
}
