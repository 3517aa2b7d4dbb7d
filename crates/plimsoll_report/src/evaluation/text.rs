//! Parts as lines of a terminal, and as Markdown.

use super::parts::{Body, Part};
use crate::markdown::escaped;
use crate::neutral::{clipped, one_line};
use crate::terminal::{Paint, Tone, wrapped};

/// Characters of a table's cell.
const LONGEST_CELL: usize = 60;

/// With a blank line between parts.
pub(super) fn terminal(parts: &[Part], paint: Paint, width: usize) -> String {
    let told: Vec<String> = parts
        .iter()
        .map(|part| {
            let title = paint.tone(Tone::Strong, &one_line(&part.title));
            format!("{title}\n\n{}", body_of_terminal(&part.body, paint, width))
        })
        .collect();
    told.join("\n")
}

fn body_of_terminal(body: &Body, paint: Paint, width: usize) -> String {
    match body {
        Body::Sentences(sentences) => {
            let line = |sentence: &String| format!("  {}\n", wrapped(&one_line(sentence), width - 2, 2));
            sentences.iter().map(line).collect()
        }
        Body::Facts(facts) => {
            let names = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            facts.iter().map(|fact| fact_of_terminal(fact, names, paint, width)).collect()
        }
        Body::Table { columns, rows } => table_of_terminal(columns, rows, paint),
    }
}

fn fact_of_terminal((name, value): &(String, String), names: usize, paint: Paint, width: usize) -> String {
    let indent = names + 4;
    let value = wrapped(&one_line(value), width.saturating_sub(indent).max(24), indent);
    let value = if name == "warning" { paint.tone(Tone::Warning, &value) } else { value };
    format!("  {}  {value}\n", paint.tone(Tone::Faint, &format!("{name:<names$}")))
}

fn table_of_terminal(columns: &[String], rows: &[Vec<String>], paint: Paint) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| clipped(&one_line(cell), LONGEST_CELL)).collect())
        .collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| {
            let cells = rows.iter().chain([&columns.to_vec()]).map(|row| row[column].chars().count()).max();
            cells.unwrap_or(0)
        })
        .collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        format!("  {}", cells.collect::<Vec<_>>().join("  "))
    };
    let mut text = format!("{}\n", paint.tone(Tone::Faint, &line(columns)));
    rows.iter().for_each(|row| text.push_str(&format!("{}\n", line(row))));
    text
}

/// A heading a part.
pub(super) fn markdown(parts: &[Part]) -> String {
    let told: Vec<String> = parts
        .iter()
        .enumerate()
        .map(|(place, part)| {
            let level = if place == 0 { "##" } else { "###" };
            format!("{level} {}\n\n{}", safe(&part.title), body_of_markdown(&part.body))
        })
        .collect();
    told.join("\n")
}

fn body_of_markdown(body: &Body) -> String {
    match body {
        Body::Sentences(sentences) => {
            let told: Vec<String> =
                sentences.iter().map(|sentence| format!("{}\n", safe(sentence))).collect();
            told.join("\n")
        }
        Body::Facts(facts) => {
            facts.iter().map(|(name, value)| format!("- {}: {}\n", safe(name), safe(value))).collect()
        }
        Body::Table { columns, rows } => {
            let line = |cells: &[String]| {
                format!("| {} |\n", cells.iter().map(|cell| safe(cell)).collect::<Vec<_>>().join(" | "))
            };
            let rule: String =
                (0..columns.len()).map(|at| if at == 0 { "| --- " } else { "| ---: " }).collect();
            format!("{}{rule}|\n{}", line(columns), rows.iter().map(|row| line(row)).collect::<String>())
        }
    }
}

fn safe(text: &str) -> String {
    escaped(&one_line(text))
}
