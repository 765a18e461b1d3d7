//! Docs: the schema of a configuration and the reference, written down from the types that are read.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::workspace::{Workspace, say};

/// What the product prints as its schema, and masks secrets by.
const SCHEMA: &str = "docs/configuration.schema.json";

const REFERENCE: &str = "docs/configuration.md";

/// Everything before the generated part stays as it was written.
const MARK: &str = "<!-- generated from here on by `cargo xtask docs` -->";

pub(crate) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    for (file, text) in generate(workspace)? {
        std::fs::write(workspace.root.join(file), text).with_context(|| format!("write {file}"))?;
        say(&format!("wrote {file}"));
    }
    Ok(())
}

pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    for (file, text) in generate(workspace)? {
        let is_current = workspace.read(file)? == text;
        ensure!(is_current, "{file} is not what the code says: run `cargo xtask docs`");
    }
    say("docs: ok");
    Ok(())
}

/// The files and what is to stand in them.
fn generate(workspace: &Workspace) -> anyhow::Result<[(&'static str, String); 2]> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--package", "collector", "--example", "schema"]);
    let schema = workspace.output(&mut command)?;
    let reference =
        reference(workspace, &serde_json::from_str(&schema).context("read the schema")?)?;
    Ok([(SCHEMA, schema), (REFERENCE, reference)])
}

fn reference(workspace: &Workspace, schema: &Value) -> anyhow::Result<String> {
    let written = workspace.read(REFERENCE)?;
    let introduction = written.split(MARK).next().unwrap_or("");
    let mut text = format!("{introduction}{MARK}\n");
    for section in ["receivers", "processors", "exporters", "connectors", "extensions"] {
        writeln!(text, "\n## {section}")?;
        let components = schema["x-components"][section].as_object();
        for (name, component) in components.context("the schema lists the components")? {
            writeln!(text, "\n### `{name}`\n")?;
            Page { schema, text: &mut text }.component(component)?;
        }
    }
    writeln!(text, "\n## service\n")?;
    let about = "Which components run, how they are joined, and what Tidegate tells about itself.";
    let service = json!({ "about": about, "schema": schema["properties"]["service"] });
    Page { schema, text: &mut text }.component(&service)?;
    Ok(text)
}

/// Writes the keys of one component as a table.
struct Page<'a> {
    schema: &'a Value,
    text: &'a mut String,
}

impl Page<'_> {
    fn component(&mut self, component: &Value) -> anyhow::Result<()> {
        writeln!(self.text, "{}\n", component["about"].as_str().unwrap_or(""))?;
        let keys = self.rows("", &component["schema"], 0);
        if keys.is_empty() {
            writeln!(self.text, "It has no keys.")?;
            return Ok(());
        }
        writeln!(self.text, "| key | default | meaning |\n|---|---|---|")?;
        for (key, default, meaning) in keys {
            writeln!(self.text, "| `{key}` | {default} | {meaning} |")?;
        }
        Ok(())
    }

    /// The keys of an object, nested ones with their path: `[]` for each element of a list, `<name>`
    /// for each entry of a map.
    fn rows(&self, prefix: &str, schema: &Value, depth: usize) -> Vec<(String, String, String)> {
        const DEPTH_MAX: usize = 8;
        let object = self.resolve(schema);
        for (keyword, mark) in [("items", "[]"), ("additionalProperties", ".<name>")] {
            if object[keyword].is_object() {
                return self.rows(&format!("{prefix}{mark}"), &object[keyword], depth + 1);
            }
        }
        let Some(properties) = object["properties"].as_object() else { return Vec::new() };
        let mut rows = Vec::new();
        for (name, property) in properties {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            rows.push((path.clone(), default_of(property), self.meaning(property)));
            if depth < DEPTH_MAX {
                rows.extend(self.rows(&path, property, depth + 1));
            }
        }
        rows
    }

    fn meaning(&self, property: &Value) -> String {
        let own = property["description"].as_str();
        let text = own.or_else(|| self.resolve(property)["description"].as_str()).unwrap_or("");
        let text = text.replace('\n', " ").replace('|', "\\|");
        // A description that names values says which of them matter.
        let values: Vec<String> = self.values_of(property);
        if values.len() < 2 || values.iter().any(|value| text.contains(value)) {
            return text;
        }
        format!("{text} One of {}.", values.join(", "))
    }

    /// The values that may be chosen from, in code marks.
    fn values_of(&self, property: &Value) -> Vec<String> {
        let schema = self.resolve(property);
        let branches = schema["oneOf"].as_array().into_iter().flatten();
        let constants = branches.clone().filter_map(|branch| branch["const"].as_str());
        let listed = branches.map(|branch| self.resolve(branch)).chain([schema]);
        let listed = listed.filter_map(|one| one["enum"].as_array()).flatten();
        let values = listed.filter_map(Value::as_str).chain(constants);
        // A level in capitals is the same level.
        let values = values.filter(|value| !value.chars().any(char::is_uppercase));
        values.map(|value| format!("`{value}`")).collect()
    }

    /// Follows `$ref`, and the one branch of an `anyOf` that is not null.
    fn resolve<'b>(&'b self, schema: &'b Value) -> &'b Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let pointer = reference.trim_start_matches('#');
            return self.schema.pointer(pointer).map_or(schema, |target| self.resolve(target));
        }
        let branches = schema["anyOf"].as_array().map_or(&[][..], Vec::as_slice);
        let branch = branches.iter().find(|branch| branch["type"] != "null");
        branch.map_or(schema, |branch| self.resolve(branch))
    }
}

fn default_of(property: &Value) -> String {
    match &property["default"] {
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "none".to_owned(),
        // The default of a section is the defaults of its keys.
        Value::Object(_) => String::new(),
        value => format!("`{value}`"),
    }
}
