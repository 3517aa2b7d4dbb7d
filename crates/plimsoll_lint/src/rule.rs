//! What a rule is.

use plimsoll_core::Severity;

use crate::context::{Context, Problem};

/// Id of the finding about a statement that doesn't parse.
pub const SYNTAX_ERROR: &str = "syntax-error";

/// A rule: its name is written once, in the file that defines it.
pub struct Rule {
    /// Its id, kebab-case.
    pub id: &'static str,
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
