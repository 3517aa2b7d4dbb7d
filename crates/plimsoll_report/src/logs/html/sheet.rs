//! Tables whose cells keep their values, so that a page can sort them: what they hold, and how they read where no script runs.

use maud::{Markup, html};
use plimsoll_core::logs::LogTrend;
use plimsoll_core::units::{bytes, count, duration_ms};

use crate::html::shown;

/// What a column's cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole number.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// A part of the whole, 0 to 1.
    Share,
    /// Bytes.
    Bytes,
    /// A number with one digit behind the point.
    Decimal,
    /// A probability near one.
    Chance,
    /// A short text.
    Name,
    /// Several short texts, for which a row can be looked for; they have no room of their own.
    Names,
    /// A long text.
    Text,
    /// A query's normal form.
    Query,
    /// Queries and words between them, by turns.
    Parts,
}

impl Kind {
    /// The letter by which the page's script knows it.
    pub(super) const fn letter(self) -> &'static str {
        match self {
            Self::Count => "n",
            Self::Milliseconds => "ms",
            Self::Share => "share",
            Self::Bytes => "bytes",
            Self::Decimal => "decimal",
            Self::Chance => "chance",
            Self::Name => "name",
            Self::Names => "names",
            Self::Text => "text",
            Self::Query => "query",
            Self::Parts => "parts",
        }
    }

    pub(super) const fn is_number(self) -> bool {
        matches!(
            self,
            Self::Count | Self::Milliseconds | Self::Share | Self::Bytes | Self::Decimal | Self::Chance
        )
    }
}

/// A cell.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Number(f64),
    Text(String),
    Texts(Vec<String>),
    /// The log doesn't tell.
    Untold,
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        if text.is_empty() { Self::Untold } else { Self::Text(shown(text)) }
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&Option<String>> for Cell {
    fn from(text: &Option<String>) -> Self {
        text.as_deref().map_or(Self::Untold, Self::from)
    }
}

/// A row, and when what it counts happened.
pub(super) struct Row<'a> {
    pub(super) cells: Vec<Cell>,
    pub(super) trend: Option<&'a LogTrend>,
}

/// A table.
pub(super) struct Sheet<'a> {
    /// Its anchor.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) columns: Vec<(&'static str, Kind)>,
    /// In the order of their weight.
    pub(super) rows: Vec<Row<'a>>,
}

impl Sheet<'_> {
    /// The section, with as many rows as fit; a script shows the others.
    pub(super) fn section(&self, rows: usize, above: &Markup) -> Markup {
        let rest = self.rows.len().saturating_sub(rows);
        html! {
            section class="sheet" aria-labelledby=(self.id) data-sheet=(self.id) {
                h2 id=(self.id) { (self.title) " " span class="number" { (count(self.rows.len() as u64)) } }
                (above)
                div class="scroll" {
                    table class="sheet" aria-labelledby=(self.id) {
                        thead { tr { @for (title, kind) in self.shown_columns() { th scope="col" class=[kind.is_number().then_some("number")] { (title) } } } }
                        tbody { @for row in self.rows.iter().take(rows) { (self.row(row)) } }
                    }
                }
                @if rest > 0 { p class="more rest" { "and " (count(rest as u64)) " more" } }
            }
        }
    }

    fn shown_columns(&self) -> impl Iterator<Item = &(&'static str, Kind)> {
        self.columns.iter().filter(|(_, kind)| *kind != Kind::Names)
    }

    fn row(&self, row: &Row<'_>) -> Markup {
        let cells = self.columns.iter().zip(&row.cells).filter(|((_, kind), _)| *kind != Kind::Names);
        html! {
            tr { @for ((_, kind), cell) in cells { td class=[kind.is_number().then_some("number")] { (told(*kind, cell)) } } }
        }
    }
}

fn told(kind: Kind, cell: &Cell) -> Markup {
    let text = match cell {
        Cell::Number(number) => figure(kind, *number),
        Cell::Text(text) => text.clone(),
        Cell::Texts(texts) => texts.concat(),
        Cell::Untold => return html! { span class="untold" { "(not told)" } },
    };
    match kind {
        Kind::Query | Kind::Parts => html! { code { (text) } },
        _ => html! { (text) },
    }
}

fn figure(kind: Kind, number: f64) -> String {
    match kind {
        Kind::Milliseconds => duration_ms(number),
        Kind::Share => format!("{:.1} %", number * 100.0),
        Kind::Bytes => bytes(number as u64),
        Kind::Decimal => format!("{number:.1}"),
        Kind::Chance if number > 0.9999 => "> 99.99 %".to_owned(),
        Kind::Chance => format!("{:.2} %", number * 100.0),
        _ => count(number as u64),
    }
}
