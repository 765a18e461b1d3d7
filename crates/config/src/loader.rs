//! Loader: sources and `--set` become one tree without `${…}`.

use crate::expand::Expander;
use crate::merge::{merge, unfold};
use crate::node::{Content, Entry, Node};
use crate::problem::{self, Problem};
use crate::source::{Outside, Source, Texts};
use crate::{Position, parse, report};

/// What the command line says about configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loader {
    /// Every `--config`, in order; a later one wins.
    pub sources: Vec<String>,
    /// Every `--set key.key=value`, in order; they win over all sources.
    pub sets: Vec<String>,
}

/// A whole configuration, without `${…}`.
#[derive(Debug)]
pub struct Tree {
    pub root: Node,
    pub texts: Texts,
    /// What the operator should know.
    pub warnings: Vec<Problem>,
}

/// A configuration that could not be loaded; prints as a report for people.
#[derive(Debug)]
pub struct Refusal {
    pub problems: Vec<Problem>,
    pub texts: Texts,
}

impl Loader {
    /// Loads everything; all problems are told at once.
    pub fn load(&self, outside: &dyn Outside) -> Result<Tree, Refusal> {
        let mut texts = Texts::default();
        let mut problems = Vec::new();
        let sources = self.sources.iter().map(|source| read_source(source, outside, &mut texts));
        let mut layers: Vec<_> = sources.collect();
        layers.extend(self.sets.iter().map(|set| read_set(set, &mut texts)));
        let mut root = None;
        for layer in layers {
            match layer {
                Ok(layer) => {
                    root = Some(match root {
                        Some(below) => merge(below, layer),
                        None => layer,
                    });
                }
                Err(found) => problems.extend(found),
            }
        }
        let mut expander = Expander::new(outside, &mut texts);
        let root = root.map(|root| expander.expand(root));
        let warnings = expander.warnings;
        problems.extend(expander.problems);
        problem::sort(&mut problems);
        match root {
            Some(root) if problems.is_empty() => Ok(Tree { root, texts, warnings }),
            _ if !problems.is_empty() => Err(Refusal { problems, texts }),
            _ => Err(Refusal { problems: vec![no_source()], texts }),
        }
    }
}

impl Tree {
    /// Problems found in the tree later on, as a report for people.
    #[must_use]
    pub fn report(&self, problems: &[Problem]) -> String {
        report::report(problems, &self.texts)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&report::report(&self.problems, &self.texts))
    }
}

impl std::error::Error for Refusal {}

fn no_source() -> Problem {
    let remedy = Some("name a file with `--config`".to_owned());
    let message = "there is no configuration".to_owned();
    Problem { position: None, path: String::new(), message, remedy }
}

fn read_source(
    argument: &str,
    outside: &dyn Outside,
    texts: &mut Texts,
) -> Result<Node, Vec<Problem>> {
    let refuse = |message: String, remedy: &str| {
        let path = String::new();
        vec![Problem { position: None, path, message, remedy: Some(remedy.to_owned()) }]
    };
    let source = Source::from_argument(argument);
    let (name, bytes) = match source.map_err(|e| refuse(e.to_string(), e.remedy()))? {
        Source::File(path) => {
            let bytes = outside.file(&path, parse::BYTES_MAX).map_err(|error| {
                let message = format!("cannot read the configuration `{path}`: {error}");
                refuse(message, "check the path and its permissions")
            })?;
            (path, bytes)
        }
        Source::Variable { name, default } => {
            let text = outside.variable(&name).or(default).ok_or_else(|| {
                let message = format!("the environment variable `{name}` is not set");
                refuse(message, "set it to the configuration itself, as YAML")
            })?;
            (format!("env:{name}"), text.into_bytes())
        }
        Source::Yaml(text) => ("--config yaml".to_owned(), text.into_bytes()),
    };
    let name = texts.keep(&name, &bytes);
    into_layer(parse::parse(&name, &bytes)?)
}

/// A source is a map, or says nothing.
fn into_layer(node: Node) -> Result<Node, Vec<Problem>> {
    let content = match node.content {
        Content::Map(entries) => Content::Map(entries),
        Content::Scalar(scalar) if scalar.is_null() => Content::Map(Vec::new()),
        Content::Scalar(_) | Content::List(_) => {
            return Err(vec![Problem {
                position: Some(node.position),
                path: String::new(),
                message: "a configuration is a map of `receivers`, `exporters`, `service` and \
                          others; this is not"
                    .to_owned(),
                remedy: None,
            }]);
        }
    };
    Ok(unfold(Node { position: node.position, content }))
}

/// `a.b.c=value`, in which the value is YAML.
fn read_set(set: &str, texts: &mut Texts) -> Result<Node, Vec<Problem>> {
    let Some((keys, value)) = set.split_once('=').filter(|(keys, _)| !keys.trim().is_empty())
    else {
        // What follows may be secret, so the text is not shown.
        let message = "`--set` takes `key.key=value`".to_owned();
        let remedy = Some("such as `--set service.telemetry.logs.level=debug`".to_owned());
        return Err(vec![Problem { position: None, path: String::new(), message, remedy }]);
    };
    let keys = keys.trim();
    let source = texts.keep(&format!("--set {keys}"), value.as_bytes());
    let position = Position { source: source.clone(), line: 1, column: 1 };
    let value = parse::parse(&source, value.as_bytes()).map_err(|mut problems| {
        problems.iter_mut().for_each(|problem| keys.clone_into(&mut problem.path));
        problems
    })?;
    let keys = keys.replace("::", ".");
    Ok(keys.rsplitn(parse::DEPTH_MAX, '.').fold(value, |value, key| {
        let entry = Entry { key: key.to_owned(), key_position: position.clone(), value };
        Node { position: position.clone(), content: Content::Map(vec![entry]) }
    }))
}

#[cfg(test)]
mod tests;
