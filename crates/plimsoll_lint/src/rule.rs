//! What a rule is.

use plimsoll_core::Severity;
use plimsoll_sql::TransactionHabit;

use crate::context::{Context, Problem};

/// Id of the finding about a statement that doesn't parse.
pub const SYNTAX_ERROR: &str = "syntax-error";

/// Rules that are switched on together (`[lint] extend`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Blocking locks, scans and rewrites.
    Locks,
    /// Transactions and the session's state.
    Transactions,
    /// What breaks running code or loses data.
    Compatibility,
    /// Types, style and robustness.
    Style,
    /// What is wrong with a schema as it stands (`lint --schema`).
    Schema,
}

impl Group {
    /// All of them, with the word that config uses.
    pub const NAMES: [(&str, Self); 5] = [
        ("locks", Self::Locks),
        ("transactions", Self::Transactions),
        ("compatibility", Self::Compatibility),
        ("style", Self::Style),
        ("schema", Self::Schema),
    ];

    /// The word that config, pages and help use.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(_, group)| *group == self).map_or("", |(word, _)| word)
    }
}

/// A rule: its name is written once, in the file that defines it.
pub struct Rule {
    /// Its id, kebab-case.
    pub id: &'static str,
    /// What it belongs to.
    pub group: Group,
    /// Whether it runs unless config says otherwise.
    pub on_by_default: bool,
    /// Its nearest kin elsewhere: the tool and its id there, which config and ignore comments
    /// take as well. Several rules may share one.
    pub other_tools: &'static [(&'static str, &'static str)],
    /// The severity of its findings.
    pub severity: Severity,
    /// Its page, Markdown: what it does, why, examples, versions.
    pub page: &'static str,
    /// Reports the problems of one statement.
    pub check: fn(&Context, &mut Vec<Problem>),
}

/// The examples of a rule's page, which tests run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageExample {
    /// The schema before.
    pub schema: String,
    /// What the rule reports.
    pub bad: Script,
    /// What to write instead, on which the rule is silent.
    pub good: Script,
}

/// A script on a rule's page, and how it is run. The words behind `sql bad` or `sql good` say the
/// latter: `file`, `batch`, `since-18`, `postgres-14`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its text.
    pub sql: String,
    /// What the tool does around it.
    pub habit: TransactionHabit,
    /// The first major version that runs it.
    pub since: Option<u32>,
    /// The only major version about which it says anything.
    pub only: Option<u32>,
}

impl Script {
    /// Reads the words behind `sql bad`.
    fn new(words: &str, sql: &str) -> Self {
        let mut script =
            Self { sql: sql.to_owned(), habit: TransactionHabit::Statement, since: None, only: None };
        for word in words.split_whitespace() {
            let number = |prefix: &str| word.strip_prefix(prefix).and_then(|digits| digits.parse().ok());
            if let Some((_, habit)) = TransactionHabit::NAMES.iter().find(|(name, _)| *name == word) {
                script.habit = *habit;
            } else if let Some(major) = number("since-") {
                script.since = Some(major);
            } else if let Some(major) = number("postgres-") {
                script.only = Some(major);
            }
        }
        script
    }

    /// Whether a server of this major version can show what the script does.
    #[must_use]
    pub fn runs_on(&self, major: u32) -> bool {
        self.since.is_none_or(|since| major >= since) && self.only.is_none_or(|only| major == only)
    }
}

impl Rule {
    /// The page's first paragraph.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.page.split("\n\n").nth(1).unwrap_or_default().trim()
    }

    /// The page, with what the registry knows: group, severity, names elsewhere.
    #[must_use]
    pub fn whole_page(&self) -> String {
        let switch = match self.on_by_default {
            true => "on by default".to_owned(),
            false => format!(
                "off by default: `extend = [\"{0}\"]` or `rules.{1}` in `[lint]`",
                self.group.word(),
                self.id
            ),
        };
        page_with_settings(self.page, self.group, self.severity, &switch, self.other_tools)
    }

    /// The page's example.
    #[must_use]
    pub fn example(&self) -> PageExample {
        let block = |kind: &str| page_block(self.page, kind).map(|(words, sql)| Script::new(words, sql));
        let script = |kind: &str| block(kind).unwrap_or_else(|| Script::new("", ""));
        PageExample { schema: script("schema").sql, bad: script("bad"), good: script("good") }
    }
}

/// A rule's page, with what the registry knows behind it.
pub(crate) fn page_with_settings(
    page: &str,
    group: Group,
    severity: Severity,
    switch: &str,
    other_tools: &[(&str, &str)],
) -> String {
    let names: Vec<String> = other_tools.iter().map(|(tool, id)| format!("{tool} `{id}`")).collect();
    let elsewhere = match names.as_slice() {
        [] => "No other tool names it.".to_owned(),
        names => format!("{}.", names.join(", ")),
    };
    format!(
        "{page}\n## Settings\n\nGroup `{}`, severity {}, {switch}.\n\n## In other tools\n\n{elsewhere}\n",
        group.word(),
        severity.word(),
    )
}

/// A page's block of SQL of this kind: the words behind the kind, and the text.
pub(crate) fn page_block<'a>(page: &'a str, kind: &str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = page.split_once(&format!("```sql {kind}"))?;
    let (words, rest) = rest.split_once('\n')?;
    let (sql, _) = rest.split_once("```")?;
    Some((words, sql))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_behind_an_example_say_how_it_runs() {
        let script = Script::new(" batch since-17", "select 1;");
        assert_eq!((script.habit, script.since, script.only), (TransactionHabit::Batch, Some(17), None));
        assert!(script.runs_on(18) && !script.runs_on(15));
        let script = Script::new(" postgres-14", "select 1;");
        assert!(script.runs_on(14) && !script.runs_on(15));
    }
}
