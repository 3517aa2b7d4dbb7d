//! Suggested indexes: at a terminal, as Markdown, as JSON.

use plimsoll_core::Suggestions;
use plimsoll_core::suggestions::{
    ChangedQuery, ChangedWriter, DuplicateIndex, SuggestedIndex, UnusedIndex, WriteProbe,
};
use plimsoll_core::units::{bytes, count, duration_ms, plural};

use crate::Colour;
use crate::json::pretty;
use crate::markdown::{code, escaped, fenced};
use crate::neutral::one_line;
use crate::terminal::{Paint, Tone, wrapped};

/// A format of suggestions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuggestionsFormat {
    /// For a person at a terminal of so many columns.
    Terminal(Colour, usize),
    /// The JSON contract.
    Json,
    /// Markdown, for a comment.
    Markdown,
}

/// Writes suggestions. Ends with a newline.
#[must_use]
pub fn render_suggestions(suggestions: &Suggestions, format: SuggestionsFormat) -> String {
    match format {
        SuggestionsFormat::Terminal(colour, width) => terminal(suggestions, Paint(colour), width.max(40)),
        SuggestionsFormat::Json => pretty(suggestions),
        SuggestionsFormat::Markdown => markdown(suggestions),
    }
}

/// Queries of a list that are named; more are counted.
const NAMED: usize = 12;

fn terminal(suggestions: &Suggestions, paint: Paint, width: usize) -> String {
    let heading = |title: &str| format!("{}\n\n", paint.tone(Tone::Strong, title));
    let fact = |text: &str| format!("    {}\n", wrapped(&one_line(text), width.saturating_sub(4), 4));
    let mut parts = Vec::new();
    if !suggestions.indexes.is_empty() {
        let mut text = heading("Indexes that save blocks");
        for index in &suggestions.indexes {
            text.push_str(&format!("  {}\n", paint.tone(Tone::Good, &one_line(&index.ddl))));
            text.push_str(&fact(&weight(index)));
            let mut line = |label: &str, tone, told: &str| {
                let told = wrapped(&one_line(told), width.saturating_sub(12), 12);
                text.push_str(&format!("    {}  {told}\n", paint.tone(tone, label)));
            };
            index.gained.iter().take(NAMED).for_each(|one| line("gains ", Tone::Good, &query(one)));
            more(index.gained.len()).iter().for_each(|more| line("gains ", Tone::Good, more));
            index.lost.iter().take(NAMED).for_each(|one| line("loses ", Tone::Error, &query(one)));
            more(index.lost.len()).iter().for_each(|more| line("loses ", Tone::Error, more));
            writes(index).iter().for_each(|one| line("writes", Tone::Warning, one));
            index.replaces.iter().for_each(|name| line("spares", Tone::Good, &replaces(name)));
            text.push('\n');
        }
        parts.push(text);
    }
    if !suggestions.duplicates.is_empty() {
        let mut text = heading("Indexes that another one makes needless");
        for one in &suggestions.duplicates {
            text.push_str(&format!(
                "  {}\n{}",
                paint.tone(Tone::Strong, &one_line(&one.name)),
                fact(&duplicate(one))
            ));
        }
        parts.push(text + "\n");
    }
    if !suggestions.unused.is_empty() {
        let mut text = heading("Indexes that no query of the corpus takes");
        for one in suggestions.unused.iter().filter(|one| one.keeps.is_none()) {
            let name = paint.tone(Tone::Strong, &one_line(&one.name));
            text.push_str(&format!("  {name}\n{}", fact(&unused(one))));
        }
        if let Some(line) = kept(&suggestions.unused) {
            text.push_str(&format!("  {}\n", wrapped(&one_line(&line), width.saturating_sub(4), 4)));
        }
        parts.push(text + "\n");
    }
    let mut text = parts.concat();
    for note in warnings(suggestions) {
        let label = paint.tone(Tone::Note, "note");
        text.push_str(&format!("{label}: {}\n", wrapped(&one_line(&note), width.saturating_sub(6), 6)));
    }
    text.push_str(&format!("{}\n", wrapped(&summary(suggestions), width, 0)));
    text
}

fn markdown(suggestions: &Suggestions) -> String {
    let mut text = format!("## Suggested indexes\n\n{}\n", escaped(&summary(suggestions)));
    for index in &suggestions.indexes {
        text.push_str(&fenced(&format!("{};", index.ddl.trim_end_matches(';'))));
        text.push_str(&format!("\n{}\n\n", escaped(&weight(index))));
        for (label, changed) in [("gains", &index.gained), ("loses", &index.lost)] {
            for one in changed.iter().take(NAMED) {
                text.push_str(&format!("- {label}: {}\n", escaped(&one_line(&query(one)))));
            }
            text.push_str(&more(changed.len()).map(|more| format!("- {more}\n")).unwrap_or_default());
        }
        for line in writes(index) {
            text.push_str(&format!("- writes: {}\n", escaped(&one_line(&line))));
        }
        for name in &index.replaces {
            text.push_str(&format!("- spares: {}\n", escaped(&one_line(&replaces(name)))));
        }
    }
    if !suggestions.duplicates.is_empty() {
        text.push_str("\n### Indexes that another one makes needless\n\n");
        for one in &suggestions.duplicates {
            text.push_str(&format!("- {}: {}\n", code(&one.name), escaped(&one_line(&duplicate(one)))));
        }
    }
    if !suggestions.unused.is_empty() {
        text.push_str("\n### Indexes that no query of the corpus takes\n\n");
        for one in suggestions.unused.iter().filter(|one| one.keeps.is_none()) {
            text.push_str(&format!("- {}: {}\n", code(&one.name), escaped(&one_line(&unused(one)))));
        }
        if let Some(line) = kept(&suggestions.unused) {
            text.push_str(&format!("- {}\n", escaped(&one_line(&line))));
        }
    }
    let notes = warnings(suggestions);
    if !notes.is_empty() {
        text.push('\n');
        text.extend(notes.iter().map(|note| format!("> {}\n", escaped(&one_line(note)))));
    }
    text
}

/// What it saves, and what having it takes.
fn weight(index: &SuggestedIndex) -> String {
    format!(
        "saves {} blocks; {}, built in {} with {} of WAL",
        count(index.saved_blocks.max(0).unsigned_abs()),
        bytes(index.bytes),
        duration_ms(index.build_ms),
        bytes(index.build_wal_bytes)
    )
}

fn query(changed: &ChangedQuery) -> String {
    let blocks = |blocks: Option<u64>| blocks.map_or_else(|| "it failed".to_owned(), count);
    let times = match (changed.before, changed.after) {
        (Some(before), Some(after)) if before > after && after > 0 => {
            format!(" (÷{})", ratio(before, after))
        }
        (Some(before), Some(after)) if after > before && before > 0 => {
            format!(" (×{})", ratio(after, before))
        }
        _ => String::new(),
    };
    format!("{}: {} → {} blocks{times}", changed.query, blocks(changed.before), blocks(changed.after))
}

/// How often the smaller is in the greater.
fn ratio(greater: u64, smaller: u64) -> String {
    let ratio = greater as f64 / smaller as f64;
    if ratio < 9.95 { format!("{ratio:.1}") } else { count(ratio.round() as u64) }
}

/// What writing takes.
fn writes(index: &SuggestedIndex) -> Vec<String> {
    let mut lines: Vec<String> = index.writers.iter().take(NAMED).map(writer).collect();
    lines.extend(more(index.writers.len()));
    match (&index.probe, &index.no_probe) {
        (Some(probe), _) => lines.push(probed(probe)),
        (None, Some(why)) => lines.push(format!("cost not measured: {why}")),
        (None, None) => {}
    }
    lines
}

fn replaces(name: &str) -> String {
    format!("{name}, whose columns are the first of it")
}

fn writer(changed: &ChangedWriter) -> String {
    format!(
        "{}: WAL {} → {}, {} → {} buffers",
        changed.query,
        bytes(changed.before.wal_bytes),
        bytes(changed.after.wal_bytes),
        count(changed.before.buffers),
        count(changed.after.buffers)
    )
}

fn probed(probe: &WriteProbe) -> String {
    let growth = match probe.before.wal_bytes {
        0 => String::new(),
        before => format!(" ({:+.0} %)", (probe.after.wal_bytes as f64 / before as f64 - 1.0) * 100.0),
    };
    format!(
        "{} of {}: WAL {} → {}{growth}, {} → {} buffers",
        probe.command.to_uppercase(),
        plural(usize::try_from(probe.rows).unwrap_or(usize::MAX), "row"),
        bytes(probe.before.wal_bytes),
        bytes(probe.after.wal_bytes),
        count(probe.before.buffers),
        count(probe.after.buffers)
    )
}

fn more(all: usize) -> Option<String> {
    (all > NAMED).then(|| format!("and {} more", count((all - NAMED) as u64)))
}

fn duplicate(one: &DuplicateIndex) -> String {
    let how = if one.is_prefix { "its columns are the first of" } else { "it is the same as" };
    let keeps = one.keeps.as_ref().map(|keeps| format!("; both are there for {keeps}")).unwrap_or_default();
    format!("{how} {}; {} on {}{keeps}", one.by, bytes(one.bytes), one.table)
}

fn unused(one: &UnusedIndex) -> String {
    let table = if one.table_is_used { "" } else { "; no query touches the table" };
    format!("{} on {}{table}", bytes(one.bytes), one.table)
}

/// Those that are there for more than queries, in a line.
fn kept(unused: &[UnusedIndex]) -> Option<String> {
    let told = |one: &UnusedIndex| Some(format!("{} (for {})", one.name, one.keeps.as_ref()?));
    let kept: Vec<String> = unused.iter().filter_map(told).collect();
    let more = more(kept.len()).map(|more| format!(" {more}")).unwrap_or_default();
    (!kept.is_empty()).then(|| format!("Keep: {}{more}", kept[..kept.len().min(NAMED)].join(", ")))
}

fn warnings(suggestions: &Suggestions) -> Vec<String> {
    let mut notes = Vec::new();
    if !suggestions.unused.is_empty() {
        notes.push(
            "A corpus isn't all of production: look at pg_stat_user_indexes of production and of its standbys before you drop an \
             index that no query here takes."
                .to_owned(),
        );
    }
    notes.extend(suggestions.notes.iter().cloned());
    notes
}

fn indexes(number: usize) -> String {
    if number == 1 { "1 index".to_owned() } else { format!("{} indexes", count(number as u64)) }
}

fn summary(suggestions: &Suggestions) -> String {
    let tried = format!(
        "{} tried for {} on PostgreSQL {}",
        indexes(suggestions.tried),
        plural(suggestions.queries, "query"),
        suggestions.server
    );
    match suggestions.indexes.len() {
        0 => format!("No index helps: {tried}."),
        1 => format!("1 index helps: {tried}."),
        helping => format!("{} help: {tried}.", indexes(helping)),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::report::Tool;
    use plimsoll_core::suggestions::{SUGGESTIONS_VERSION, Written};

    use super::*;

    fn sample() -> Suggestions {
        let written = |wal_bytes, buffers| Written { wal_bytes, buffers };
        Suggestions {
            format_version: SUGGESTIONS_VERSION,
            tool: Tool { name: "plimsoll", version: "0" },
            server: "18.1".into(),
            queries: 2,
            tried: 3,
            indexes: vec![SuggestedIndex {
                name: "orders_customer_id_idx".into(),
                table: "public.orders".into(),
                ddl: "CREATE INDEX CONCURRENTLY orders_customer_id_idx ON public.orders (customer_id);"
                    .into(),
                saved_blocks: 1200,
                bytes: 8192 * 30,
                build_ms: 12.0,
                build_wal_bytes: 250_000,
                gained: vec![ChangedQuery {
                    query: "of_customer".into(),
                    before: Some(1204),
                    after: Some(4),
                }],
                lost: vec![ChangedQuery {
                    query: "other\u{1b}[31m".into(),
                    before: Some(10),
                    after: Some(40),
                }],
                writers: vec![ChangedWriter {
                    query: "place".into(),
                    before: written(200, 5),
                    after: written(280, 8),
                }],
                probe: Some(WriteProbe {
                    command: "insert",
                    rows: 1000,
                    before: written(100_000, 2000),
                    after: written(180_000, 4100),
                }),
                no_probe: None,
                replaces: vec!["public.orders_old".into()],
            }],
            unused: vec![UnusedIndex {
                name: "public.orders_pkey".into(),
                table: "public.orders".into(),
                bytes: 8192,
                table_is_used: true,
                keeps: Some("the primary key".into()),
                definition: String::new(),
            }],
            duplicates: vec![DuplicateIndex {
                name: "public.a".into(),
                table: "public.orders".into(),
                bytes: 8192,
                by: "public.b".into(),
                is_prefix: true,
                keeps: None,
                definition: String::new(),
            }],
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_person_reads_what_an_index_gives_and_takes() {
        let text = render_suggestions(&sample(), SuggestionsFormat::Terminal(Colour::Never, 100));
        for expected in [
            "  CREATE INDEX CONCURRENTLY orders_customer_id_idx ON public.orders (customer_id);\n",
            "saves 1,200 blocks; 240 kB, built in 12.0 ms with 244 kB of WAL",
            "gains   of_customer: 1,204 → 4 blocks (÷301)",
            "writes  INSERT of 1,000 rows: WAL 97.7 kB → 176 kB (+80 %), 2,000 → 4,100 buffers",
            "Keep: public.orders_pkey (for the primary key)",
            "its columns are the first of public.b",
            "A corpus isn't all of production",
            "1 index helps: 3 indexes tried for 2 queries on PostgreSQL 18.1.",
        ] {
            assert!(text.contains(expected), "{expected}\nisn't in\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn markdown_and_json_say_the_same() {
        let text = render_suggestions(&sample(), SuggestionsFormat::Markdown);
        assert!(text.contains("```sql\nCREATE INDEX CONCURRENTLY"), "{text}");
        assert!(text.contains("- gains: of_customer: 1,204 → 4 blocks"), "{text}");
        let json = render_suggestions(&sample(), SuggestionsFormat::Json);
        assert!(json.contains("\"saved_blocks\": 1200") && json.contains("\"format_version\": 1"), "{json}");
    }
}
