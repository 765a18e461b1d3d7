//! Developer tasks: `cargo xtask test | deep | schedules COUNT | mutants | tidy | policy |
//! docs [--check] | fuzz SECONDS | instructions [--update] | layout`.

mod cost;
mod deep;
mod docs;
mod fuzz;
mod instructions;
mod layout;
mod mutants;
mod policy;
mod schedules;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use workspace::Workspace;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = Workspace::find().and_then(|workspace| match words.as_slice() {
        ["test", filters @ ..] => test::run(&workspace, filters),
        ["deep", steps @ ..] => deep::run(&workspace, steps),
        ["schedules", count] => schedules::run(&workspace, count),
        ["mutants"] => mutants::run(&workspace),
        ["tidy"] => tidy::run(&workspace),
        ["policy"] => policy::run(&workspace),
        ["docs"] => docs::write(&workspace),
        ["docs", "--check"] => docs::check(&workspace),
        ["instructions"] => instructions::check(&workspace),
        ["instructions", "--update"] => instructions::update(&workspace),
        ["layout"] => layout::write(&workspace),
        ["fuzz", seconds] => fuzz::run(&workspace, seconds),
        _ => anyhow::bail!(
            "usage: cargo xtask test [FILTER...] | deep [STEP...] | schedules COUNT | mutants | \
             tidy | policy | docs [--check] | fuzz SECONDS | instructions [--update] | \
             layout"
        ),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            workspace::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
