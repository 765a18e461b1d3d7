//! Profiles: the shared files `~/.aws/credentials` and `~/.aws/config`, as the AWS tools read them.
//!
//! Pure: the texts of the files come in as arguments.

use std::collections::BTreeMap;

/// The keys of one profile.
pub(super) type Profile = BTreeMap<String, String>;

/// The profiles of both files; what the credentials file says wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Profiles(BTreeMap<String, Profile>);

impl Profiles {
    /// Adds the profiles of a config file, whose sections say `profile NAME`.
    pub(super) fn add_config(&mut self, text: &str) {
        self.add(text, |section| match section.strip_prefix("profile ") {
            Some(name) => Some(name.trim()),
            None => Some(section).filter(|section| *section == "default"),
        });
    }

    /// Adds the profiles of a credentials file, whose sections are the names.
    pub(super) fn add_credentials(&mut self, text: &str) {
        self.add(text, |section| Some(section));
    }

    pub(super) fn find(&self, name: &str) -> Option<&Profile> {
        self.0.get(name)
    }

    fn add(&mut self, text: &str, name_of: impl Fn(&str) -> Option<&str>) {
        let mut current = None;
        for line in text.lines() {
            // Indented lines belong to nested sections, which hold nothing that is needed here.
            let is_nested = line.starts_with([' ', '\t']);
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) || is_nested {
                continue;
            }
            if let Some(section) = line.strip_prefix('[') {
                let section = section.split(']').next().unwrap_or_default().trim();
                current = name_of(section).map(str::to_owned);
                if let Some(name) = &current {
                    self.0.entry(name.clone()).or_default();
                }
            } else if let (Some(name), Some((key, value))) = (&current, line.split_once('=')) {
                let value = value.split(" #").next().unwrap_or_default().trim();
                let profile = self.0.entry(name.clone()).or_default();
                profile.insert(key.trim().to_ascii_lowercase(), value.to_owned());
            }
        }
    }
}
