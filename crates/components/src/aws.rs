//! What components of Amazon Web Services share: signatures, credentials, regions.

pub(crate) mod credentials;
pub(crate) mod endpoint;
pub(crate) mod request;
pub mod signature;

pub(crate) use credentials::{Credentials, Keeper, Variables};
