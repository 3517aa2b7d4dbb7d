//! `plimsoll confirm` and `plimsoll dismiss`: what a person says of an alarm.

use std::path::Path;

use plimsoll_history::{AlarmCase, History, HistoryError, Judged, Judgement};

use crate::args::LabelArguments;
use crate::commands::trunk::now;
use crate::exit::{CLEAN, Failure};
use crate::output::print;
use crate::settings::Settings;

pub(crate) fn run(
    arguments: &LabelArguments,
    judgement: Judgement,
    config: Option<&Path>,
) -> Result<u8, Failure> {
    let settings = Settings::load(config, None)?;
    let Some(path) = &settings.history else {
        return Err(Failure::input(
            "find the history: none is kept; name its file by [history] path in plimsoll.toml, and let `plimsoll check` append to it",
        ));
    };
    let mut history = History::open(path).map_err(failure)?;
    let text = if arguments.ids.is_empty() {
        listed(&history.alarm_cases().map_err(failure)?)
    } else {
        let note = arguments.note.as_deref();
        let judged = history.label(&arguments.ids, judgement, now().0, note).map_err(failure)?;
        judged.iter().map(|judged| told(judged, judgement)).collect()
    };
    print(&text)?;
    Ok(CLEAN)
}

fn failure(error: HistoryError) -> Failure {
    match error.is_input() {
        true => Failure::input(error),
        false => Failure::environment(error),
    }
}

fn told(judged: &Judged, judgement: Judgement) -> String {
    let Judged { id, query, before } = judged;
    let before = match before {
        None => String::new(),
        Some(before) if *before == judgement => format!("; it was {} already", before.word()),
        Some(before) => format!("; it was {} before, and the last word counts", before.word()),
    };
    format!("{id} (query {query}) is {}{before}\n", judgement.word())
}

/// A line each, what waits for a judgement first.
fn listed(cases: &[AlarmCase]) -> String {
    if cases.is_empty() {
        return "The history has no measured query yet.\n".to_owned();
    }
    let mut cases: Vec<&AlarmCase> = cases.iter().collect();
    let rank = |case: &AlarmCase| (case.label.is_some(), !case.alarmed);
    cases.sort_by(|one, other| rank(one).cmp(&rank(other)).then(other.score.total_cmp(&one.score)));
    let line = |case: &AlarmCase| {
        let judged = match case.label {
            Some(true) => "confirmed",
            Some(false) => "dismissed",
            None => "not judged",
        };
        let told = if case.alarmed { "alarm" } else { "no alarm" };
        format!("{:<10}  {told:<8}  ×{:<8.2}  {judged:<10}  {}\n", case.id, case.score, case.query)
    };
    cases.into_iter().map(line).collect()
}
