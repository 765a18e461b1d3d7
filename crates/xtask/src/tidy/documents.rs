//! Documents: links lead somewhere, every component is documented and shown in an example, and the
//! tests that the conformance list names exist.

use std::path::Path;

use crate::workspace::Workspace;

const CONFORMANCE: &[&str] = &["docs/conformance.md", "docs/conformance-cloudwatch.md"];

pub(super) fn check(workspace: &Workspace, findings: &mut Vec<String>) -> anyhow::Result<()> {
    let files = workspace.files()?;
    for file in files.iter().filter(|file| file.ends_with(".md")) {
        for target in links(&workspace.read(file)?) {
            let folder = Path::new(file).parent().unwrap_or(Path::new(""));
            if !workspace.root.join(folder).join(&target).exists() {
                findings.push(format!("{file}: the link to `{target}` leads nowhere"));
            }
        }
    }
    let examples = files.iter().filter(|file| file.starts_with("examples/"));
    let shown = examples.map(|file| workspace.read(file)).collect::<Result<Vec<_>, _>>()?.concat();
    let reference = workspace.read("docs/configuration.md")?;
    for component in components(&reference) {
        if !shown.contains(&format!("{component}:")) && !shown.contains(&format!("{component}/")) {
            findings.push(format!("component `{component}` is in no example"));
        }
    }
    let sources = files.iter().filter(|file| file.ends_with(".rs"));
    let sources = sources.map(|file| workspace.read(file)).collect::<Result<Vec<_>, _>>()?.concat();
    for document in CONFORMANCE {
        let text = workspace.read(document)?;
        let names = functions(&text);
        for name in names.filter(|name| !sources.contains(&format!("fn {name}("))) {
            findings.push(format!("{document}: there is no test `{name}`"));
        }
    }
    Ok(())
}

/// The targets of links to files of this repository.
fn links(text: &str) -> Vec<String> {
    let after_brackets = text.split("](").skip(1);
    let targets = after_brackets.filter_map(|rest| rest.split(')').next());
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    local
        .map(|target| target.split('#').next().unwrap_or(target).to_owned())
        .filter(|target| !target.is_empty())
        .collect()
}

/// The functions that stand in code marks, as `module::function`.
fn functions(text: &str) -> impl Iterator<Item = &str> {
    let marked = text.split('`').skip(1).step_by(2);
    marked.filter_map(|code| code.rsplit_once("::")).map(|(_, name)| name)
}

/// The components that the generated reference documents: its headings of the third level.
fn components(reference: &str) -> Vec<&str> {
    let headings = reference.lines().filter_map(|line| line.strip_prefix("### `"));
    headings.filter_map(|rest| rest.split('`').next()).collect()
}
