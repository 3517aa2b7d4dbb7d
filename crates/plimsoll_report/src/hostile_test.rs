//! No text from a file or a server breaks out of a format.

use plimsoll_core::{Report, SourceFile};

use crate::{Colour, Format, Rendering, RuleHelp, Sources, hostile, render, sample};

fn rendered(format: Format, report: &Report, sources: &[SourceFile], colour: Colour) -> String {
    let hostile = || hostile::HOSTILE.to_owned();
    let help =
        |_: &str| Some(RuleHelp { summary: hostile(), help: hostile(), uri: Some("javascript:1".into()) });
    render(format, &Rendering { report, sources: Sources::new(sources), colour, width: 80, rule_help: &help })
}

fn hostile(format: Format) -> String {
    rendered(format, &hostile::report(), &hostile::sources(), Colour::Never)
}

#[test]
fn json_formats_stay_json() {
    for format in [Format::Json, Format::Sarif, Format::Gitlab, Format::Rdjson] {
        let text = hostile(format);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{format}");
    }
}

#[test]
fn html_gains_no_element_and_no_address() {
    let page = hostile(Format::Html);
    assert!(!page.contains("<script") && !page.contains("<![CDATA["));
    assert!(page.contains("&lt;script&gt;"));
    assert!(!page.contains("href=\"javascript:"));
    let count = |page: &str, tag: &str| page.matches(tag).count();
    let calm = rendered(Format::Html, &sample::report(), &sample::sources(), Colour::Never);
    for tag in ["<section", "<header", "<footer", "<main", "<html", "<style", "<body", "<title>Plimsoll"] {
        assert_eq!(count(&page, tag), count(&calm, tag), "{tag}");
    }
}

#[test]
fn junit_stays_xml() {
    let xml = hostile(Format::Junit);
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert!(!report.test_suites.is_empty());
    assert!(!xml.contains(['\0', '\x1b', '\u{fffe}', '\u{ffff}']));
}

#[test]
fn github_commands_stay_one_a_line() {
    let text = hostile(Format::Github);
    let findings = hostile::report().findings.len();
    assert_eq!(text.lines().count(), findings + 1, "a line a finding and the summary");
    assert_eq!(text.lines().filter(|line| line.starts_with("::")).count(), findings);
    assert!(!text.contains('\r'));
}

#[test]
fn short_stays_a_line_a_finding() {
    assert_eq!(hostile(Format::Short).lines().count(), hostile::report().findings.len());
}

#[test]
fn markdown_gains_no_tag_mention_or_cell() {
    let text = hostile(Format::Markdown);
    // Code blocks show everything as it is; a fence around them is longer than any inside.
    let mut fence: Option<&str> = None;
    let mut outside = String::new();
    for line in text.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks >= 3 => fence = Some(&line[..ticks]),
            None => outside.push_str(&format!("{line}\n")),
        }
    }
    assert_eq!(fence, None, "every block is closed");
    assert!(!outside.contains("<script") && !outside.contains('@') && !outside.contains("]("));
    assert!(text.len() < 65_536, "GitHub takes no longer comment: {}", text.len());
    for row in outside.lines().filter(|line| line.starts_with("| 🔴") || line.starts_with("| 🟡")) {
        assert_eq!(row.matches('|').count(), 6, "{row}");
    }
}

#[test]
fn no_format_lets_a_control_character_through() {
    for format in Format::ALL {
        let text = hostile(format);
        let control = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
        // JSON has its own escapes for the characters below space, and needs none above.
        let json = matches!(format, Format::Json | Format::Sarif | Format::Gitlab | Format::Rdjson);
        assert!(json && control.is_none_or(|c| c >= ' ') || control.is_none(), "{format}: {control:?}");
    }
}

#[test]
fn colours_are_the_only_escape_sequences() {
    let text = rendered(Format::Terminal, &hostile::report(), &hostile::sources(), Colour::Always);
    for (at, _) in text.match_indices('\x1b') {
        let rest = &text[at + 1..];
        let end = rest.find('m').unwrap();
        assert!(rest[..end].starts_with('[') && rest[1..end].chars().all(|c| c.is_ascii_digit() || c == ';'));
    }
}
