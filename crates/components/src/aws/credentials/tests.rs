//! Sources by the order of the AWS tools, and how they are asked, over real sockets.

mod choosing;
mod fetching;

use std::collections::BTreeMap;
use std::path::Path;

use super::source::{Chooser, Source, Words};
use super::*;

/// What a host looks like: its variables and files.
#[derive(Default)]
struct Host {
    variables: Vec<(&'static str, String)>,
    files: BTreeMap<&'static str, &'static str>,
}

impl Host {
    fn with(variables: &[(&'static str, &str)], files: &[(&'static str, &'static str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Self { variables: variables.collect(), files: files.iter().copied().collect() }
    }

    fn variables(&self) -> Variables {
        let pairs = self.variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        pairs.collect()
    }

    fn choose(&self, words: &Words) -> Result<Source, String> {
        let read = |path: &Path| self.files.get(path.to_str()?).map(|text| (*text).to_owned());
        Chooser { words, variables: &self.variables(), read: &read }.choose()
    }
}

fn fixed(id: &str) -> Source {
    Source::Fixed(Credentials::new(id, "secret", None).unwrap())
}
