//! Routing: the operators `router`, `filter` and `noop`.

use std::collections::BTreeMap;

use config::Faults;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Work;
use super::route::{OutputWords, RouteWords, expression, operator_words};
use crate::receivers::file_log::entry::{Entry, Field, Value};
use crate::receivers::file_log::expression::Expression;

operator_words! {
    /// Passes entries on unchanged.
    pub struct NoopWords {}
}

operator_words! {
    /// Drops the entries for which an expression holds.
    pub struct FilterWords {
        /// The expression. Needed.
        pub expr: String,
        /// The share of them that is dropped, from 0 to 1. 1, unless it is written.
        pub drop_ratio: Option<f64>,
    }
}

/// Sends each entry where the first expression says that holds for it; if none does, to `default`,
/// and if there is none, nowhere.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RouterWords {
    /// The name by which `output` and `routes` find it; its `type`, unless it is written.
    pub id: Option<String>,
    /// Where entries may go. Needed.
    pub routes: Vec<OneRouteWords>,
    /// Where entries go for which no expression holds: an id or a list of ids.
    pub default: Option<OutputWords>,
}

/// One way out of a router.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OneRouteWords {
    /// The expression. Needed.
    pub expr: String,
    /// Where entries go for which it holds: an id or a list of ids. Needed.
    pub output: Option<OutputWords>,
    /// Attributes that are added to them; a value may be `EXPR(...)`.
    pub attributes: BTreeMap<String, String>,
}

/// Drops a part of what an expression holds for.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) expression: Expression,
    pub(super) drop_ratio: f64,
}

/// Ways out, of which an entry takes the first that is open.
#[derive(Debug)]
pub(super) struct Router {
    pub(super) routes: Vec<OneRoute>,
    pub(super) default: Option<OutputWords>,
}

#[derive(Debug)]
pub(super) struct OneRoute {
    expression: Expression,
    pub(super) output: OutputWords,
    attributes: Vec<(Field, Text)>,
}

#[derive(Debug)]
enum Text {
    Plain(String),
    Computed(Expression),
}

impl NoopWords {
    pub(super) fn build(self, _faults: &mut Faults) -> Option<Work> {
        Some(Work::Nothing)
    }
}

impl FilterWords {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        let drop_ratio = self.drop_ratio.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&drop_ratio) {
            faults.add("drop_ratio", "`drop_ratio` must lie between 0 and 1");
        }
        let expression = needed_expression("expr", &self.expr, faults)?;
        Some(Work::Filter(Filter { expression, drop_ratio }))
    }
}

impl RouterWords {
    pub(super) fn take_route(&mut self) -> RouteWords {
        RouteWords { id: self.id.take(), ..RouteWords::default() }
    }

    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        if self.routes.is_empty() {
            faults.add("routes", "at least one route is needed");
        }
        let mut routes = Vec::new();
        for (at, words) in self.routes.into_iter().enumerate() {
            routes.extend(faults.take(&format!("routes[{at}]"), words.validate()));
        }
        Some(Work::Router(Router { routes, default: self.default }))
    }
}

impl OneRouteWords {
    fn validate(self) -> Result<OneRoute, Faults> {
        let mut faults = Faults::default();
        let expression = needed_expression("expr", &self.expr, &mut faults);
        if self.output.is_none() {
            faults.add("output", "`output` is needed");
        }
        let mut attributes = Vec::new();
        for (key, value) in self.attributes {
            let text = match Expression::embedded(&value) {
                None => Text::Plain(value),
                Some(Ok(expression)) => Text::Computed(expression),
                Some(Err(message)) => {
                    faults.add(format!("attributes.{key}"), message);
                    continue;
                }
            };
            attributes.push((Field::attribute(&key), text));
        }
        match (expression, self.output) {
            (Some(expression), Some(output)) => {
                faults.or(|| OneRoute { expression, output, attributes })
            }
            _ => Err(faults),
        }
    }
}

impl Router {
    /// The number of the first route that is open for the entry; behind the last, if none is.
    pub(super) fn choose(&self, entry: &mut Entry) -> Result<usize, String> {
        for (at, route) in self.routes.iter().enumerate() {
            if route.expression.holds(entry)? {
                route.mark(entry)?;
                return Ok(at);
            }
        }
        Ok(self.routes.len())
    }
}

impl OneRoute {
    fn mark(&self, entry: &mut Entry) -> Result<(), String> {
        for (field, text) in &self.attributes {
            let value = match text {
                Text::Plain(text) => Value::Text(text.clone()),
                Text::Computed(expression) => expression.value(entry)?,
            };
            field.set(entry, value);
        }
        Ok(())
    }
}

fn needed_expression(key: &str, text: &str, faults: &mut Faults) -> Option<Expression> {
    if text.is_empty() {
        faults.add(key, format!("`{key}` is needed"));
        return None;
    }
    expression(key, text, faults)
}
