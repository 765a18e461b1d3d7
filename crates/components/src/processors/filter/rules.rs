//! Rules: conditions and what they are about, as the configuration lists them.

use config::Faults;
use wire::edit::Place;
use wire::view::MetricKind;
use wire::{Payload, Signal};

use super::condition::{
    Condition, Context, Dictionary, EvaluationError, Memory, PointKind, Subject,
};

/// A condition for items of one context.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) context: Context,
    condition: Condition,
}

/// Parses the conditions at `path`, each for the context that `context_of` says.
pub(super) fn parse_all(
    path: &str,
    texts: &[String],
    context_of: impl Fn(&str) -> Context,
    faults: &mut Faults,
) -> Vec<Rule> {
    let mut rules = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let context = context_of(text);
        match Condition::parse(text, context) {
            Ok(condition) => rules.push(Rule { context, condition }),
            Err(error) => faults.add(format!("{path}[{index}]"), error.describe(text)),
        }
    }
    rules
}

/// The first of `contexts`, highest first, in which the condition makes sense; else the one that
/// it names, so that the error is about that.
pub(super) fn infer(text: &str, contexts: &[Context]) -> Context {
    let fits = |context: &&Context| Condition::parse(text, **context).is_ok();
    let is_named = |context: &&Context| text.contains(&format!("{}.", context.word()));
    let inferred = contexts.iter().find(fits);
    let inferred = inferred.or_else(|| contexts.iter().rev().find(is_named));
    inferred.or(contexts.first()).copied().unwrap_or(Context::LogRecord)
}

/// The rules of one context.
pub(super) fn about(rules: &[Rule], context: Context) -> Vec<Rule> {
    rules.iter().filter(|rule| rule.context == context).cloned().collect()
}

/// Evaluates the rules of one context for the payloads of one request.
#[derive(Debug)]
pub(super) struct Evaluation<'r> {
    rules: &'r [Rule],
    /// What each rule found out.
    memories: Vec<Memory>,
    dictionary: Dictionary,
    /// So that an error is told once for a request.
    first_error: Option<EvaluationError>,
}

impl<'r> Evaluation<'r> {
    pub(super) fn new(rules: &'r [Rule], payload: &Payload) -> Self {
        let memory = || Memory::for_payload(payload.bytes_len());
        let is_asked = !rules.is_empty() && payload.signal() == Signal::Profiles;
        let dictionary = if is_asked { Dictionary::of(payload) } else { Dictionary::default() };
        let memories = rules.iter().map(|_| memory()).collect();
        Self { rules, memories, dictionary, first_error: None }
    }

    /// Whether one of the rules holds for the thing at `place`.
    pub(super) fn drops(&mut self, place: &Place<'_>) -> bool {
        let metric = place.metric().map(|metric| metric.encoded()).unwrap_or_default();
        let item = place.item().map(|item| item.encoded()).unwrap_or_default();
        let profile = place.profile().map(|profile| profile.encoded()).unwrap_or_default();
        (0..self.rules.len()).any(|at| {
            let (parent, item) = match self.rules[at].context {
                Context::LogRecord | Context::Span => (&[][..], item),
                Context::SpanEvent => (item, &[][..]),
                Context::Metric => (&[][..], metric),
                Context::Datapoint => (metric, item),
                Context::Profile => (&[][..], profile),
            };
            self.holds(at, place, parent, item)
        })
    }

    /// Whether one of the rules holds for an event of the span at `place`.
    pub(super) fn drops_event(&mut self, place: &Place<'_>, event: &[u8]) -> bool {
        let span = place.item().map(|item| item.encoded()).unwrap_or_default();
        (0..self.rules.len()).any(|at| self.holds(at, place, span, event))
    }

    fn holds(&mut self, at: usize, place: &Place<'_>, parent: &[u8], item: &[u8]) -> bool {
        let subject = Subject {
            resource: place.resource().encoded(),
            scope: place.scope().map(|scope| scope.encoded()).unwrap_or_default(),
            parent,
            item,
            point: point_kind(place.metric_kind()),
            dictionary: Some(&self.dictionary),
            serials: place.serials(),
        };
        let holds = self.rules[at].condition.holds(&subject, &mut self.memories[at]);
        holds.unwrap_or_else(|error| {
            self.first_error.get_or_insert(error);
            false
        })
    }

    /// The first error, if a rule could not be evaluated.
    pub(super) fn into_error(self) -> Option<EvaluationError> {
        self.first_error
    }

    /// How many bytes were looked at.
    #[cfg(test)]
    pub(super) fn work(&self) -> usize {
        self.memories.iter().map(Memory::work).sum()
    }
}

fn point_kind(kind: MetricKind) -> PointKind {
    match kind {
        MetricKind::None | MetricKind::Gauge | MetricKind::Sum => PointKind::Number,
        MetricKind::Histogram => PointKind::Histogram,
        MetricKind::ExponentialHistogram => PointKind::ExponentialHistogram,
        MetricKind::Summary => PointKind::Summary,
    }
}

#[cfg(test)]
mod tests;
