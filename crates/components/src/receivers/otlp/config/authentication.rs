//! The words of `auth`.

use config::{ComponentId, Faults};
use schemars::JsonSchema;
use serde::Deserialize;

/// Who checks the clients.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuthWords {
    /// The id of the extension that checks every request.
    pub authenticator: String,
}

impl AuthWords {
    pub(super) fn validate(self) -> Result<ComponentId, Faults> {
        let mut faults = Faults::default();
        if self.authenticator.is_empty() {
            let message = "`auth` without an authenticator would check nobody";
            faults.add_with_remedy(
                "authenticator",
                message,
                "name an extension such as `basicauth`, or remove `auth`",
            );
            return Err(faults);
        }
        self.authenticator.parse().map_err(|error: config::id::InvalidId| {
            faults.add("authenticator", error.to_string());
            faults
        })
    }
}
