//! Rules: conditions and what they are about, as the configuration lists them.

use config::Faults;
use wire::edit::Place;

use super::condition::{Condition, Context, EvaluationError, Subject};

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

/// Evaluates rules and keeps the first error, so that it is told once for a request.
#[derive(Debug)]
pub(super) struct Evaluation<'d> {
    /// The dictionary of profiles.
    pub(super) dictionary: &'d [u8],
    pub(super) first_error: Option<EvaluationError>,
}

impl Evaluation<'_> {
    /// Whether one of the rules holds for the thing at `place`.
    pub(super) fn drops(&mut self, rules: &[Rule], place: &Place<'_>) -> bool {
        rules.iter().any(|rule| {
            let metric = place.metric().map(|metric| metric.encoded()).unwrap_or_default();
            let item = place.item().map(|item| item.encoded()).unwrap_or_default();
            let profile = place.profile().map(|profile| profile.encoded()).unwrap_or_default();
            let (parent, item) = match rule.context {
                Context::LogRecord | Context::Span => (&[][..], item),
                Context::SpanEvent => (item, &[][..]),
                Context::Metric => (&[][..], metric),
                Context::Datapoint => (metric, item),
                Context::Profile => (&[][..], profile),
            };
            self.holds(rule, place, parent, item)
        })
    }

    /// Whether one of the rules holds for an event of the span at `place`.
    pub(super) fn drops_event(&mut self, rules: &[Rule], place: &Place<'_>, event: &[u8]) -> bool {
        let span = place.item().map(|item| item.encoded()).unwrap_or_default();
        rules.iter().any(|rule| self.holds(rule, place, span, event))
    }

    fn holds(&mut self, rule: &Rule, place: &Place<'_>, parent: &[u8], item: &[u8]) -> bool {
        let subject = Subject {
            resource: place.resource().encoded(),
            scope: place.scope().map(|scope| scope.encoded()).unwrap_or_default(),
            parent,
            item,
            dictionary: self.dictionary,
        };
        rule.condition.holds(&subject).unwrap_or_else(|error| {
            self.first_error.get_or_insert(error);
            false
        })
    }
}
