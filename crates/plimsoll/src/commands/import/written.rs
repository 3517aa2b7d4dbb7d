//! Our configuration, as it is put together from another's.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_lint::names::resolve_of;

use crate::settings::OLDEST_JUDGED_MAJOR;

/// Lines of each section, and what had to be left out.
#[derive(Default)]
pub(super) struct Written {
    migrations: Vec<String>,
    database: Vec<String>,
    lint: Vec<String>,
    /// Words by our ids.
    rules: BTreeMap<&'static str, String>,
    overrides: Vec<String>,
    left_out: Vec<String>,
}

impl Written {
    /// Sets a rule by the tool's name for it; says so if there is none.
    pub(super) fn rule(&mut self, tool: &str, name: &str, word: &str) {
        let ids = resolve_of(tool, name);
        if ids.is_empty() {
            self.leave_out(format!("rule {name} = {word}: Plimsoll has no such rule"));
        }
        self.rules.extend(ids.into_iter().map(|id| (id, word.to_owned())));
    }

    /// Sets a rule by our id.
    pub(super) fn own_rule(&mut self, id: &'static str, word: &str) {
        self.rules.insert(id, word.to_owned());
    }

    /// Whether a rule was set.
    pub(super) fn has_rule(&self, id: &str) -> bool {
        self.rules.contains_key(id)
    }

    pub(super) fn transaction(&mut self, word: &str) {
        self.migrations.push(format!("transaction = {}", quoted(word)));
    }

    /// Sets the server's version, if there is one that is supported.
    pub(super) fn version(&mut self, key: &str, major: Option<i64>) {
        match major.and_then(|major| u32::try_from(major).ok()) {
            Some(major) if major >= OLDEST_JUDGED_MAJOR => self.database.push(format!("version = {major}")),
            _ => self.leave_out(format!(
                "{key}: [database] version is to be a major version of PostgreSQL, {OLDEST_JUDGED_MAJOR} or newer"
            )),
        }
    }

    pub(super) fn lint(&mut self, key: &str, value: &str) {
        self.lint.push(format!("{key} = {value}"));
    }

    /// Levels of some paths, by the tool's names.
    pub(super) fn override_paths(&mut self, tool: &str, globs: &[String], names: &[String]) {
        let mut lines = Vec::new();
        for name in names {
            let ids = resolve_of(tool, name);
            if ids.is_empty() {
                self.leave_out(format!("rule {name} for {}: Plimsoll has no such rule", globs.join(", ")));
            }
            lines.extend(ids.into_iter().map(|id| format!("rules.{id} = \"off\"\n")));
        }
        if !lines.is_empty() {
            let lines = lines.concat();
            self.overrides.push(format!("[[lint.overrides]]\npaths = {}\n{lines}", list(globs)));
        }
    }

    /// Says what isn't carried over, and what to do instead.
    pub(super) fn leave_out(&mut self, what: impl Into<String>) {
        self.left_out.push(what.into());
    }

    /// The sections that it has.
    pub(super) fn sections(&self) -> impl Iterator<Item = &'static str> {
        let lint = !self.lint.is_empty() || !self.rules.is_empty() || !self.overrides.is_empty();
        [("migrations", !self.migrations.is_empty()), ("database", !self.database.is_empty()), ("lint", lint)]
            .into_iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| name)
    }

    /// The text, headed by where it came from.
    pub(super) fn text(&self, file: &Path) -> String {
        let mut text = format!("# From {}.\n", one_line(&file.display().to_string()));
        for what in &self.left_out {
            text.push_str(&format!("# Not carried over: {}.\n", one_line(what)));
        }
        for (name, lines) in
            [("migrations", &self.migrations), ("database", &self.database), ("lint", &self.lint)]
        {
            if !lines.is_empty() {
                text.push_str(&format!("\n[{name}]\n{}\n", lines.join("\n")));
            }
        }
        if !self.rules.is_empty() {
            text.push_str("\n[lint.rules]\n");
            text.extend(self.rules.iter().map(|(id, word)| format!("{id} = {}\n", quoted(word))));
        }
        text.extend(self.overrides.iter().map(|one| format!("\n{one}")));
        text
    }
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Texts as TOML writes a list.
pub(super) fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
