//! Autovacuum's work on a table: which, and its figures, in the words of PostgreSQL 12 to 18.

use super::reading::{between, count_before, count_behind, thousandths_behind};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// `automatic vacuum`.
    Vacuum,
    /// `automatic analyze`.
    Analyze,
}

/// A table's automatic vacuum or analyze (`log_autovacuum_min_duration`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutomaticWork<'a> {
    /// Which.
    pub work: Work,
    /// Whether it had to visit all pages that aren't frozen.
    pub is_aggressive: bool,
    /// Whether it ran against wraparound, and so couldn't be cancelled.
    pub is_against_wraparound: bool,
    /// The database. The server quotes no name: dots in the first two would shift them.
    pub database: &'a str,
    /// The schema.
    pub schema: &'a str,
    /// The table.
    pub table: &'a str,
    /// The figures as told.
    pub text: &'a str,
}

/// Figures; each is None where this version, or this kind of work, doesn't tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AutomaticFigures {
    /// How often the indexes were scanned.
    pub index_scans: Option<u64>,
    /// Pages that the table's end lost.
    pub pages_removed: Option<u64>,
    /// Pages that the table has.
    pub pages_remain: Option<u64>,
    /// Pages that were looked at, since 15.
    pub pages_scanned: Option<u64>,
    /// Row versions removed.
    pub tuples_removed: Option<u64>,
    /// Row versions that remain, an estimate.
    pub tuples_remain: Option<u64>,
    /// Dead row versions that somebody may still see.
    pub tuples_dead: Option<u64>,
    /// Row versions frozen, since 16.
    pub tuples_frozen: Option<u64>,
    /// The age of the oldest transaction that could still see them, in transactions, since 15.
    pub cutoff_age: Option<u64>,
    /// Pages found in shared buffers.
    pub buffer_hits: Option<u64>,
    /// Pages that weren't (`misses`, since 17 `reads`).
    pub buffer_reads: Option<u64>,
    /// Pages made dirty.
    pub buffers_dirtied: Option<u64>,
    /// The average rate of reads, in thousandths of a MB/s.
    pub read_rate_kb_s: Option<u64>,
    /// The average rate of writes, in thousandths of a MB/s.
    pub write_rate_kb_s: Option<u64>,
    /// Time to read, in microseconds, since 14 with `track_io_timing`.
    pub read_us: Option<u64>,
    /// Time to write, in microseconds.
    pub write_us: Option<u64>,
    /// Time slept by the cost limit, in microseconds, since 18 with `track_cost_delay_timing`.
    pub delay_us: Option<u64>,
    /// WAL records, since 13.
    pub wal_records: Option<u64>,
    /// Full page images in WAL.
    pub wal_page_images: Option<u64>,
    /// Bytes of WAL.
    pub wal_bytes: Option<u64>,
    /// Time in user mode, in microseconds.
    pub cpu_user_us: Option<u64>,
    /// Time in the kernel, in microseconds.
    pub cpu_system_us: Option<u64>,
    /// The time that it took, in microseconds; the server tells hundredths of a second.
    pub elapsed_us: Option<u64>,
}

impl AutomaticWork<'_> {
    /// Reads the figures.
    #[must_use]
    pub fn figures(&self) -> AutomaticFigures {
        let mut figures = AutomaticFigures::default();
        self.text.split('\n').for_each(|line| figures.add(line.trim_start()));
        figures
    }
}

impl AutomaticFigures {
    fn add(&mut self, line: &str) {
        match line.split_once(": ").map_or("", |(label, _)| label) {
            "pages" => self.add_pages(line),
            "tuples" => self.add_tuples(line),
            "removable cutoff" => self.cutoff_age = count_behind(line, ", which was "),
            "frozen" => self.tuples_frozen = count_before(line, " tuples frozen"),
            "buffer usage" => self.add_buffers(line),
            "avg read rate" => self.add_rates(line),
            "I/O timings" => self.add_timings(line),
            "delay time" => self.delay_us = thousandths_behind(line, "delay time:"),
            "WAL usage" => self.add_wal(line),
            // 12 and 13 tell an analyze's on the first line.
            label if label.ends_with("system usage") => self.add_times(line),
            _ => {}
        }
        if let Some(scans) = count_behind(line, "index scans: ") {
            self.index_scans = Some(scans);
        }
    }

    fn add_pages(&mut self, line: &str) {
        self.pages_removed = count_before(line, " removed");
        self.pages_remain = count_before(line, " remain");
        self.pages_scanned = count_before(line, " scanned");
    }

    fn add_tuples(&mut self, line: &str) {
        self.tuples_removed = count_before(line, " removed");
        self.tuples_remain = count_before(line, " remain");
        self.tuples_dead = count_before(line, " are dead but not yet removable");
    }

    fn add_buffers(&mut self, line: &str) {
        self.buffer_hits = count_before(line, " hits");
        self.buffer_reads = count_before(line, " misses").or_else(|| count_before(line, " reads"));
        self.buffers_dirtied = count_before(line, " dirtied");
    }

    fn add_rates(&mut self, line: &str) {
        self.read_rate_kb_s = thousandths_behind(line, "avg read rate:");
        self.write_rate_kb_s = thousandths_behind(line, "avg write rate:");
    }

    fn add_timings(&mut self, line: &str) {
        self.read_us = thousandths_behind(line, "read:");
        self.write_us = thousandths_behind(line, "write:");
    }

    fn add_wal(&mut self, line: &str) {
        self.wal_records = count_before(line, " records");
        self.wal_page_images = count_before(line, " full page images");
        self.wal_bytes = count_before(line, " bytes");
    }

    fn add_times(&mut self, line: &str) {
        let microseconds = |label| thousandths_behind(line, label)?.checked_mul(1000);
        self.cpu_user_us = microseconds("user:");
        self.cpu_system_us = microseconds("system:");
        self.elapsed_us = microseconds("elapsed:");
    }
}

/// Reads a message that begins with `automatic `.
pub(super) fn told(message: &str) -> Option<AutomaticWork<'_>> {
    let rest = message.strip_prefix("automatic ")?;
    let (head, behind) = rest.split_once(" of table \"")?;
    let (kind, is_against_wraparound) = match head.strip_suffix(" to prevent wraparound") {
        Some(kind) => (kind, true),
        None => (head, false),
    };
    let (work, is_aggressive) = match kind {
        "vacuum" => (Work::Vacuum, false),
        "aggressive vacuum" => (Work::Vacuum, true),
        "analyze" => (Work::Analyze, false),
        _ => return None,
    };
    let (name, text) = behind.split_once('"')?;
    let mut parts = name.splitn(3, '.');
    let (database, schema, table) = (parts.next()?, parts.next()?, parts.next()?);
    let text = text.trim_start_matches(':').trim_start_matches(' ');
    Some(AutomaticWork { work, is_aggressive, is_against_wraparound, database, schema, table, text })
}

/// A table that vacuum or analyze left out, because somebody had its lock or it was gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkippedWork<'a> {
    /// Which.
    pub work: Work,
    /// The table, with its schema where the server tells it.
    pub table: &'a str,
    /// The server's reason, such as `lock not available`.
    pub reason: &'a str,
}

/// Reads a message that begins with `skipping `.
pub(super) fn skipped(message: &str) -> Option<SkippedWork<'_>> {
    let rest = message.strip_prefix("skipping ")?;
    let (work, rest) = match rest.strip_prefix("vacuum of ") {
        Some(rest) => (Work::Vacuum, rest),
        None => (Work::Analyze, rest.strip_prefix("analyze of ")?),
    };
    let table = between(rest, "\"", "\"")?;
    let (_, reason) = rest.split_once(" --- ")?;
    Some(SkippedWork { work, table, reason })
}

#[cfg(test)]
#[path = "automatic_tests.rs"]
mod tests;
