//! Generators of this repository. `cargo xtask docs` writes the generated pages, `cargo xtask
//! check` says whether they are up to date. `cargo xtask locks` asks real servers what DDL does, and
//! writes that and its page. `cargo xtask gates` counts instructions and refuses growth.

mod gates;
mod locks;
mod pages;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

/// What to do with the generated pages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Write,
    Check,
}

fn main() -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace's folder")?;
    let mode = match std::env::args().nth(1).as_deref() {
        Some("docs") => Mode::Write,
        Some("check") => Mode::Check,
        Some("gates") => {
            let keeps = std::env::args().nth(2).as_deref() == Some("--keep");
            say(&gates::run(root, keeps)?);
            return Ok(ExitCode::SUCCESS);
        }
        Some("locks") => return locks::observe(root).map(|()| ExitCode::SUCCESS),
        _ => bail!("usage: cargo xtask docs | check | locks | gates [--keep]"),
    };
    let pages = pages::generate(root)?;
    let mut stale = Vec::new();
    for (path, text) in &pages {
        let file = root.join(path);
        let current = std::fs::read_to_string(&file).unwrap_or_default();
        if current == *text {
            continue;
        }
        stale.push(path.clone());
        if mode == Mode::Write {
            std::fs::create_dir_all(file.parent().context("a page lies in a folder")?)?;
            std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
        }
    }
    stale.extend(pages::orphans(root, &pages)?);
    let word = if mode == Mode::Write { "written" } else { "out of date: run `cargo xtask docs`" };
    let mut message = String::new();
    for path in &stale {
        message.push_str(&format!("{path}: {word}\n"));
    }
    say(&message);
    Ok(if mode == Mode::Check && !stale.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

#[expect(clippy::print_stdout, reason = "a generator reports to the person who runs it")]
fn say(message: &str) {
    print!("{message}");
}
