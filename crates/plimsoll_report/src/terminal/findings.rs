//! Findings, each with its excerpt, its evidence and its remedy.

use std::collections::HashMap;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use plimsoll_core::units::plural;
use plimsoll_core::{Finding, Gathered, Severity};

use super::Layout;
use super::paint::Tone;
use super::wrap::wrapped;
use crate::excerpt::Excerpt;
use crate::neutral::{neutral, one_line};
use crate::{Colour, Rendering, words};

/// Findings of one rule that are shown in full; the rest take a line each.
const IN_FULL: usize = 4;
/// Places that take a line each, of one finding or of a rule's further ones; the rest are counted.
const IN_A_LINE: usize = 20;
/// Statements of more lines show their first one.
const EXCERPT_LINES: usize = 5;
/// Columns that a message beside its rule's id needs at least.
const LEAST_TITLE_WIDTH: usize = 44;
/// Columns that the gutter and a label take of a line.
const GUTTER: usize = 22;

/// A part a finding, then a part for each rule with more findings than are shown in full.
pub(super) fn parts(rendering: &Rendering, layout: Layout) -> Vec<String> {
    let mut of_rule: HashMap<&str, usize> = HashMap::new();
    let mut remedies: HashMap<&str, String> = HashMap::new();
    let mut folded: Vec<(&str, Vec<Gathered>)> = Vec::new();
    let mut parts = Vec::new();
    for gathered in rendering.report.told() {
        let finding = gathered.first;
        let number = of_rule.entry(&finding.rule).or_default();
        *number += 1;
        if *number <= IN_FULL {
            let remedy = remedy(finding, &mut remedies);
            parts.push(in_full(rendering, layout, &gathered, remedy));
        } else if let Some((_, more)) = folded.iter_mut().find(|(rule, _)| *rule == finding.rule) {
            more.push(gathered);
        } else {
            folded.push((&finding.rule, vec![gathered]));
        }
    }
    parts.extend(folded.into_iter().map(|(rule, more)| in_lines(layout, rule, &more)));
    parts
}

/// The remedy, or where the same one was given.
fn remedy<'a>(finding: &'a Finding, seen: &mut HashMap<&'a str, String>) -> Option<String> {
    if finding.remedy.is_empty() {
        return None;
    }
    let place = format!("{}:{}", finding.location.file, finding.location.line);
    match seen.get(finding.remedy.as_str()) {
        Some(first) => Some(format!("as for {first}")),
        None => {
            seen.insert(&finding.remedy, place);
            Some(finding.remedy.clone())
        }
    }
}

fn in_full(rendering: &Rendering, layout: Layout, gathered: &Gathered, remedy: Option<String>) -> String {
    let finding = gathered.first;
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let text_width = layout.width.saturating_sub(GUTTER).max(20);
    let title = title(finding, layout);
    let evidence = wrapped(&one_line(&words::evidence(rendering.report, finding)), text_width, 0);
    let excerpt =
        rendering.source(finding).and_then(|source| Excerpt::new(source, &finding.location, EXCERPT_LINES));
    let place = one_line(&finding.location.file);
    let mut elements: Vec<Element> = Vec::new();
    match &excerpt {
        Some(excerpt) => {
            let mut annotation = AnnotationKind::Primary.span(excerpt.marked.clone());
            if excerpt.lines_left_out > 0 {
                let left_out = plural(excerpt.lines_left_out, "line");
                annotation = annotation.label(format!("and {left_out} more"));
            }
            let snippet = Snippet::source(excerpt.text.as_str()).path(place.as_str());
            elements.push(snippet.line_start(excerpt.first_line).annotation(annotation).into());
        }
        None => {
            let origin = Origin::path(place.as_str()).line(finding.location.line);
            elements.push(origin.char_column(finding.location.column).into());
        }
    }
    elements.push(Level::INFO.with_name("evidence").message(evidence).into());
    if let Some(remedy) = remedy {
        elements
            .push(Level::HELP.with_name("instead").message(wrapped(&neutral(&remedy), text_width, 0)).into());
    }
    if let Some((title, lines)) = words::fix(rendering, finding) {
        let title = wrapped(&one_line(&title), text_width, 0);
        let text = match lines {
            Some(lines) => format!("{title}:\n{}", clipped_lines(&neutral(&lines))),
            None => title,
        };
        elements.push(Level::HELP.with_name("fix").message(text).into());
    }
    if !gathered.further.is_empty() {
        let lines: Vec<String> =
            places(&gathered.further).iter().map(|place| wrapped(place, text_width, 2)).collect();
        elements.push(Level::INFO.with_name("also").message(lines.join("\n")).into());
    }
    let group = Group::with_title(level.primary_title(title).id(one_line(&finding.rule))).elements(elements);
    let rendered = renderer(rendering.colour, layout.width).render(&[group]);
    rendered.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The first lines of a text, and how many more there are.
fn clipped_lines(text: &str) -> String {
    let count = text.lines().count();
    if count <= EXCERPT_LINES {
        return text.to_owned();
    }
    let head: Vec<&str> = text.lines().take(EXCERPT_LINES).collect();
    format!("{}\n… and {} more", head.join("\n"), plural(count - EXCERPT_LINES, "line"))
}

/// The message, broken beside the rule's id if that leaves room for sentences; else the
/// terminal breaks it.
fn title(finding: &Finding, layout: Layout) -> String {
    let message = one_line(&finding.message);
    let room = layout.width.saturating_sub(finding.rule.len() + 12);
    if room < LEAST_TITLE_WIDTH { message } else { wrapped(&message, room, 0) }
}

fn renderer(colour: Colour, width: usize) -> Renderer {
    let renderer = match colour {
        Colour::Never => Renderer::plain(),
        Colour::Always => Renderer::styled(),
    };
    renderer.term_width(width).decor_style(DecorStyle::Unicode)
}

fn in_lines(layout: Layout, rule: &str, findings: &[Gathered]) -> String {
    let more = plural(findings.len(), "further finding");
    let mut text = format!("{more} of {}:\n", layout.paint.tone(Tone::Strong, &one_line(rule)));
    let flat: Vec<&Finding> =
        findings.iter().flat_map(|one| [one.first].into_iter().chain(one.further.iter().copied())).collect();
    for place in places(&flat) {
        text.push_str(&format!("  {}\n", wrapped(&place, layout.width - 2, 6)));
    }
    text
}

/// A line a place: the first ones, and how many more there are.
fn places(findings: &[&Finding]) -> Vec<String> {
    let line = |finding: &&Finding| {
        let place = &finding.location;
        let place = one_line(&format!("{}:{}:{}", place.file, place.line, place.column));
        format!("{place}: {} ({})", one_line(&finding.message), finding.evidence.kind.word())
    };
    let mut lines: Vec<String> = findings.iter().take(IN_A_LINE).map(line).collect();
    if findings.len() > IN_A_LINE {
        lines.push(format!("… and {} more", findings.len() - IN_A_LINE));
    }
    lines
}
