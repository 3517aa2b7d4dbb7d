//! What a comment says to a linter: ours, and those that a team may have come from.
//!
//! Sources: Squawk, `crates/squawk_linter/src/ignore.rs`; eugene, `comments.rs`; pgfence,
//! `src/parser.ts`; pgsafe, `src/suppression.rs`; diesel-guard and strong_migrations for
//! "safety assured".

use std::ops::Range;

/// What a comment asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Ignore rules in one statement.
    Statement,
    /// Ignore rules in the whole file.
    File,
    /// Ignore rules from here on.
    Start,
    /// End what [`Verb::Start`] began.
    End,
    /// Something that isn't known.
    Unknown,
}

/// A comment that speaks to a linter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive<'a> {
    /// Whose words it uses, as [`crate::Rule::other_tools`] names the tool; none for our own.
    pub(super) tool: Option<&'static str>,
    /// What it asks for.
    pub(super) verb: Verb,
    /// The rules that it names, bytes in the comment's words. None named means all.
    pub(super) names: Vec<Range<usize>>,
    /// Why.
    pub(super) reason: Option<&'a str>,
    /// A word where a comma or a reason should stand, bytes in the comment's words.
    pub(super) stray: Option<Range<usize>>,
}

/// How a tool ends the names and begins the reason.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// `a, b -- reason`
    Listed,
    /// `a reason`
    One,
    /// There are none.
    All,
}

/// Words that open a directive, longer ones before those that they begin with.
const OPENERS: &[(&str, Option<&str>, Verb, Names)] = &[
    ("plimsoll: ignore-file", None, Verb::File, Names::Listed),
    ("plimsoll:ignore-file", None, Verb::File, Names::Listed),
    ("plimsoll: ignore", None, Verb::Statement, Names::Listed),
    ("plimsoll:ignore", None, Verb::Statement, Names::Listed),
    ("plimsoll:", None, Verb::Unknown, Names::All),
    ("squawk-ignore-file", Some("squawk"), Verb::File, Names::Listed),
    ("squawk-ignore", Some("squawk"), Verb::Statement, Names::Listed),
    ("eugene: ignore", Some("eugene"), Verb::Statement, Names::Listed),
    // Eugene's own help spells it so.
    ("eugene-ignore:", Some("eugene"), Verb::Statement, Names::Listed),
    ("pgfence-ignore:", Some("pgfence"), Verb::Statement, Names::Listed),
    ("pgfence-ignore", Some("pgfence"), Verb::Statement, Names::Listed),
    ("pgfence: ignore", Some("pgfence"), Verb::Statement, Names::Listed),
    ("pgsafe:ignore", Some("pgsafe"), Verb::Statement, Names::One),
    ("safety-assured:start", Some("diesel-guard"), Verb::Start, Names::All),
    ("safety-assured:end", Some("diesel-guard"), Verb::End, Names::All),
    ("safety-assured", Some("strong_migrations"), Verb::Statement, Names::All),
    ("safety_assured", Some("strong_migrations"), Verb::Statement, Names::All),
];

/// Whether a text may hold a directive at all: each has one of these words.
pub(crate) fn may_speak(text: &str) -> bool {
    ["ignore", "assured", "plimsoll:"]
        .iter()
        .any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
}

/// What a comment's words say; none if they are for people only.
pub(super) fn parse(words: &str) -> Option<Directive<'_>> {
    let opens =
        |opener: &str| words.get(..opener.len()).is_some_and(|head| head.eq_ignore_ascii_case(opener));
    let ends = |opener: &str| {
        let next = words[opener.len()..].chars().next();
        opener.ends_with(':') || next.is_none_or(|next| !next.is_alphanumeric() && !"-_".contains(next))
    };
    let (opener, tool, verb, kind) =
        OPENERS.iter().find(|(opener, ..)| opens(opener) && ends(opener)).copied()?;
    let rest = opener.len()..words.len();
    let (names, reason) = match kind {
        Names::Listed => listed(words, rest),
        Names::One => one(words, rest),
        Names::All => (rest.end..rest.end, Some(words[rest].trim_start_matches(['-', ':', ' ', '\t']))),
    };
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let mut directive = Directive { tool, verb, names: Vec::new(), reason, stray: None };
    for name in pieces(words, names) {
        let length = words[name.clone()].find(char::is_whitespace).unwrap_or(name.len());
        directive.names.push(name.start..name.start + length);
        if length < name.len() && directive.stray.is_none() {
            directive.stray = Some(name);
        }
    }
    Some(directive)
}

/// Names up to ` --`, and the reason behind it.
fn listed(words: &str, rest: Range<usize>) -> (Range<usize>, Option<&str>) {
    match words[rest.clone()].find("--") {
        Some(at) => (rest.start..rest.start + at, Some(&words[rest.start + at + 2..])),
        None => (rest, None),
    }
}

/// A name up to white space, and the reason behind it.
fn one(words: &str, rest: Range<usize>) -> (Range<usize>, Option<&str>) {
    let start = rest.end - words[rest.clone()].trim_start().len();
    let end = words[start..].find(char::is_whitespace).map_or(rest.end, |at| start + at);
    (start..end, Some(&words[end..]))
}

/// The parts between commas, white space around them left out.
fn pieces(words: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut at = range.start;
    let mut pieces = Vec::new();
    for piece in words[range].split(',') {
        let start = at + (piece.len() - piece.trim_start().len());
        if !piece.trim().is_empty() {
            pieces.push(start..start + piece.trim().len());
        }
        at += piece.len() + 1;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directive as `tool verb: names (reason)`.
    #[track_caller]
    fn check(words: &str, expected: &str) {
        let shown = parse(words).map_or_else(String::new, |directive| {
            let names: Vec<&str> = directive.names.iter().map(|name| &words[name.clone()]).collect();
            let reason = directive.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            let stray = directive.stray.map(|stray| format!(" ?{}", &words[stray])).unwrap_or_default();
            let tool = directive.tool.unwrap_or("plimsoll");
            format!("{tool} {:?}: {}{reason}{stray}", directive.verb, names.join(" "))
        });
        assert_eq!(shown, expected, "{words}");
    }

    #[test]
    fn our_own_words() {
        check("plimsoll: ignore ban-drop-table", "plimsoll Statement: ban-drop-table");
        check("plimsoll: ignore a, b -- it's empty", "plimsoll Statement: a b (it's empty)");
        check("plimsoll: ignore -- all of it", "plimsoll Statement:  (all of it)");
        check("plimsoll:ignore", "plimsoll Statement: ");
        check("plimsoll: ignore-file a -- old", "plimsoll File: a (old)");
        check("plimsoll: ignore a since it is old", "plimsoll Statement: a ?a since it is old");
        check("plimsoll: ignroe a", "plimsoll Unknown:  (ignroe a)");
        check("we ignore plimsoll: here", "");
        check("plimsoll: ignored", "plimsoll Unknown:  (ignored)");
    }

    #[test]
    fn other_tools_words() {
        check(
            "squawk-ignore ban-drop-column,renaming-column",
            "squawk Statement: ban-drop-column renaming-column",
        );
        check("squawk-ignore-file -- old", "squawk File:  (old)");
        check("eugene: ignore E5, E4", "eugene Statement: E5 E4");
        check("eugene: ignore", "eugene Statement: ");
        check("eugene-ignore: E3", "eugene Statement: E3");
        check("pgfence-ignore: a, b", "pgfence Statement: a b");
        check("pgfence-ignore", "pgfence Statement: ");
        check("pgfence: ignore a", "pgfence Statement: a");
        check("pgsafe:ignore drop-table  empty, I looked", "pgsafe Statement: drop-table (empty, I looked)");
        check("safety-assured:start", "diesel-guard Start: ");
        check("safety-assured:end", "diesel-guard End: ");
        check("safety-assured: the table is empty", "strong_migrations Statement:  (the table is empty)");
        check("safety_assured", "strong_migrations Statement: ");
        check("squawk-ignored", "");
        check("our safety-assured migrations", "");
    }
}
