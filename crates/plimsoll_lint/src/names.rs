//! Names that config and comments may use: our ids, those of findings that no rule makes, and
//! other tools' ids.

use plimsoll_core::Severity;

use crate::rule::Rule;
use crate::rules::RULES;
use crate::schema_rules::SCHEMA_RULES;

/// A finding that no rule makes.
pub struct OtherFinding {
    /// Its id.
    pub id: &'static str,
    /// Its severity, or the least where it has several.
    pub severity: Severity,
    /// One sentence.
    pub summary: &'static str,
    /// What finds it.
    pub finder: Finder,
}

/// What finds a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finder {
    /// Reading the files.
    Lint,
    /// A server.
    Server,
}

/// Id of the finding about a file that can't be read.
pub const UNREADABLE_FILE: &str = "unreadable-file";
/// Id of the finding about a comment that ignores a rule which finds nothing there.
pub const UNUSED_IGNORE: &str = "unused-ignore";
/// Id of the finding about a comment that ignores a rule and doesn't say why.
pub const IGNORE_WITHOUT_REASON: &str = "ignore-without-reason";
/// Id of the finding about a comment that names no rule.
pub const UNKNOWN_RULE: &str = "unknown-rule";

/// Every finding that no rule makes, by id.
pub static OTHER_FINDINGS: &[OtherFinding] = &[
    OtherFinding {
        id: IGNORE_WITHOUT_REASON,
        severity: Severity::Warning,
        summary: "A comment ignores a rule and doesn't say why, which `[lint] require_reason` asks for.",
        finder: Finder::Lint,
    },
    OtherFinding {
        id: "n-plus-one",
        severity: Severity::Warning,
        summary: "A program ran one query for each row of another one's answer, or for each item of a list.",
        finder: Finder::Server,
    },
    OtherFinding {
        id: "program-fails",
        severity: Severity::Error,
        summary: "The program that makes the change ended badly, though no statement of its failed.",
        finder: Finder::Server,
    },
    OtherFinding {
        id: "query-fails",
        severity: Severity::Warning,
        summary: "A query fails after the change; an error, unless it failed before, too.",
        finder: Finder::Server,
    },
    OtherFinding {
        id: "query-worse",
        severity: Severity::Warning,
        summary: "A query touches more shared buffers than before; ten times as many, or more, is an error.",
        finder: Finder::Server,
    },
    OtherFinding {
        id: "statement-fails",
        severity: Severity::Error,
        summary: "The rehearsal saw a statement fail, and no rule had said so; a note, if a program went back to a \
                  savepoint of its own.",
        finder: Finder::Server,
    },
    OtherFinding {
        id: crate::SYNTAX_ERROR,
        severity: Severity::Error,
        summary: "A statement doesn't parse.",
        finder: Finder::Lint,
    },
    OtherFinding {
        id: "too-many-queries",
        severity: Severity::Error,
        summary: "A program ran more statements than `plimsoll watch --max-queries` allows.",
        finder: Finder::Server,
    },
    OtherFinding {
        id: "unclaimed-hazard",
        severity: Severity::Warning,
        summary: "The rehearsal saw work under a lock that blocks (error), or a strong lock without a `lock_timeout` \
                  (warning), and no rule had said so.",
        finder: Finder::Server,
    },
    OtherFinding {
        id: UNKNOWN_RULE,
        severity: Severity::Warning,
        summary: "A comment ignores a rule that doesn't exist.",
        finder: Finder::Lint,
    },
    OtherFinding {
        id: UNREADABLE_FILE,
        severity: Severity::Error,
        summary: "A migration can't be read, or is not UTF-8; the others were judged without it.",
        finder: Finder::Lint,
    },
    OtherFinding {
        id: UNUSED_IGNORE,
        severity: Severity::Note,
        summary: "A comment ignores a rule that finds nothing there.",
        finder: Finder::Lint,
    },
];

/// The rule of this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// Our ids for a name: the id itself, else those of the rules that some tool calls so.
#[must_use]
pub fn resolve(name: &str) -> Vec<&'static str> {
    match own(name) {
        Some(id) => vec![id],
        None => kin(|_, id| id == name).collect(),
    }
}

/// Our ids for what a tool calls so; our own name is understood as well.
#[must_use]
pub fn resolve_of(tool: &str, name: &str) -> Vec<&'static str> {
    let mut ids: Vec<&'static str> = kin(|owner, id| owner == tool && id == name).collect();
    ids.extend(own(name).filter(|own| !ids.contains(own)));
    ids
}

/// The name, ours or another tool's, that is nearest to a mistyped one.
#[must_use]
pub fn nearest_name(name: &str) -> Option<&'static str> {
    nearest(name, own_ids().chain(kindred().map(|(_, _, id)| id)))
}

/// The word among `known` that is nearest to a mistyped one.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().map(|known| (strsim::damerau_levenshtein(word, known), known)).min()?;
    (near.0 <= word.chars().count().div_ceil(2)).then_some(near.1)
}

/// Every id of ours, rules first.
pub fn own_ids() -> impl Iterator<Item = &'static str> {
    let rules = RULES.iter().map(|rule| rule.id).chain(SCHEMA_RULES.iter().map(|rule| rule.id));
    rules.chain(OTHER_FINDINGS.iter().map(|finding| finding.id))
}

fn own(name: &str) -> Option<&'static str> {
    own_ids().find(|id| *id == name)
}

/// Our ids, each with a tool and its name for it.
fn kindred() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let rules = RULES.iter().map(|rule| (rule.id, rule.other_tools));
    let all = rules.chain(SCHEMA_RULES.iter().map(|rule| (rule.id, rule.other_tools)));
    all.flat_map(|(own, names)| names.iter().map(move |(tool, id)| (own, *tool, *id)))
}

fn kin(test: impl Fn(&str, &str) -> bool) -> impl Iterator<Item = &'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    for (own, _, _) in kindred().filter(|(_, tool, id)| test(tool, id)) {
        if !found.contains(&own) {
            found.push(own);
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_and_no_two_are_alike() {
        assert!(OTHER_FINDINGS.is_sorted_by_key(|finding| finding.id));
        let mut ids: Vec<&str> = own_ids().collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn other_tools_names_lead_to_our_rules() {
        assert_eq!(resolve("E6"), ["require-concurrent-index-creation"]);
        assert_eq!(resolve_of("eugene", "E6"), ["require-concurrent-index-creation"]);
        assert!(resolve_of("pgfence", "E6").is_empty() && resolve("E66").is_empty());
        assert_eq!(resolve("ban-drop-table"), ["ban-drop-table"]);
        assert_eq!(resolve("syntax-error"), ["syntax-error"]);
    }

    #[test]
    fn a_mistyped_name_has_a_nearest_one() {
        assert_eq!(nearest_name("ban-drop-tabel"), Some("ban-drop-table"));
        assert_eq!(nearest_name("qqqqqqqqqqqqqqqqqqqqqqqqqq"), None);
    }
}
