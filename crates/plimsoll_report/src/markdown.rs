//! A comment for a pull request, in GitHub's Markdown: the verdict, a table of findings, and
//! folded blocks for statements and queries.
//!
//! Every text from outside is escaped so that it can't mention people, link issues, open tags
//! or leave its table cell. GitHub refuses comments over 65,536 characters, so parts that
//! would pass a budget are replaced by a line that says so.

use plimsoll_core::units::{duration_ms, plural};
use plimsoll_core::{
    Finding, QueryReport, QueryVerdict, Rehearsal, Report, Severity, StatementRecord, Verdict,
};

use crate::neutral::{clipped, neutral, one_line};
use crate::{Rendering, further, words};

mod blocked;
mod traffic;

/// Where parts begin to be left out, in bytes; below GitHub's limit by one folded block.
const BUDGET: usize = 56_000;
/// Most SQL shown for a statement or query, in characters.
const SQL_CHARACTERS: usize = 2_000;
/// Most characters of one table cell.
const CELL_CHARACTERS: usize = 400;

/// Writes the comment.
pub(crate) fn render(rendering: &Rendering) -> String {
    let report = rendering.report;
    let mut text = format!(
        "## {} {}: {}\n\n{}\n",
        symbol(report),
        words::headline(report).to_uppercase(),
        words::advice(report),
        escaped(&words::reasons(report).join(" "))
    );
    findings(&mut text, rendering);
    if let Some(rehearsal) = &report.rehearsal {
        statements(&mut text, rehearsal);
    }
    blocked::blocks(&mut text, report);
    if let Some(traffic) = &report.traffic {
        traffic::table(&mut text, traffic);
    }
    if let Some(queries) = &report.queries {
        query_table(&mut text, queries);
    }
    notes(&mut text, report);
    text.push_str(&format!("\n<sub>{} {}</sub>\n", report.tool.name, report.tool.version));
    text
}

fn symbol(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Safe if report.rehearsal.is_none() => "⚪",
        Verdict::Safe => "🟢",
        Verdict::Caution => "🟡",
        Verdict::Danger => "🔴",
    }
}

fn findings(text: &mut String, rendering: &Rendering) {
    let report = rendering.report;
    if report.findings.is_empty() {
        return;
    }
    text.push_str(
        "\n### Findings\n\n| Severity | Rule | Where | What | Evidence |\n| --- | --- | --- | --- | --- |\n",
    );
    let rows = report.told().into_iter().flat_map(|one| {
        let further = one.further.into_iter().map(|finding| further_row(report, finding));
        [finding_row(report, one.first)].into_iter().chain(further)
    });
    let left_out = within_budget(text, rows);
    more(text, left_out);
    let remedies =
        report.findings.iter().filter(|finding| !finding.remedy.is_empty() || finding.fix.is_some());
    let remedies = remedies.map(|finding| remedy(rendering, finding));
    let mut block = String::from("\n<details><summary>What to do instead</summary>\n");
    let before = block.len();
    let room = BUDGET.saturating_sub(text.len());
    for remedy in remedies {
        if block.len() + remedy.len() <= room && !block.contains(&remedy) {
            block.push_str(&remedy);
        }
    }
    if block.len() > before {
        text.push_str(&block);
        text.push_str("\n</details>\n");
    }
}

fn finding_row(report: &Report, finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => "🔴 error",
        Severity::Warning => "🟡 warning",
        Severity::Note => "🔵 note",
    };
    let place = code(&format!("{}:{}", finding.location.file, finding.location.line));
    let evidence = words::evidence(report, finding);
    let (rule, message, evidence) = (code(&finding.rule), cell(&finding.message), cell(&evidence));
    format!("| {severity} | {rule} | {place} | {message} | {evidence} |\n")
}

/// The same at a further place.
fn further_row(report: &Report, finding: &Finding) -> String {
    let place = code(&format!("{}:{}", finding.location.file, finding.location.line));
    format!(
        "| also | | {place} | {} | {} |\n",
        cell(&finding.message),
        cell(&words::evidence(report, finding))
    )
}

fn remedy(rendering: &Rendering, finding: &Finding) -> String {
    let place = format!("{}:{}", finding.location.file, finding.location.line);
    let (first, rest) = finding.remedy.split_once('\n').unwrap_or((&finding.remedy, ""));
    let block = if rest.is_empty() { String::new() } else { fenced(rest) };
    let fix = words::fix(rendering, finding).map_or_else(String::new, |(title, lines)| {
        let lines = lines.map_or_else(String::new, |lines| fenced(&lines));
        format!("\nFix: {}\n{lines}", escaped(&one_line(&title)))
    });
    format!("\n{} at {}: {}\n{block}{fix}", code(&finding.rule), code(&place), escaped(&one_line(first)))
}

fn statements(text: &mut String, rehearsal: &Rehearsal) {
    let (quiet, loud): (Vec<_>, Vec<_>) =
        rehearsal.statements.iter().partition(|record| words::is_quiet(record));
    text.push_str(&format!(
        "\n<details><summary>{} rehearsed on {}</summary>\n\n",
        plural(rehearsal.statements.len(), "statement"),
        escaped(&words::server(rehearsal))
    ));
    if !loud.is_empty() {
        text.push_str("| Where | Statement | Time | What it did |\n| --- | --- | ---: | --- |\n");
        let left_out = within_budget(text, loud.into_iter().map(|record| statement_row(rehearsal, record)));
        more(text, left_out);
    }
    if !quiet.is_empty() {
        let quiet = plural(quiet.len(), "statement");
        text.push_str(&format!("\n{quiet} blocked nobody and did no work on existing rows.\n"));
    }
    text.push_str("\n</details>\n");
}

fn statement_row(rehearsal: &Rehearsal, record: &StatementRecord) -> String {
    let error = record.error.iter().map(|error| format!("**failed**: {}", cell(&error.message)));
    let locks = record.blocking_locks().into_iter().map(|lock| {
        let held = further::held(rehearsal, record, lock);
        format!("{}: **{}**{held}", cell(&words::lock(lock)), lock.mode.blocks().phrase())
    });
    let work = words::work(rehearsal, record).into_iter().map(|work| cell(&work));
    let facts: Vec<String> = error.chain(locks).chain(work).collect();
    format!(
        "| {} | {} | {} | {} |\n",
        code(&format!("{}:{}", record.file, record.line)),
        code(&clipped(&record.sql, 80)),
        duration_ms(record.duration_ms),
        facts.join("<br>")
    )
}

fn query_table(text: &mut String, queries: &[QueryReport]) {
    if queries.is_empty() {
        return;
    }
    text.push_str(&format!("\n<details><summary>{}</summary>\n\n", words::query_summary(queries)));
    text.push_str("| Query | Verdict | Shared buffers | Time | Why |\n| --- | --- | ---: | ---: | --- |\n");
    let left_out = within_budget(text, words::worst_first(queries).into_iter().map(query_row));
    more(text, left_out);
    text.push('\n');
    for query in words::worst_first(queries) {
        let worth =
            matches!(query.verdict, QueryVerdict::Failed | QueryVerdict::ChangedResult | QueryVerdict::Worse);
        let block = format!("{}\n{}", code(&query.name), fenced(&query.sql));
        if worth && text.len() + block.len() < BUDGET {
            text.push_str(&format!("\n{block}"));
        }
    }
    text.push_str("\n</details>\n");
}

fn query_row(query: &QueryReport) -> String {
    let pair = |name: &str| {
        let number = words::numbers(query).into_iter().find(|number| number.name == name);
        number.map_or_else(String::new, |number| {
            let shown = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
            format!("{} → {}", shown(number.before), shown(number.after))
        })
    };
    let (name, verdict, why) = (code(&query.name), query.verdict.word(), cell(&told_of(query)));
    format!("| {name} | {verdict} | {} | {} | {why} |\n", pair("shared buffers"), pair("time"))
}

/// Its reasons, and by which id it can be judged.
fn told_of(query: &QueryReport) -> String {
    query.reasons.iter().cloned().chain(words::growth(query)).collect::<Vec<_>>().join("; ")
}

fn notes(text: &mut String, report: &Report) {
    let rehearsed = report.rehearsal.iter().flat_map(|rehearsal| &rehearsal.notes);
    for note in report.notes.iter().chain(rehearsed) {
        text.push_str(&format!("\n> {}\n", cell(note)));
    }
}

/// Adds rows while they fit, and answers how many didn't.
fn within_budget(text: &mut String, rows: impl Iterator<Item = String>) -> usize {
    let mut left_out = 0;
    for row in rows {
        if left_out == 0 && text.len() + row.len() < BUDGET {
            text.push_str(&row);
        } else {
            left_out += 1;
        }
    }
    left_out
}

fn more(text: &mut String, left_out: usize) {
    if left_out > 0 {
        text.push_str(&format!("\n… and {left_out} more, for which this comment has no room.\n"));
    }
}

fn cell(text: &str) -> String {
    escaped(&clipped(text, CELL_CHARACTERS))
}

/// Text that Markdown shows as it is: every character with a meaning becomes an HTML entity.
pub(crate) fn escaped(text: &str) -> String {
    let text = neutral(text);
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        // Within a word an underscore means itself; most names have some, and mail shows the source.
        let in_word = character == '_'
            && before.is_ascii_alphanumeric()
            && characters.peek().is_some_and(char::is_ascii_alphanumeric);
        if "&<>`*_~[]\\|#@!$".contains(character) && !in_word {
            escaped.push_str(&format!("&#{};", u32::from(character)));
        } else {
            escaped.push(character);
        }
        before = character;
    }
    escaped
}

/// An inline code span as HTML: unlike backticks it needs no counting and survives tables.
pub(crate) fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(&one_line(text)))
}

/// A code block whose fence is longer than any run of backticks in it.
pub(crate) fn fenced(text: &str) -> String {
    let text = neutral(text);
    let cut: String = text.trim_end().chars().take(SQL_CHARACTERS).collect();
    let rest = if cut.len() < text.trim_end().len() { "\n…" } else { "" };
    let longest = cut.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("\n{fence}sql\n{cut}{rest}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_the_backticks_in_it() {
        assert_eq!(fenced("a ```` b"), "\n`````sql\na ```` b\n`````\n");
    }

    #[test]
    fn text_cannot_leave_its_cell() {
        assert_eq!(cell("a | b_c\n@d _e_ <f>"), "a &#124; b_c &#64;d &#95;e&#95; &#60;f&#62;");
    }
}
