//! Settings: the words, checked and complete as far as they can be without the environment.

use std::path::Path;

use pipeline::factory::Plans;
use pipeline::{StartError, StorageUse};

use super::super::creation::Group;
use super::super::event::Form;
use super::super::template::Template;
use crate::aws::Variables;
use crate::aws::credentials::{Words, region_of};
use crate::aws::endpoint::{Kind, is_region, url};
use crate::compression::Codec;
use crate::exporters::otlp::way::Way;

/// The words, checked.
#[derive(Debug)]
pub struct Settings {
    pub(in super::super) group: Template,
    pub(in super::super) stream: Template,
    pub(in super::super) form: Form,
    pub(in super::super) made: Group,
    pub(in super::super) codec: Option<Codec>,
    /// As written; often empty.
    pub(in super::super) region: String,
    pub(in super::super) endpoint: String,
    pub(in super::super) sts_endpoint: String,
    pub(in super::super) kind: Kind,
    pub(in super::super) credentials: Words,
    pub(in super::super) imds_retries: u32,
    pub(in super::super) way: Way,
    pub(in super::super) road: delivery::Settings,
    pub(in super::super) warnings: Vec<String>,
}

/// Where the service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Place {
    pub(in super::super) region: String,
    pub(in super::super) url: String,
    pub(in super::super) sts_url: String,
}

impl Settings {
    /// Completes what is not written from the environment and the shared files.
    pub(in super::super) fn place(
        &self,
        variables: &Variables,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<Place, StartError> {
        let written = Some(self.region.clone()).filter(|region| !region.is_empty());
        let region = written
            .or_else(|| region_of(&self.credentials, variables, read))
            .or_else(|| region_in(&self.endpoint))
            .ok_or_else(|| {
                StartError::new("no region is known: write `region`, or set AWS_REGION")
            })?;
        if !is_region(&region) {
            return Err(StartError::new(format!("`{region}` is not the name of a region")));
        }
        let is_true = |name: &str| {
            variables.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        let kind = Kind {
            is_fips: self.kind.is_fips || is_true("AWS_USE_FIPS_ENDPOINT"),
            is_dual_stack: self.kind.is_dual_stack || is_true("AWS_USE_DUALSTACK_ENDPOINT"),
        };
        let of = |written: &str, variable: &str, service: &str| {
            let named = [variable, "AWS_ENDPOINT_URL"];
            let named = named.iter().find_map(|name| variables.get(name)).map(str::to_owned);
            let written = Some(written.to_owned()).filter(|url| !url.is_empty());
            written.or(named).unwrap_or_else(|| url(service, &region, kind))
        };
        let logs = of(&self.endpoint, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "logs");
        let sts_url = of(&self.sts_endpoint, "AWS_ENDPOINT_URL_STS", "sts");
        Ok(Place { url: logs, sts_url, region })
    }
}

/// The region in the name of one of the service's own endpoints.
fn region_in(endpoint: &str) -> Option<String> {
    let (_, host) = endpoint.split_once("://")?;
    let mut labels = host.split('.');
    let is_logs = matches!(labels.next()?, "logs" | "logs-fips");
    let region = labels.next()?;
    let is_aws = matches!(labels.next()?, "amazonaws" | "api");
    (is_logs && is_aws).then(|| region.to_owned())
}

impl Plans for Settings {
    fn stores(&self) -> Vec<StorageUse> {
        self.road.stores()
    }

    fn answers_from_memory(&self) -> bool {
        self.road.answers_from_memory()
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}
