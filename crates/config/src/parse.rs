//! Parse: YAML text becomes a tree with positions.
//!
//! Anchors, aliases and merge keys (`<<`) are resolved here; scalars keep their text.
//! Bounds: [`BYTES_MAX`] of text, [`WEIGHT_MAX`] after aliases, [`DEPTH_MAX`] levels.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use crate::node::{Content, Entry, Node};
use crate::path::Path;
use crate::scalar::{Scalar, Style};
use crate::{Position, Problem};

/// The longest source.
pub const BYTES_MAX: usize = 4 << 20;
/// The heaviest tree, in bytes as [`Node::weight`] counts them.
pub const WEIGHT_MAX: usize = 32 << 20;
/// The deepest tree.
pub const DEPTH_MAX: usize = 100;

/// The tree of `bytes`, which came from `source`; nothing at all is a null node.
pub fn parse(source: &Arc<str>, bytes: &[u8]) -> Result<Node, Vec<Problem>> {
    let text = text_of(source, bytes).map_err(|problem| vec![*problem])?;
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    let mut builder = Builder {
        source,
        text,
        events: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        weight: 0,
        path: Path::root(),
        problems: Vec::new(),
    };
    match builder.document() {
        Ok(node) if builder.problems.is_empty() => Ok(node),
        Ok(_) => Err(builder.problems),
        Err(problem) => {
            builder.problems.push(*problem);
            Err(builder.problems)
        }
    }
}

fn text_of<'a>(source: &Arc<str>, bytes: &'a [u8]) -> Result<&'a str, Box<Problem>> {
    let problem = |line, column, message: String, remedy: &str| {
        let position = Some(Position { source: source.clone(), line, column });
        let remedy = Some(remedy.to_owned());
        Box::new(Problem { position, path: String::new(), message, remedy })
    };
    if BYTES_MAX < bytes.len() {
        let message = format!("the source is longer than {} MiB", BYTES_MAX >> 20);
        return Err(problem(1, 1, message, "split it into several files"));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let message = format!("byte {:#04x} is not UTF-8", bytes[error.valid_up_to()]);
        problem(line, column, message, "save the file as UTF-8")
    })
}

/// Boxed, as it is carried through every level of the recursion.
type Outcome<T> = Result<T, Box<Problem>>;

struct Builder<'a> {
    source: &'a Arc<str>,
    text: &'a str,
    events: Parser<'a, StrInput<'a>>,
    /// Complete nodes only, so an alias inside its own anchor finds nothing.
    anchors: HashMap<usize, Node>,
    weight: usize,
    path: Path,
    /// What does not keep the rest from being read.
    problems: Vec<Problem>,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Outcome<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    let remedy = "write one document; give several files with several `--config`";
                    return Err(self.problem(span, "a second document starts here", remedy));
                }
                event if event.is_node() => root = Some(self.node(event, span, 1)?),
                _ => {}
            }
        }
        Ok(root.unwrap_or_else(|| {
            Node::null(Position { source: self.source.clone(), line: 1, column: 1 })
        }))
    }

    fn next(&mut self) -> Outcome<(Event<'a>, Span)> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Outcome<Node> {
        if DEPTH_MAX < depth {
            return Err(self.problem(
                span,
                format!("this is nested over {DEPTH_MAX} levels deep"),
                "",
            ));
        }
        let position = self.position(span);
        let (content, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(&text, style, tag.as_deref(), span)?;
                (Content::Scalar(scalar), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &["seq"], span)?;
                (self.list(depth)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &["map"], span)?;
                (self.map(depth)?, anchor)
            }
            Event::Alias(anchor) => return self.alias(anchor, span, depth),
            _ => return Err(self.problem(span, "a value is expected here", "")),
        };
        let node = Node { position, content };
        if anchor != 0 {
            self.charge(node.weight(), span)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Outcome<Scalar> {
        self.charge(size_of::<Entry>() + text.len(), span)?;
        self.refuse_tag(tag, &["str", "int", "float", "bool", "null", "timestamp"], span)?;
        let style = match tag.and_then(Tag::core_suffix) {
            Some("str" | "timestamp") => Style::Quoted,
            Some(_) => Style::Plain,
            None if style == ScalarStyle::Plain => Style::Plain,
            None => Style::Quoted,
        };
        Ok(Scalar { text: text.to_owned(), style })
    }

    fn list(&mut self, depth: usize) -> Outcome<Content> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::SequenceEnd => return Ok(Content::List(items)),
                event if event.is_node() => {
                    self.path.push_index(items.len());
                    items.push(self.node(event, span, depth + 1)?);
                    self.path.pop();
                }
                Event::StreamEnd => return Err(self.problem(span, "the list has no end", "")),
                _ => {}
            }
        }
    }

    fn map(&mut self, depth: usize) -> Outcome<Content> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut known = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::MappingEnd => break,
                Event::StreamEnd => return Err(self.problem(span, "the map has no end", "")),
                event if event.is_node() => {
                    let (key, is_merge) = self.key(event, span)?;
                    let key_position = self.position(span);
                    if !is_merge {
                        self.path.push_key(&key);
                    }
                    let (event, span) = self.next()?;
                    let value = self.node(event, span, depth + 1)?;
                    if is_merge {
                        self.merge(value, &mut merged)?;
                    } else if let Some(first) = known.get(&key) {
                        self.duplicate(&key, &key_position, first);
                    } else {
                        known.insert(key.clone(), key_position.clone());
                        entries.push(Entry { key: key.clone(), key_position, value });
                    }
                    if !is_merge {
                        self.path.pop();
                    }
                }
                _ => {}
            }
        }
        let mut known: HashSet<String> = known.into_keys().collect();
        // What the map says itself comes first, then what it merges, in order.
        entries.extend(merged.into_iter().filter(|entry: &Entry| known.insert(entry.key.clone())));
        Ok(Content::Map(entries))
    }

    /// The text of a key, and whether it asks to merge another map.
    fn key(&mut self, event: Event<'a>, span: Span) -> Outcome<(String, bool)> {
        let scalar = match self.node(event, span, 1)?.content {
            Content::Scalar(scalar) => scalar,
            Content::List(_) | Content::Map(_) => {
                return Err(self.problem(span, "a key must be a single value", ""));
            }
        };
        if scalar.is_null() {
            return Err(self.problem(span, "a key is missing", ""));
        }
        let is_merge = scalar.style == Style::Plain && scalar.text == "<<";
        Ok((scalar.text, is_merge))
    }

    fn merge(&mut self, value: Node, merged: &mut Vec<Entry>) -> Outcome<()> {
        let position = value.position;
        let maps = match value.content {
            Content::List(items) => items,
            content => vec![Node { position: position.clone(), content }],
        };
        for map in maps {
            match map.content {
                Content::Map(entries) => merged.extend(entries),
                Content::Scalar(_) | Content::List(_) => {
                    let message = "`<<` takes a map or a list of maps".to_owned();
                    let path = self.path.to_string();
                    let position = Some(map.position);
                    return Err(Box::new(Problem { position, path, message, remedy: None }));
                }
            }
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span, depth: usize) -> Outcome<Node> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(self.problem(span, "the alias stands inside the part that it names", ""));
        };
        let (weight, levels) = (node.weight(), node.depth());
        self.charge(weight, span)?;
        if DEPTH_MAX < depth + levels {
            return Err(self.problem(
                span,
                format!("this is nested over {DEPTH_MAX} levels deep"),
                "",
            ));
        }
        Ok(self.anchors[&anchor].clone())
    }

    fn charge(&mut self, weight: usize, span: Span) -> Outcome<()> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight <= WEIGHT_MAX {
            return Ok(());
        }
        let message = format!("the configuration grows over {} MiB here", WEIGHT_MAX >> 20);
        Err(self.problem(span, message, "use fewer aliases"))
    }

    fn refuse_tag(&self, tag: Option<&Tag>, known: &[&str], span: Span) -> Outcome<()> {
        match tag {
            Some(tag) if !tag.core_suffix().is_some_and(|name| known.contains(&name)) => {
                let message = format!("the tag `{}` cannot be used here", tag.original());
                Err(self.problem(span, message, "leave it out"))
            }
            _ => Ok(()),
        }
    }

    fn duplicate(&mut self, key: &str, second: &Position, first: &Position) {
        let message = format!(
            "the key `{key}` is written twice; first in line {}, column {}",
            first.line, first.column
        );
        self.problems.push(Problem {
            position: Some(second.clone()),
            path: self.path.to_string(),
            message,
            remedy: Some("remove one, or join them".to_owned()),
        });
    }

    fn syntax(&self, error: &ScanError) -> Box<Problem> {
        let mark = error.marker();
        let line = self.text.lines().nth(mark.line().saturating_sub(1)).unwrap_or_default();
        let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
        let remedy = indent.contains('\t').then(|| "indent with spaces, not tabs".to_owned());
        Box::new(Problem {
            position: Some(Position {
                source: self.source.clone(),
                line: mark.line(),
                column: mark.col() + 1,
            }),
            path: self.path.to_string(),
            message: format!("not valid YAML: {}", error.info()),
            remedy,
        })
    }

    fn problem(&self, span: Span, message: impl Into<String>, remedy: &str) -> Box<Problem> {
        let position = Some(self.position(span));
        let path = self.path.to_string();
        let remedy = (!remedy.is_empty()).then(|| remedy.to_owned());
        Box::new(Problem { position, path, message: message.into(), remedy })
    }

    fn position(&self, span: Span) -> Position {
        let source = self.source.clone();
        Position { source, line: span.start.line(), column: span.start.col() + 1 }
    }
}

#[cfg(test)]
mod tests;
