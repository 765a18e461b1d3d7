//! Rules: what happens to which requests.
//!
//! Pure: the time comes in as an argument, so a run can be repeated.

use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::sink::behaviour::Allowance;

/// What happens to requests of some targets and operations, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    group: Pattern,
    stream: Pattern,
    operation: Option<String>,
    behaviour: Behaviour,
    limit: Option<Limit>,
}

/// A name, or all that begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    text: String,
    is_prefix: bool,
}

/// What is done to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Deny,
    /// Lets so many requests a second pass.
    Throttle {
        per_second: u64,
    },
    Stall(Duration),
    Swallow,
    Reset,
    /// Takes the data, then hangs up.
    Lose,
    /// Answers 200, but rejects all events.
    Reject,
    /// Answers 200 with something that is no JSON.
    Garble,
    Error(String),
    Status(u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Requests(u64),
    For(Duration),
}

/// The rules in force.
#[derive(Debug)]
pub(crate) struct Rules {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    rule: Rule,
    since: Instant,
    used: u64,
    allowance: Allowance,
}

impl Rules {
    /// No rule: everything is taken.
    pub(super) fn none() -> Self {
        Self { entries: Vec::new() }
    }

    /// Puts others in their place, whose time starts now.
    pub(crate) fn replace(&mut self, rules: Vec<Rule>, now: Instant) {
        let entry = |rule: Rule| {
            let per_second = match rule.behaviour {
                Behaviour::Throttle { per_second } => per_second,
                _ => 0,
            };
            let allowance = Allowance::new(per_second, now);
            Entry { rule, since: now, used: 0, allowance }
        };
        self.entries = rules.into_iter().map(entry).collect();
    }

    /// What happens to this request; `None` when it is served.
    pub(super) fn behaviour(
        &mut self,
        (group, stream): (&str, &str),
        operation: &str,
        now: Instant,
    ) -> Option<Behaviour> {
        let entry = self
            .entries
            .iter_mut()
            .find(|entry| entry.rule.is_about((group, stream), operation) && !entry.is_over(now))?;
        entry.used += 1;
        let is_passing = match entry.rule.behaviour {
            Behaviour::Throttle { per_second } => 0 < per_second && entry.allowance.take(1, now),
            _ => false,
        };
        (!is_passing).then(|| entry.rule.behaviour.clone())
    }
}

impl Entry {
    fn is_over(&self, now: Instant) -> bool {
        match self.rule.limit {
            Some(Limit::Requests(max)) => max <= self.used,
            Some(Limit::For(period)) => self.since + period <= now,
            None => false,
        }
    }
}

impl Rule {
    fn is_about(&self, (group, stream): (&str, &str), operation: &str) -> bool {
        self.group.fits(group)
            && self.stream.fits(stream)
            && self.operation.as_ref().is_none_or(|wanted| wanted == operation)
    }
}

impl Pattern {
    fn of(text: &str) -> Self {
        let prefix = text.strip_suffix('*');
        Self { text: prefix.unwrap_or(text).to_owned(), is_prefix: prefix.is_some() }
    }

    fn fits(&self, name: &str) -> bool {
        if self.is_prefix { name.starts_with(&self.text) } else { name == self.text }
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (about, rest) = text.split_once('=').ok_or("a rule is `GROUP=BEHAVIOUR`")?;
        let (names, operation) = match about.split_once(',') {
            Some((names, operation)) => (names, Some(operation.to_owned())),
            None => (about, None),
        };
        let (group, stream) = names.split_once(':').unwrap_or((names, "*"));
        let (behaviour, limit) = match rest.split_once('@') {
            Some((behaviour, limit)) => (behaviour, Some(limit.parse()?)),
            None => (rest, None),
        };
        Ok(Self {
            group: Pattern::of(group),
            stream: Pattern::of(stream),
            operation,
            behaviour: behaviour.parse()?,
            limit,
        })
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse().map_err(|_| format!("`{text}` is neither a number nor a time: `5`, `30s`"))
        };
        match text.strip_suffix('s') {
            Some(seconds) => Ok(Self::For(Duration::from_secs(number(seconds)?))),
            None => Ok(Self::Requests(number(text)?)),
        }
    }
}

impl FromStr for Behaviour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        let number = || value.parse::<u64>().map_err(|_| format!("`{name}` needs a number"));
        Ok(match name {
            "deny" => Self::Deny,
            "throttle" if value.is_empty() => Self::Throttle { per_second: 0 },
            "throttle" => Self::Throttle { per_second: number()? },
            "stall" => Self::Stall(Duration::from_millis(number()?)),
            "swallow" => Self::Swallow,
            "reset" => Self::Reset,
            "lose" => Self::Lose,
            "reject" => Self::Reject,
            "garble" => Self::Garble,
            "error" if !value.is_empty() => Self::Error(value.to_owned()),
            "status" => Self::Status(
                u16::try_from(number()?)
                    .ok()
                    .filter(|status| (400..600).contains(status))
                    .ok_or("a status is 400 to 599")?,
            ),
            _ => return Err(format!("`{text}` is no behaviour")),
        })
    }
}
