//! Which settings of a server its log lacks for which report, what each costs, and the lines to add.
//!
//! Source: PostgreSQL documentation, chapter 19.8 (reporting and logging), 19.12 (`deadlock_timeout`), appendix F (auto_explain).

mod conf;

use std::collections::BTreeMap;

use plimsoll_core::logs::{LOG_FORMAT_VERSION, LogAbility, LogDoctor, LogSetting};

pub use conf::{ConfError, Directive, directives};

/// Settings that decide what a log tells: these are asked for.
pub const SETTINGS: &[&str] = &[
    "auto_explain.log_min_duration",
    "deadlock_timeout",
    "lc_messages",
    "log_autovacuum_min_duration",
    "log_checkpoints",
    "log_connections",
    "log_destination",
    "log_disconnections",
    "log_duration",
    "log_line_prefix",
    "log_lock_waits",
    "log_min_duration_sample",
    "log_min_duration_statement",
    "log_min_error_statement",
    "log_min_messages",
    "log_parameter_max_length",
    "log_recovery_conflict_waits",
    "log_statement",
    "log_statement_sample_rate",
    "log_temp_files",
    "log_timezone",
    "log_transaction_sample_rate",
    "log_truncate_on_rotation",
    "logging_collector",
    "session_preload_libraries",
    "shared_preload_libraries",
];

/// The prefix that tells all; names that a client chooses come last, so that none swallows another one.
const PREFIX: &str = "%m [%p] %e %q%u@%d %h %a ";
/// On busier servers statements are sampled: so many transactions a second write some gigabytes a day.
const BUSY_PER_S: f64 = 200.0;
/// A statement of the stderr log takes about so many bytes.
const BYTES_A_STATEMENT: f64 = 200.0;

/// What is known of a server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Its name, for a person.
    pub source: String,
    /// Its major version.
    pub major: Option<u32>,
    /// Settings by name; of a server all of [`SETTINGS`] that it has, of a file those that it sets.
    pub settings: BTreeMap<String, String>,
    /// Whether settings that are missing have their defaults: in a file.
    pub is_file: bool,
    /// Transactions a second.
    pub transactions_per_s: Option<f64>,
}

/// Judges the settings of a server.
#[must_use]
pub fn doctor(known: &Known) -> LogDoctor {
    let mut told = Told { known, reports: Vec::new(), lines: Vec::new() };
    told.format();
    told.statements();
    told.who();
    told.connections();
    told.waits();
    told.work();
    told.errors();
    told.plans();
    LogDoctor {
        format_version: LOG_FORMAT_VERSION,
        source: known.source.clone(),
        major: known.major,
        transactions_per_s: known.transactions_per_s,
        notes: notes(known),
        reports: told.reports,
        lines: told.lines,
    }
}

struct Told<'k> {
    known: &'k Known,
    reports: Vec<LogAbility>,
    lines: Vec<LogSetting>,
}

impl Known {
    /// A setting, or its default.
    fn get(&self, name: &str) -> &str {
        let set = self.settings.get(name).map(String::as_str);
        set.unwrap_or_else(|| default(name, self.major))
    }

    fn is_on(&self, name: &str) -> bool {
        matches!(self.get(name).to_ascii_lowercase().as_str(), "on" | "true" | "yes" | "1")
    }

    /// Whether a limit lets anything through: -1 turns it off.
    fn is_limited(&self, name: &str) -> bool {
        !matches!(self.get(name), "-1" | "")
    }

    fn is_since(&self, major: u32) -> bool {
        self.major.is_none_or(|known| known >= major)
    }

    fn has_lines(&self) -> bool {
        let destination = self.get("log_destination");
        destination.contains("stderr") || destination.contains("syslog")
    }

    fn tells_names(&self) -> bool {
        !self.has_lines()
    }
}

/// PostgreSQL's own defaults.
fn default(name: &str, major: Option<u32>) -> &'static str {
    let since = |from: u32, new: &'static str, old: &'static str| {
        if major.is_none_or(|major| major >= from) { new } else { old }
    };
    match name {
        "log_line_prefix" => "%m [%p] ",
        "log_destination" => "stderr",
        "logging_collector" | "log_lock_waits" | "log_duration" | "log_disconnections" => "off",
        "log_recovery_conflict_waits" | "log_truncate_on_rotation" => "off",
        "log_connections" => since(18, "", "off"),
        "log_checkpoints" => since(15, "on", "off"),
        "log_autovacuum_min_duration" => since(15, "10min", "-1"),
        "log_min_duration_statement"
        | "log_min_duration_sample"
        | "log_temp_files"
        | "auto_explain.log_min_duration"
        | "log_parameter_max_length" => "-1",
        "log_statement_sample_rate" => "1",
        "log_transaction_sample_rate" => "0",
        "log_statement" => "none",
        "log_min_error_statement" => "error",
        "log_min_messages" => "warning",
        "deadlock_timeout" => "1s",
        _ => "",
    }
}

impl Told<'_> {
    fn ability(&mut self, report: &str, is_told: bool, settings: &[&str]) {
        let because: Vec<String> =
            settings.iter().map(|name| format!("{name} = {}", shown(self.known.get(name)))).collect();
        self.reports.push(LogAbility { report: report.to_owned(), is_told, because: because.join(", ") });
    }

    fn line(&mut self, name: &str, value: &str, gives: &str, costs: &str) {
        let now = self.known.settings.get(name).cloned();
        let now = now.or_else(|| self.known.is_file.then(|| default(name, self.known.major).to_owned()));
        self.lines.push(LogSetting {
            name: name.to_owned(),
            now,
            line: format!("{name} = {value}"),
            gives: gives.to_owned(),
            costs: costs.to_owned(),
            needs_restart: matches!(name, "logging_collector" | "shared_preload_libraries"),
        });
    }

    fn format(&mut self) {
        if !self.known.is_on("logging_collector") && self.known.get("log_destination").contains("stderr") {
            self.line(
                "logging_collector",
                "on",
                "files of the server's own, which are read by folder; without it whoever started the server has the log (systemd's journal is read as well)",
                "a process of its own; a restart",
            );
        }
        let is_english = ["", "C", "POSIX"].contains(&self.known.get("lc_messages"))
            || self.known.get("lc_messages").starts_with("en")
            || self.known.get("lc_messages").starts_with("C.");
        if !is_english {
            self.line(
                "lc_messages",
                "'C'",
                "messages that can be understood: others are counted by their severity alone",
                "nothing",
            );
        }
    }

    fn statements(&mut self) {
        let known = self.known;
        let all = known.get("log_min_duration_statement") == "0";
        let some = known.is_limited("log_min_duration_statement")
            || known.is_since(13) && known.is_limited("log_min_duration_sample");
        let texts = known.get("log_statement") == "all";
        let settings = ["log_min_duration_statement", "log_min_duration_sample", "log_statement"];
        self.ability(
            "queries, their time and share",
            some || texts && known.is_on("log_duration"),
            &settings,
        );
        self.ability("bursts and N+1, requests by route, rhythms", all || texts, &settings);
        if all || texts && known.is_on("log_duration") {
            return;
        }
        let per_s = known.transactions_per_s.unwrap_or(0.0);
        let is_sampled =
            known.is_limited("log_min_duration_sample") || known.get("log_transaction_sample_rate") != "0";
        if per_s >= BUSY_PER_S && is_sampled && known.is_limited("log_min_duration_statement") {
            return;
        }
        let a_day = |share: f64| megabytes(per_s * 3.0 * BYTES_A_STATEMENT * 86_400.0 * share);
        let gives = "every statement with its duration: queries, bursts, N+1, rhythms";
        if per_s < BUSY_PER_S {
            let cost = match known.transactions_per_s {
                Some(_) => format!("about {} a day at three statements a transaction", a_day(1.0)),
                None => "about 200 bytes a statement".to_owned(),
            };
            self.line("log_min_duration_statement", "0", gives, &cost);
        } else {
            let sampled = format!(
                "about {} a day at three statements a transaction; all of them would write {}",
                a_day(0.01),
                a_day(1.0)
            );
            self.line("log_min_duration_statement", "'1s'", "every slow statement", "little");
            if known.is_since(13) {
                let gives = "one of 100 of the others; bursts and N+1 need all of them, for a while";
                self.line("log_min_duration_sample", "0", gives, &sampled);
                self.line("log_statement_sample_rate", "0.01", "as above", "as above");
            } else {
                let gives = "all statements of one of 100 transactions";
                self.line("log_transaction_sample_rate", "0.01", gives, &sampled);
            }
        }
    }

    fn who(&mut self) {
        let known = self.known;
        let prefix = known.get("log_line_prefix").to_owned();
        let has = |letter: char| known.tells_names() || prefix.contains(&format!("%{letter}"));
        for (report, letter) in [
            ("statements by application", 'a'),
            ("statements by role", 'u'),
            ("statements by database", 'd'),
            ("statements by client address", 'h'),
        ] {
            let is_told = has(letter) || letter == 'h' && has('r');
            self.ability(report, is_told, &["log_line_prefix"]);
        }
        let has_time = has('m') || has('n');
        let complete = ['a', 'u', 'd', 'e'].into_iter().all(has) && (has('h') || has('r'));
        if !complete || !has_time || !(has('p') || has('c')) {
            self.line(
                "log_line_prefix",
                &format!("'{PREFIX}'"),
                "moments to the millisecond, sessions, SQLSTATEs, and who: role, database, address, application",
                "about 50 bytes a line",
            );
        }
        if known.is_limited("log_parameter_max_length") && known.get("log_parameter_max_length") == "0" {
            self.line(
                "log_parameter_max_length",
                "128",
                "values of prepared statements, without which a burst's kind can't be told",
                "production's values are in the log; reports hold none",
            );
        }
    }

    fn connections(&mut self) {
        let known = self.known;
        let connections = known.get("log_connections");
        let begins =
            known.is_on("log_connections") || connections == "all" || connections.contains("authorization");
        let ends = known.is_on("log_disconnections");
        let settings = ["log_connections", "log_disconnections"];
        self.ability("connections, sessions at once", begins && ends, &settings);
        let cost = "two or three lines a connection: little behind a pool";
        if !begins {
            self.line("log_connections", "on", "who connects, how often, and who is refused", cost);
        }
        if !ends {
            self.line(
                "log_disconnections",
                "on",
                "how long sessions last, and how many there are at once",
                cost,
            );
        }
    }

    fn waits(&mut self) {
        let waits = self.known.is_on("log_lock_waits");
        self.ability("lock waits and who blocked whom", waits, &["log_lock_waits", "deadlock_timeout"]);
        if !waits {
            self.line(
                "log_lock_waits",
                "on",
                "waits for locks that last longer than deadlock_timeout, and who was in the way",
                "nothing but the waits' own lines",
            );
        }
        if self.known.is_since(14) && !self.known.is_on("log_recovery_conflict_waits") {
            self.line(
                "log_recovery_conflict_waits",
                "on",
                "on a standby, replay that waits for its queries",
                "nothing but the waits' own lines",
            );
        }
    }

    fn work(&mut self) {
        let known = self.known;
        let files = known.is_limited("log_temp_files");
        self.ability("temporary files", files, &["log_temp_files"]);
        if !files {
            let costs = "a line a file: give a size such as 10MB where there are many";
            self.line("log_temp_files", "0", "queries that spill to disk, and how much", costs);
        }
        let vacuums = known.is_limited("log_autovacuum_min_duration");
        self.ability("automatic vacuums and analyzes", vacuums, &["log_autovacuum_min_duration"]);
        if known.get("log_autovacuum_min_duration") != "0" {
            let now =
                if vacuums { "all of autovacuum's work, not the longest alone" } else { "autovacuum's work" };
            self.line("log_autovacuum_min_duration", "0", now, "some lines a table and run");
        }
        let checkpoints = known.is_on("log_checkpoints");
        self.ability("checkpoints", checkpoints, &["log_checkpoints"]);
        if !checkpoints {
            self.line(
                "log_checkpoints",
                "on",
                "checkpoints, what caused them and how long they took",
                "two lines each",
            );
        }
    }

    fn errors(&mut self) {
        let level = self.known.get("log_min_error_statement");
        let tells = !matches!(level, "fatal" | "panic");
        self.ability("which query failed", tells, &["log_min_error_statement"]);
        if !tells {
            self.line(
                "log_min_error_statement",
                "error",
                "the statement beside each error",
                "its text, once an error",
            );
        }
        let messages = self.known.get("log_min_messages");
        let hides = matches!(messages, "error" | "log" | "fatal" | "panic");
        self.ability(
            "errors and warnings",
            messages != "fatal" && messages != "panic",
            &["log_min_messages"],
        );
        if hides {
            self.line("log_min_messages", "warning", "warnings as well", "little");
        }
    }

    fn plans(&mut self) {
        let known = self.known;
        let libraries = |name: &str| known.get(name).contains("auto_explain");
        let is_loaded = libraries("shared_preload_libraries") || libraries("session_preload_libraries");
        let tells = is_loaded && known.is_limited("auto_explain.log_min_duration");
        let settings =
            ["session_preload_libraries", "shared_preload_libraries", "auto_explain.log_min_duration"];
        self.ability("plans of slow queries", tells, &settings);
        if !is_loaded {
            let others = known.get("session_preload_libraries");
            let all =
                if others.is_empty() { "auto_explain".to_owned() } else { format!("{others}, auto_explain") };
            let costs = "a library in each new session; no restart";
            self.line("session_preload_libraries", &format!("'{all}'"), "plans of slow queries", costs);
        }
        if !tells {
            let costs = "little: without log_analyze no statement is timed node by node";
            self.line("auto_explain.log_min_duration", "'1s'", "the plan of what takes longer", costs);
            self.line("auto_explain.log_format", "'json'", "plans that any tool reads", "some more bytes");
        }
    }
}

fn shown(value: &str) -> String {
    if value.is_empty() || value.contains([' ', ',', '%']) { format!("'{value}'") } else { value.to_owned() }
}

fn megabytes(bytes: f64) -> String {
    match bytes {
        _ if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        _ => format!("{:.0} MB", (bytes / 1e6).max(1.0)),
    }
}

fn notes(known: &Known) -> Vec<String> {
    let mut notes = Vec::new();
    if known.is_since(15) && !known.get("log_destination").contains("json") {
        notes.push(
            "log_destination = 'jsonlog' (since 15) can't be forged through application_name and needs no log_line_prefix"
                .to_owned(),
        );
    }
    let zone = known.get("log_timezone");
    if !zone.is_empty() && !["UTC", "GMT", "Etc/UTC"].contains(&zone) {
        notes.push(format!(
            "log_timezone is {zone}: an hour comes twice when clocks are put back; log_timezone = 'UTC' has none"
        ));
    }
    if known.is_on("log_truncate_on_rotation") {
        notes.push(
            "log_truncate_on_rotation is on: a file is overwritten when its name comes again; read it before, or keep summaries (--save)"
                .to_owned(),
        );
    }
    if known.get("log_statement") == "all" && known.get("log_min_duration_statement") == "0" {
        notes.push(
            "log_statement = all writes each statement twice beside log_min_duration_statement = 0"
                .to_owned(),
        );
    }
    notes.push(
        "routes and traces come from sqlcommenter tags in the statements (route, or controller and action; traceparent)"
            .to_owned(),
    );
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(settings: &[(&str, &str)]) -> Known {
        let settings =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Known { major: Some(17), settings, is_file: true, ..Known::default() }
    }

    fn lines(known: &Known) -> Vec<String> {
        doctor(known).lines.into_iter().map(|line| line.line).collect()
    }

    #[test]
    fn an_untouched_server_lacks_most() {
        let told = doctor(&known(&[]));
        let is_told = |report: &str| told.reports.iter().find(|one| one.report == report).unwrap().is_told;
        assert!(!is_told("queries, their time and share") && !is_told("statements by application"));
        assert!(is_told("checkpoints") && is_told("which query failed"));
        let lines = lines(&known(&[]));
        for line in [
            "logging_collector = on",
            "log_min_duration_statement = 0",
            "log_line_prefix = '%m [%p] %e %q%u@%d %h %a '",
            "log_lock_waits = on",
            "session_preload_libraries = 'auto_explain'",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line}: {lines:?}");
        }
    }

    #[test]
    fn what_it_advises_leaves_nothing_to_advise() {
        let told = doctor(&known(&[]));
        let settings: Vec<(String, String)> = told
            .lines
            .iter()
            .map(|line| line.line.split_once(" = ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
            .collect();
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let again = doctor(&known(&settings));
        assert_eq!(again.lines, []);
        assert!(again.reports.iter().all(|report| report.is_told), "{:?}", again.reports);
    }

    #[test]
    fn busy_servers_sample() {
        let busy = Known { transactions_per_s: Some(5000.0), ..known(&[]) };
        let lines = lines(&busy);
        assert!(lines.contains(&"log_statement_sample_rate = 0.01".to_owned()), "{lines:?}");
        assert!(!lines.contains(&"log_min_duration_statement = 0".to_owned()));
        let sampled = [("log_min_duration_statement", "1s"), ("log_min_duration_sample", "0")];
        let sampled = Known { transactions_per_s: Some(5000.0), ..known(&sampled) };
        assert!(!doctor(&sampled).lines.iter().any(|line| line.name.starts_with("log_min_duration")));
        let old = Known { major: Some(12), ..busy };
        assert!(doctor(&old).lines.iter().any(|line| line.name == "log_transaction_sample_rate"));
    }

    #[test]
    fn jsonlog_needs_no_prefix() {
        let lines = lines(&known(&[("log_destination", "jsonlog"), ("logging_collector", "on")]));
        assert!(!lines.iter().any(|line| line.starts_with("log_line_prefix")), "{lines:?}");
    }
}
