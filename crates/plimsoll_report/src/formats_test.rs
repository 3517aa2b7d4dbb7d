//! What a person or a program reads of the sample, in every format.

use plimsoll_core::{Finding, Report, SourceFile};

use crate::{Colour, Format, Rendering, RuleHelp, Sources, render, sample};

fn help(rule: &str) -> Option<RuleHelp> {
    (rule == "changing-column-type").then(|| RuleHelp {
        summary: "A new type rewrites the table under an exclusive lock.".to_owned(),
        help: "# changing-column-type\n\nA new type *rewrites* the table.".to_owned(),
        uri: Some("https://plimsoll.example/rules/changing-column-type".to_owned()),
    })
}

pub(crate) fn rendered(format: Format, report: &Report, sources: &[SourceFile], width: usize) -> String {
    render(
        format,
        &Rendering { report, sources: Sources::new(sources), colour: Colour::Never, width, rule_help: &help },
    )
}

fn sampled(format: Format) -> String {
    rendered(format, &sample::report(), &sample::sources(), 100)
}

#[test]
fn terminal_tells_all_and_ends_with_the_verdict() {
    insta::assert_snapshot!(sampled(Format::Terminal));
}

#[test]
fn terminal_at_eighty_columns_breaks_at_words() {
    insta::assert_snapshot!(rendered(Format::Terminal, &sample::report(), &sample::sources(), 80));
}

#[test]
fn terminal_colours_only_when_asked() {
    assert!(!sampled(Format::Terminal).contains('\x1b'));
    let (report, sources) = (sample::report(), sample::sources());
    let rendering = Rendering {
        report: &report,
        sources: Sources::new(&sources),
        colour: Colour::Always,
        width: 100,
        rule_help: &help,
    };
    assert!(render(Format::Terminal, &rendering).contains("\x1b[1;31mDANGER\x1b[0m"));
}

#[test]
fn terminal_folds_what_repeats() {
    let mut report = sample::report();
    let finding = report.findings[0].clone();
    report.findings = (0..30).map(|n| in_file(&finding, &format!("{n}.sql"))).collect();
    let rehearsal = report.rehearsal.as_mut().unwrap();
    rehearsal.statements =
        (0..500).map(|n| sample::record("a.sql", n, n + 1, &format!("insert into t values ({n})"))).collect();
    report.queries = None;
    let text = rendered(Format::Terminal, &report, &sample::sources(), 100);
    insta::assert_snapshot!(text);
}

/// The same finding in another file.
fn in_file(finding: &Finding, file: &str) -> Finding {
    let mut finding = finding.clone();
    finding.location.file = file.to_owned();
    finding
}

/// A report of one finding at three places.
fn at_three_places() -> Report {
    let mut report = sample::report();
    let first = report.findings[0].clone();
    let at = sample::sources()[0].text().find("ALTER TABLE ships").unwrap();
    let location = sample::sources()[0].location(at..at + 17);
    let second = Finding { location, fix: None, remedy: "Another remedy.".into(), ..first.clone() };
    let third = Finding { fix: None, message: "A third message.".into(), ..first.clone() };
    report.findings = vec![first, second, third];
    (report.rehearsal, report.queries, report.notes) = (None, None, Vec::new());
    report
}

#[test]
fn every_format_tells_all_places() {
    let report = at_three_places();
    for format in Format::ALL {
        let text = rendered(format, &report, &sample::sources(), 100);
        assert!(text.contains("third message"), "{format}: {text}");
    }
    assert_eq!(report.count(plimsoll_core::Severity::Error), 1);
}

#[test]
fn terminal_lists_further_places() {
    insta::assert_snapshot!(rendered(Format::Terminal, &at_three_places(), &sample::sources(), 100));
}

#[test]
fn sarif_relates_further_places() {
    insta::assert_snapshot!(rendered(Format::Sarif, &at_three_places(), &sample::sources(), 100));
}

#[test]
fn markdown_has_a_row_a_place() {
    insta::assert_snapshot!(rendered(Format::Markdown, &at_three_places(), &sample::sources(), 100));
}

#[test]
fn json_is_the_contract() {
    insta::assert_snapshot!(sampled(Format::Json));
}

#[test]
fn markdown_is_a_comment() {
    insta::assert_snapshot!(sampled(Format::Markdown));
}

#[test]
fn markdown_of_a_large_report_fits_a_comment() {
    let mut report = sample::report();
    let finding = report.findings[0].clone();
    report.findings = (0..1000).map(|_| finding.clone()).collect();
    let text = rendered(Format::Markdown, &report, &sample::sources(), 100);
    assert!(
        text.len() < 65_536 && text.contains("more, for which this comment has no room"),
        "{}",
        text.len()
    );
    assert!(text.contains("5 queries measured"), "the rest is still told in short");
}

#[test]
fn sarif_carries_rules_places_and_evidence() {
    insta::assert_snapshot!(sampled(Format::Sarif));
}

#[test]
fn junit_has_a_suite_a_file_and_one_for_queries() {
    insta::assert_snapshot!(sampled(Format::Junit));
}

#[test]
fn junit_of_a_safe_report_has_passing_cases() {
    let report = Report::new(Vec::new(), None, None, Vec::new());
    insta::assert_snapshot!(rendered(Format::Junit, &report, &sample::sources(), 100));
}

#[test]
fn github_has_a_command_a_finding() {
    insta::assert_snapshot!(sampled(Format::Github));
}

#[test]
fn gitlab_has_a_value_a_finding() {
    insta::assert_snapshot!(sampled(Format::Gitlab));
}

#[test]
fn short_has_a_line_a_finding() {
    insta::assert_snapshot!(sampled(Format::Short));
}

#[test]
fn rdjson_has_a_diagnostic_a_finding() {
    insta::assert_snapshot!(sampled(Format::Rdjson));
}

#[test]
fn what_was_only_read_is_not_called_safe() {
    let mut report = Report::new(Vec::new(), None, None, Vec::new());
    for format in [Format::Terminal, Format::Markdown, Format::Github, Format::Html] {
        let text = rendered(format, &report, &[], 80).to_lowercase();
        let text = text.split_once("</style>").map_or(text.as_str(), |(_, page)| page);
        assert!(text.contains("nothing found (not rehearsed)"), "{format}");
        assert!(!text.contains("safe:") && !text.contains(">safe<"), "{format}");
    }
    report.findings = sample::report().findings;
    report.findings.retain(|finding| finding.severity == plimsoll_core::Severity::Note);
    assert!(rendered(Format::Terminal, &report, &[], 80).contains("ONLY NOTES (NOT REHEARSED)"));
}

#[test]
fn html_is_one_page() {
    insta::assert_snapshot!(sampled(Format::Html).split_once("</style>").unwrap().1.replace("><", ">\n<"));
}

#[test]
fn html_of_a_large_report_starts_folded_and_stays_small() {
    let mut report = sample::report();
    let finding = report.findings[2].clone();
    report.findings = (0..200).map(|_| finding.clone()).collect();
    let rehearsal = report.rehearsal.as_mut().unwrap();
    let record = rehearsal.statements[0].clone();
    rehearsal.statements = (0..500).map(|_| record.clone()).collect();
    report.queries = None;
    let page = rendered(Format::Html, &report, &sample::sources(), 100);
    assert_eq!(page.matches(" open>").count(), 0, "warnings and statements wait to be unfolded");
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
}

#[test]
fn an_empty_report_is_told_in_every_format() {
    let report = Report::new(Vec::new(), None, None, Vec::new());
    for format in Format::ALL {
        let text = rendered(format, &report, &[], 80);
        assert_eq!(text.ends_with('\n'), format != Format::Short, "{format}");
    }
    insta::assert_snapshot!(rendered(Format::Terminal, &report, &[], 200), @"NOTHING FOUND (NOT REHEARSED): The files were only read: `plimsoll check` tries the change. No findings. No statement was rehearsed on a server.");
}

#[test]
fn every_format_is_the_same_twice() {
    for format in Format::ALL {
        assert_eq!(sampled(format), sampled(format), "{format}");
    }
}

#[test]
fn what_ran_is_told_in_every_format_that_people_read() {
    insta::assert_snapshot!(rendered(Format::Terminal, &sample::watched(), &[], 100));
}

#[test]
fn markdown_of_what_ran_is_a_folded_table() {
    insta::assert_snapshot!(rendered(Format::Markdown, &sample::watched(), &[], 100));
}

#[test]
fn html_of_what_ran_has_a_row_a_query() {
    let page = rendered(Format::Html, &sample::watched(), &[], 100);
    insta::assert_snapshot!(page.split_once("</style>").unwrap().1.replace("><", ">\n<"));
}
