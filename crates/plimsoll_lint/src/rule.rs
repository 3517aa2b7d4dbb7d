//! What a rule is.

use plimsoll_core::Severity;

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
    pub bad: String,
    /// What to write instead, on which the rule is silent.
    pub good: String,
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
        let names: Vec<String> = self.other_tools.iter().map(|(tool, id)| format!("{tool} `{id}`")).collect();
        let elsewhere = match names.as_slice() {
            [] => "No other tool names it.".to_owned(),
            names => format!("{}.", names.join(", ")),
        };
        format!(
            "{}\n## Settings\n\nGroup `{}`, severity {}, {switch}.\n\n## In other tools\n\n{elsewhere}\n",
            self.page,
            self.group.word(),
            self.severity.word(),
        )
    }

    /// The page's example.
    #[must_use]
    pub fn example(&self) -> PageExample {
        let block = |kind: &str| {
            let start = self.page.split_once(&format!("```sql {kind}\n"));
            start
                .and_then(|(_, rest)| rest.split_once("```"))
                .map_or_else(String::new, |(sql, _)| sql.to_owned())
        };
        PageExample { schema: block("schema"), bad: block("bad"), good: block("good") }
    }
}
