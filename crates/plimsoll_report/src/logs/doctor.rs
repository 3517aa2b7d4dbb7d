//! What a server's settings let its log tell, and the lines to add: at a terminal, as Markdown, as JSON.

use plimsoll_core::logs::{LogDoctor, LogSetting};
use plimsoll_core::units::count;

use super::LogTextFormat;
use crate::json::pretty;
use crate::markdown::escaped;
use crate::neutral::one_line;
use crate::terminal::{Paint, Tone, wrapped};

/// Writes what a doctor found. Ends with a newline.
#[must_use]
pub fn render_log_doctor(doctor: &LogDoctor, format: LogTextFormat) -> String {
    match format {
        LogTextFormat::Terminal(colour, width) => terminal(doctor, Paint(colour), width.max(60)),
        LogTextFormat::Json => pretty(doctor),
        LogTextFormat::Markdown => markdown(doctor),
    }
}

fn head(doctor: &LogDoctor) -> String {
    let version = doctor.major.map_or_else(String::new, |major| format!(", PostgreSQL {major}"));
    let rate = doctor.transactions_per_s.map_or_else(String::new, |rate| match rate {
        rate if rate < 1.0 => ", less than a transaction a second".to_owned(),
        rate => format!(", {} transactions a second", count(rate.round() as u64)),
    });
    format!("{}{version}{rate}", doctor.source)
}

fn after(doctor: &LogDoctor) -> &'static str {
    match doctor.lines.iter().any(|line| line.needs_restart) {
        true => "Then `select pg_reload_conf()`; what is marked needs a restart.",
        false => "Then `select pg_reload_conf()`; new sessions follow it.",
    }
}

fn now(line: &LogSetting) -> String {
    let now = line.now.as_ref().map_or_else(String::new, |now| format!(" (now '{now}')"));
    let restart = if line.needs_restart { " (restart)" } else { "" };
    format!("{now}{restart}")
}

fn terminal(doctor: &LogDoctor, paint: Paint, width: usize) -> String {
    let mut text = format!("{}\n\n", one_line(&head(doctor)));
    for ability in &doctor.reports {
        let (mark, tone) = if ability.is_told { ("yes", Tone::Good) } else { (" no", Tone::Error) };
        text.push_str(&format!(
            "  {}  {} {}\n",
            paint.tone(tone, mark),
            ability.report,
            paint.tone(Tone::Faint, &format!("({})", one_line(&ability.because)))
        ));
    }
    if doctor.lines.is_empty() {
        text.push_str("\nNothing is missing.\n");
    } else {
        text.push_str(&format!("\n{}\n\n", paint.tone(Tone::Strong, "Lines to add to postgresql.conf")));
    }
    for line in &doctor.lines {
        let told = format!("# {}; costs: {}{}", line.gives, line.costs, now(line));
        text.push_str(&format!(
            "  {}\n",
            wrapped(&one_line(&told), width.saturating_sub(4), 2).replace("\n  ", "\n  # ")
        ));
        text.push_str(&format!("  {}\n", paint.tone(Tone::Strong, &one_line(&line.line))));
    }
    if !doctor.lines.is_empty() {
        text.push_str(&format!("\n{}\n", after(doctor)));
    }
    for note in &doctor.notes {
        text.push_str(&format!("\n{}\n", wrapped(&one_line(&format!("Note: {note}.")), width, 2)));
    }
    text
}

fn markdown(doctor: &LogDoctor) -> String {
    let mut text = format!("## What the log can tell\n\n{}\n\n", escaped(&one_line(&head(doctor))));
    text.push_str("| report | told | settings |\n| --- | --- | --- |\n");
    for ability in &doctor.reports {
        let told = if ability.is_told { "yes" } else { "no" };
        text.push_str(&format!(
            "| {} | {told} | {} |\n",
            escaped(&ability.report),
            escaped(&one_line(&ability.because))
        ));
    }
    if !doctor.lines.is_empty() {
        text.push_str(
            "\n### Lines to add to `postgresql.conf`\n\n| line | gives | costs |\n| --- | --- | --- |\n",
        );
        for line in &doctor.lines {
            let shown = escaped(&one_line(&format!("{}{}", line.line, now(line))));
            text.push_str(&format!("| {shown} | {} | {} |\n", escaped(&line.gives), escaped(&line.costs)));
        }
        text.push_str(&format!("\n{}\n", after(doctor)));
    }
    for note in &doctor.notes {
        text.push_str(&format!("\nNote: {}.\n", escaped(&one_line(note))));
    }
    text
}

#[cfg(test)]
mod tests {
    use plimsoll_core::logs::LogAbility;

    use super::*;
    use crate::Colour;

    #[test]
    fn a_doctor_reads_well() {
        let doctor = LogDoctor {
            format_version: 1,
            source: "app@db:5432/shop".into(),
            major: Some(17),
            transactions_per_s: Some(1234.0),
            reports: vec![
                LogAbility {
                    report: "lock waits and who blocked whom".into(),
                    is_told: false,
                    because: "log_lock_waits = off".into(),
                },
                LogAbility {
                    report: "checkpoints".into(),
                    is_told: true,
                    because: "log_checkpoints = on".into(),
                },
            ],
            lines: vec![LogSetting {
                name: "log_lock_waits".into(),
                now: Some("off".into()),
                line: "log_lock_waits = on".into(),
                gives: "waits for locks that last longer than deadlock_timeout, and who was in the way"
                    .into(),
                costs: "nothing but the waits' own lines".into(),
                needs_restart: false,
            }],
            notes: vec!["something else".into()],
        };
        insta::assert_snapshot!(render_log_doctor(&doctor, LogTextFormat::Terminal(Colour::Never, 90)));
        insta::assert_snapshot!(render_log_doctor(&doctor, LogTextFormat::Markdown));
    }
}
