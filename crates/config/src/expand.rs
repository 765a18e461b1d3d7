//! Expand: expansions such as `${env:NAME}` are replaced by what they name.
//!
//! A value that is one expansion takes its type from what comes in (`0123` is a number, a map is a
//! map); within a longer text it is put in as written. What comes in is expanded too.
//! Bounds: [`DEPTH_MAX`] steps from value to value, [`EXPANSIONS_MAX`] expansions,
//! [`BYTES_MAX`] of what came in, [`parse::DEPTH_MAX`] levels of the tree.

use std::borrow::Cow;
use std::sync::Arc;

use crate::node::{Content, Entry, Node};
use crate::path::Path;
use crate::scalar::{Meaning, Scalar, Style};
use crate::source::{Outside, Source, Texts};
use crate::template::{self, InvalidTemplate, Piece};
use crate::{Position, Problem, parse};

/// How often what came in may itself hold expansions.
const DEPTH_MAX: usize = 20;
/// How many expansions are followed in one configuration.
const EXPANSIONS_MAX: usize = 10_000;
/// How much may come in.
const BYTES_MAX: usize = 16 << 20;

/// Replaces expansions, and keeps what was wrong on the way.
pub(crate) struct Expander<'a> {
    pub(crate) outside: &'a dyn Outside,
    pub(crate) texts: &'a mut Texts,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
    path: Path,
    expansions: usize,
    bytes: usize,
}

/// What an expansion named, as it came in.
struct Arrival {
    text: String,
    /// The name under which its text is kept; nothing when positions in it mean nothing to users.
    source: Option<Arc<str>>,
    /// Whether it must be YAML, or else is text.
    is_yaml: bool,
}

/// Where a text stands that is being expanded.
#[derive(Clone, Copy)]
struct Site<'s> {
    position: &'s Position,
    /// How many expansions led here.
    depth: usize,
    /// How many levels of the tree are above.
    level: usize,
}

/// Nothing came in; the problem is noted already.
struct Failed;

impl<'a> Expander<'a> {
    pub(crate) fn new(outside: &'a dyn Outside, texts: &'a mut Texts) -> Self {
        let (problems, warnings) = (Vec::new(), Vec::new());
        let path = Path::root();
        Self { outside, texts, problems, warnings, path, expansions: 0, bytes: 0 }
    }

    /// The tree without expansions; what could not be replaced is null.
    pub(crate) fn expand(&mut self, root: Node) -> Node {
        self.node(root, 0, 1)
    }

    fn node(&mut self, node: Node, depth: usize, level: usize) -> Node {
        let Node { position, content } = node;
        let content = match content {
            Content::Scalar(scalar) if !scalar.text.contains('$') => Content::Scalar(scalar),
            Content::Scalar(scalar) => {
                let site = Site { position: &position, depth, level };
                return match self.scalar(&scalar, site) {
                    Ok(node) => node,
                    Err(Failed) => Node::null(position),
                };
            }
            Content::List(items) => Content::List(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| {
                        self.path.push_index(index);
                        let item = self.node(item, depth, level + 1);
                        self.path.pop();
                        item
                    })
                    .collect(),
            ),
            Content::Map(entries) => {
                Content::Map(entries.into_iter().map(|e| self.entry(e, depth, level)).collect())
            }
        };
        Node { position, content }
    }

    fn entry(&mut self, entry: Entry, depth: usize, level: usize) -> Entry {
        self.path.push_key(&entry.key);
        let value = self.node(entry.value, depth, level + 1);
        self.path.pop();
        Entry { value, ..entry }
    }

    fn scalar(&mut self, scalar: &Scalar, site: Site<'_>) -> Result<Node, Failed> {
        let pieces = self.pieces(&scalar.text, site)?;
        let content = match pieces.as_slice() {
            [Piece::Expansion { inner, number }] => return self.whole(inner, *number, site),
            // Dollars that mean nothing do not make a number a text.
            [Piece::Text(text)] if *text == scalar.text => scalar.clone(),
            pieces => Scalar { text: self.join(pieces, site)?, style: Style::Quoted },
        };
        Ok(Node { position: site.position.clone(), content: Content::Scalar(content) })
    }

    fn pieces(&mut self, text: &str, site: Site<'_>) -> Result<Vec<Piece>, Failed> {
        match template::parse(text) {
            Ok(pieces) => Ok(pieces),
            // What came in may be a password with any letters.
            Err(_) if 0 < site.depth => Ok(vec![Piece::Text(text.to_owned())]),
            Err(error) => {
                let remedy = match error {
                    InvalidTemplate::Unclosed { .. } => "close it, or write `$${` for the letters",
                    InvalidTemplate::TooDeep { .. } => "use fewer",
                };
                Err(self.fail(site, error.number(), error.to_string(), remedy))
            }
        }
    }

    /// The pieces as one text.
    fn join(&mut self, pieces: &[Piece], site: Site<'_>) -> Result<String, Failed> {
        let mut joined = Ok(String::new());
        for piece in pieces {
            let text = match piece {
                Piece::Text(text) => Ok(Cow::from(text)),
                Piece::Expansion { inner, number } => self
                    .fetch(inner, *number, site)
                    .and_then(|arrival| self.text(arrival.text, site))
                    .map(Cow::from),
            };
            // An expansion that failed does not hide what is wrong with the next.
            joined = match (joined, text) {
                (Ok(joined), Ok(text)) => Ok(joined + &text),
                (Err(Failed), _) | (_, Err(Failed)) => Err(Failed),
            };
        }
        joined
    }

    /// A text that came in, expanded.
    fn text(&mut self, text: String, site: Site<'_>) -> Result<String, Failed> {
        if !text.contains('$') {
            return Ok(text);
        }
        let site = self.deeper(site)?;
        let pieces = self.pieces(&text, site)?;
        self.join(&pieces, site)
    }

    /// What an expansion names, in the place of a whole value.
    fn whole(&mut self, inner: &[Piece], number: usize, site: Site<'_>) -> Result<Node, Failed> {
        let arrival = self.fetch(inner, number, site)?;
        let node = self.typed(arrival, site)?;
        if parse::DEPTH_MAX < site.level + node.depth() {
            let message = format!("this is nested over {} levels deep", parse::DEPTH_MAX);
            return Err(self.fail(site, number, message, "use fewer levels"));
        }
        let depth = self.deeper(site)?.depth;
        Ok(self.node(node, depth, site.level))
    }

    /// What came in as YAML; text stays as it is, with quotes and all.
    fn typed(&mut self, arrival: Arrival, site: Site<'_>) -> Result<Node, Failed> {
        let Arrival { text, source, is_yaml } = arrival;
        let is_own = source.is_some();
        let source = source.unwrap_or_else(|| site.position.source.clone());
        let mut node = match parse::parse(&source, text.as_bytes()) {
            Ok(node) => node,
            Err(problems) if is_yaml => {
                self.problems.extend(problems);
                return Err(Failed);
            }
            Err(_) => {
                let content = Content::Scalar(Scalar::quoted(text));
                return Ok(Node { position: site.position.clone(), content });
            }
        };
        if let Content::Scalar(scalar) = &mut node.content {
            *scalar = match scalar.meaning() {
                Meaning::Text(_) => Scalar::quoted(text),
                _ => Scalar::plain(text.trim()),
            };
        }
        if !is_own || matches!(node.content, Content::Scalar(_)) {
            node.move_to(site.position);
        }
        Ok(node)
    }

    fn fetch(&mut self, inner: &[Piece], number: usize, site: Site<'_>) -> Result<Arrival, Failed> {
        self.expansions += 1;
        if EXPANSIONS_MAX < self.expansions {
            let message = format!("there are over {EXPANSIONS_MAX} expansions");
            return Err(self.fail(site, number, message, "use fewer"));
        }
        let name = self.join(inner, site)?;
        let arrival = match Source::from_expansion(&name) {
            Ok(Source::Variable { name, default }) => self.variable(&name, default, number, site),
            Ok(Source::File(path)) => self.file(&path, number, site)?,
            Ok(Source::Yaml(text)) => Arrival { text, source: None, is_yaml: true },
            Err(error) => return Err(self.fail(site, number, error.to_string(), error.remedy())),
        };
        self.bytes = self.bytes.saturating_add(arrival.text.len());
        if BYTES_MAX < self.bytes {
            let message = format!("over {} MiB come in by expansions", BYTES_MAX >> 20);
            return Err(self.fail(site, number, message, "use smaller files"));
        }
        Ok(arrival)
    }

    fn variable(
        &mut self,
        name: &str,
        default: Option<String>,
        number: usize,
        site: Site<'_>,
    ) -> Arrival {
        let text = self.outside.variable(name).or(default).unwrap_or_else(|| {
            let message = format!("the environment variable `{name}` is not set");
            let remedy = format!("write `${{env:{name}:-}}` if it may be missing");
            let warning = self.problem(site, number, message, &remedy);
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
            String::new()
        });
        Arrival { text, source: None, is_yaml: false }
    }

    fn file(&mut self, path: &str, number: usize, site: Site<'_>) -> Result<Arrival, Failed> {
        let read = self.outside.file(path, parse::BYTES_MAX);
        let bytes = read.map_err(|error| {
            let message = format!("cannot read the file `{path}`: {error}");
            self.fail(site, number, message, "check the path and its permissions")
        })?;
        let text = String::from_utf8(bytes).map_err(|_| {
            let message = format!("the file `{path}` is not UTF-8");
            self.fail(site, number, message, "save the file as UTF-8")
        })?;
        let is_yaml = [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending));
        let source = Some(self.texts.keep(path, text.as_bytes()));
        // Editors end a file with a line break; a token in it has none.
        let end = text.strip_suffix('\n').unwrap_or(&text);
        let text = end.strip_suffix('\r').unwrap_or(end).to_owned();
        Ok(Arrival { text, source, is_yaml })
    }

    fn deeper<'s>(&mut self, site: Site<'s>) -> Result<Site<'s>, Failed> {
        if site.depth < DEPTH_MAX {
            return Ok(Site { depth: site.depth + 1, ..site });
        }
        let message = format!("expansions lead to expansions over {DEPTH_MAX} times");
        Err(self.fail(site, 0, message, "does a value refer to itself?"))
    }

    fn fail(&mut self, site: Site<'_>, number: usize, message: String, remedy: &str) -> Failed {
        let problem = self.problem(site, number, message, remedy);
        // One mistake may be met on many ways.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        Failed
    }

    fn problem(&self, site: Site<'_>, number: usize, message: String, remedy: &str) -> Problem {
        // What came in is not there to be pointed at; the expansion that brought it is.
        let number = if site.depth == 0 { number } else { 0 };
        let found = self.texts.find_after(site.position, "${", number);
        let position = Some(found.unwrap_or_else(|| site.position.clone()));
        let path = self.path.to_string();
        Problem { position, path, message, remedy: Some(remedy.to_owned()) }
    }
}

#[cfg(test)]
mod tests;
