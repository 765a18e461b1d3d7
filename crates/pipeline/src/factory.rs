//! Factory: how a name in YAML becomes a component.
//!
//! `components` has one `const` list of factories; the graph asks it for blueprints.

use std::sync::Arc;

use config::section::Words;
use config::{ComponentId, Gates, Problem, Section};
use runtime::net::Address;
#[cfg(feature = "schema")]
use schemars::{Schema, SchemaGenerator};
use wire::Signal;

use crate::component::{Built, Component, Environment, Extension, Outlets, StartError};
use crate::consumer::Outlet;
use crate::storage::{ContextKey, StorageUse};

/// The kinds of components, in the words of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Receiver,
    Processor,
    Exporter,
    Connector,
    Extension,
}

/// What users may expect of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    Stable,
    Beta,
    Alpha,
    /// Its keys load, with a warning; it does nothing yet.
    Reserved,
}

impl Stability {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Beta => "beta",
            Self::Alpha => "alpha",
            Self::Reserved => "reserved",
        }
    }
}

/// How a name in YAML becomes a component.
#[derive(Clone, Copy, Debug)]
pub struct Factory {
    pub kind: Kind,
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub signals: &'static [Signal],
    pub stability: Stability,
    /// One sentence for `tidegate components` and the reference documentation.
    pub about: &'static str,
    /// Describes its options; what the product says of them was written down from it.
    #[cfg(feature = "schema")]
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    pub parse: fn(&Section, &Gates) -> Result<Blueprint, Vec<Problem>>,
}

/// Validated settings that know how to build their component.
#[derive(Debug)]
pub enum Blueprint {
    Receiver(Box<dyn ReceiverBlueprint>),
    Processor(Box<dyn ProcessorBlueprint>),
    Exporter(Box<dyn ExporterBlueprint>),
    Connector(Box<dyn ConnectorBlueprint>),
    Extension(Box<dyn ExtensionBlueprint>),
}

/// What every blueprint can tell before anything is built.
pub trait Plans: Send + Sync {
    /// Extensions that must exist, each with the key that names it, below the component's section.
    fn extensions(&self) -> Vec<(ComponentId, String)> {
        Vec::new()
    }

    /// What the component keeps on disk. The extensions named here count as [`Plans::extensions`].
    fn stores(&self) -> Vec<StorageUse> {
        Vec::new()
    }

    /// Whether other components may keep things in this one.
    fn is_storage(&self) -> bool {
        false
    }

    /// Whether the receiver reads again what was not accepted, and forgets what was.
    fn is_replaying(&self) -> bool {
        false
    }

    /// The key by which the receiver removes what was accepted from where it came, if it does.
    fn removes_by(&self) -> Option<&'static str> {
        None
    }

    /// Whether the component says "delivered" of what it holds in memory only.
    fn answers_from_memory(&self) -> bool {
        false
    }

    /// What of a client's request the credentials are made of that this component adds.
    fn context_keys(&self) -> Vec<ContextKey> {
        Vec::new()
    }

    /// Addresses that the component listens on, each with the key that names it; none with port 0.
    fn listens(&self) -> Vec<(Address, String)> {
        Vec::new()
    }

    /// The memory limit that the component sets for the whole process, in bytes.
    fn memory_limit(&self) -> Option<usize> {
        None
    }

    /// What the operator should know at start, a sentence each.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Builds a receiver.
pub trait ReceiverBlueprint: Plans {
    /// Starts it; it sends into `outlets` from the moment it is asked to.
    fn build(&self, env: Environment, outlets: Outlets) -> Result<Arc<dyn Component>, StartError>;
}

/// Builds a processor, once for each pipeline it stands in.
pub trait ProcessorBlueprint: Plans {
    /// Starts it in front of `next`.
    fn build(&self, env: Environment, next: Outlet) -> Result<Built, StartError>;
}

/// Builds an exporter, once for all signals and pipelines.
pub trait ExporterBlueprint: Plans {
    /// Starts it.
    fn build(&self, env: Environment) -> Result<Built, StartError>;
}

/// Builds a connector, once for all pipelines it joins.
pub trait ConnectorBlueprint: Plans {
    /// Which signal comes out for which signal in.
    fn translates(&self, from: Signal, to: Signal) -> bool {
        from == to
    }

    /// Starts it in front of `outlets`.
    fn build(&self, env: Environment, outlets: Outlets) -> Result<Built, StartError>;
}

/// Builds an extension.
pub trait ExtensionBlueprint: Plans {
    /// Starts it.
    fn build(&self, env: Environment) -> Result<Arc<dyn Extension>, StartError>;
}

/// The parts of a factory that are words, not functions.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub signals: &'static [Signal],
    pub stability: Stability,
    pub about: &'static str,
}

impl Factory {
    /// The factory of the receiver that `W` configures.
    #[must_use]
    pub const fn receiver<W>(about: About) -> Self
    where
        W: Words<Settings: ReceiverBlueprint + 'static>,
    {
        Self::new::<W>(Kind::Receiver, about, |section, gates| {
            Ok(Blueprint::Receiver(Box::new(section.read::<W>(gates)?)))
        })
    }

    /// The factory of the processor that `W` configures.
    #[must_use]
    pub const fn processor<W>(about: About) -> Self
    where
        W: Words<Settings: ProcessorBlueprint + 'static>,
    {
        Self::new::<W>(Kind::Processor, about, |section, gates| {
            Ok(Blueprint::Processor(Box::new(section.read::<W>(gates)?)))
        })
    }

    /// The factory of the exporter that `W` configures.
    #[must_use]
    pub const fn exporter<W>(about: About) -> Self
    where
        W: Words<Settings: ExporterBlueprint + 'static>,
    {
        Self::new::<W>(Kind::Exporter, about, |section, gates| {
            Ok(Blueprint::Exporter(Box::new(section.read::<W>(gates)?)))
        })
    }

    /// The factory of the connector that `W` configures.
    #[must_use]
    pub const fn connector<W>(about: About) -> Self
    where
        W: Words<Settings: ConnectorBlueprint + 'static>,
    {
        Self::new::<W>(Kind::Connector, about, |section, gates| {
            Ok(Blueprint::Connector(Box::new(section.read::<W>(gates)?)))
        })
    }

    /// The factory of the extension that `W` configures.
    #[must_use]
    pub const fn extension<W>(about: About) -> Self
    where
        W: Words<Settings: ExtensionBlueprint + 'static>,
    {
        Self::new::<W>(Kind::Extension, about, |section, gates| {
            Ok(Blueprint::Extension(Box::new(section.read::<W>(gates)?)))
        })
    }

    #[cfg_attr(
        not(feature = "schema"),
        expect(clippy::extra_unused_type_parameters, reason = "only its description needs it")
    )]
    const fn new<W: Words>(
        kind: Kind,
        about: About,
        parse: fn(&Section, &Gates) -> Result<Blueprint, Vec<Problem>>,
    ) -> Self {
        let About { name, aliases, signals, stability, about } = about;
        Self {
            kind,
            name,
            aliases,
            signals,
            stability,
            about,
            #[cfg(feature = "schema")]
            schema: W::json_schema,
            parse,
        }
    }

    /// Whether `name` is this component's name or one of its aliases.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}
