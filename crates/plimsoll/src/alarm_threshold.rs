//! From which growth on a query is told as worse, and why from there: as typed, as configured, as the history proposes for the
//! precision that is asked for, or as usual.

use std::path::Path;

use plimsoll_core::Thresholds;
use plimsoll_core::units::{count, plural};
use plimsoll_history::{History, HistoryError, Proposal, proposal};

use crate::settings::Settings;

/// Ratios that the history's threshold stands for.
const RATIOS: [&str; 2] = ["buffers_ratio", "rows_ratio"];

/// Sets the threshold, and says in notes which it is and why; nothing where nobody asks for one.
pub(crate) fn choose(settings: &mut Settings, typed: Option<f64>) -> Vec<String> {
    if let Some(ratio) = typed {
        settings.regress.set_typed_ratio(ratio);
        return vec![format!("A query is worse from ×{ratio} on, as --alarm-from says.")];
    }
    let Some(target) = settings.alarm_precision else { return Vec::new() };
    let Some(path) = &settings.history else {
        return vec![format!("{} [alarms] precision asks for [history] path.", as_usual())];
    };
    if let Some(note) = configured(settings) {
        return vec![note];
    }
    match proposed(path, target) {
        Ok(Proposal::Threshold { threshold, judged, alarms, precision, interval }) => {
            settings.regress.set_usual_ratio(threshold);
            vec![format!(
                "A query is worse from ×{threshold:.2} on, as the history proposes: of {} that grew so far, {} % were confirmed (95 % \
                 interval {} to {} %), and [alarms] precision asks for {} %. {}{EXCEPTIONS}",
                plural(usize_of(alarms), "judged query"),
                per_cent(precision),
                per_cent(interval.0),
                per_cent(interval.1),
                per_cent(target),
                judged_in_all(judged),
            )]
        }
        Ok(Proposal::TooFew { judged, more_needed }) => vec![format!(
            "{} {} So that the history can propose a threshold for [alarms] precision = {target}, {} at least have to be \
             confirmed, and none dismissed.{EXCEPTIONS}",
            as_usual(),
            judged_in_all(judged),
            plural(usize_of(more_needed), "further alarm"),
        )],
        Err(why) => vec![format!("{} The history can't be asked: failed to {why}.", as_usual())],
    }
}

/// What is more exact than a threshold for all queries.
const EXCEPTIONS: &str = " What [regress] or a comment over a query sets, stays.";

fn judged_in_all(judged: u64) -> String {
    match judged {
        0 => "Nobody has judged a query yet.".to_owned(),
        1 => "1 query was judged in all.".to_owned(),
        judged => format!("{} queries were judged in all.", count(judged)),
    }
}

fn as_usual() -> String {
    format!("A query is worse from ×{} on, as usual.", Thresholds::default().buffers_ratio)
}

/// Where the configuration sets both ratios for all queries, the history isn't asked.
fn configured(settings: &Settings) -> Option<String> {
    let is_set = RATIOS.iter().all(|key| settings.regress.is_set(key));
    is_set.then(|| {
        "A query is worse from the growth on that [regress] sets; the history isn't asked, since the configuration wins."
            .to_owned()
    })
}

/// What the history proposes; a history that isn't there yet has nothing judged.
fn proposed(path: &Path, target: f64) -> Result<Proposal, HistoryError> {
    match History::open(path).and_then(|history| history.alarm_cases()) {
        Ok(cases) => Ok(proposal(&cases, target)),
        Err(HistoryError::Missing { .. }) => Ok(proposal(&[], target)),
        Err(error) => Err(error),
    }
}

/// A share in per cent, with one digit behind the point where there is one.
fn per_cent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

fn usize_of(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
