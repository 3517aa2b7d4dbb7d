//! Sentences about who waits for a change's locks: predicted, measured, and at production's sizes.
//!
//! Deliberately absent: markup and escaping; names of statements and messages may be hostile.

use plimsoll_core::blocked::{BlockedReport, LockQueue, Queued};
use plimsoll_core::load::{LoadRun, LoadedStatement, Phase};
use plimsoll_core::scale::{Interval, PAGE, ScaleReport, ScaledHold, ScaledRelation, ScaledStatement};
use plimsoll_core::units::{bytes, count, duration_ms, plural};
use plimsoll_core::{Rehearsal, StatementRecord};

/// `60/s`, `1.5/min`.
pub(crate) fn rate(per_second: f64) -> String {
    let short = |value: f64| {
        let text = format!("{value:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if per_second >= 0.1 {
        format!("{}/s", short(per_second))
    } else {
        format!("{}/min", short(per_second * 60.0))
    }
}

/// `49 requests`; what is below half a request is still a chance.
pub(crate) fn requests(expected: f64) -> String {
    match expected {
        _ if expected < 0.5 => format!("{expected:.2} requests"),
        _ if expected < 1.5 => "1 request".to_owned(),
        _ => format!("{} requests", count(expected.round() as u64)),
    }
}

/// `52.0 s to 1 min 15 s`.
pub(crate) fn interval(interval: Interval) -> String {
    let [least, most] = interval.map(duration_ms);
    if least == most { least } else { format!("{least} to {most}") }
}

/// `migrations/2.sql:7`.
pub(crate) fn place(rehearsal: &Rehearsal, statement: usize) -> String {
    let place = |record: &StatementRecord| format!("{}:{}", record.file, record.line);
    rehearsal.statements.get(statement).map_or_else(String::new, place)
}

/// `AccessExclusiveLock on public.ships, held for 812 ms`.
pub(crate) fn lock(rehearsal: &Rehearsal, queue: &LockQueue) -> String {
    let held = match rehearsal.seeded {
        true => format!(", held for {}", duration_ms(queue.held_ms)),
        false => String::new(),
    };
    format!("{} on {}{held}", queue.mode.pg_locks(), queue.relation)
}

/// `49 requests wait, 406 ms in the mean, 812 ms at most`; without rows only that it waits.
pub(crate) fn wait(rehearsal: &Rehearsal, queued: &Queued) -> String {
    if !rehearsal.seeded {
        return "waits".to_owned();
    }
    format!(
        "{}, {} in the mean, {} at most",
        requests_wait(queued.requests),
        duration_ms(queued.mean_wait_ms),
        duration_ms(queued.longest_wait_ms)
    )
}

/// `1 request waits`, `49 requests wait`.
fn requests_wait(number: f64) -> String {
    let verb = if number.round() == 1.0 && number >= 0.5 { "waits" } else { "wait" };
    format!("{} {verb}", requests(number))
}

/// The answer of the prediction in a sentence.
pub(crate) fn prediction(rehearsal: &Rehearsal, report: &BlockedReport) -> String {
    let of = report.workload.len();
    let all =
        if of == 1 { "the one statement".to_owned() } else { format!("{} statements", count(of as u64)) };
    let verb = if report.statements.len() == 1 { "waits" } else { "wait" };
    match report.statements.len() {
        0 => format!("Nobody waits: no lock of the change conflicts with what {all} of the workload take."),
        waiting if rehearsal.seeded => format!(
            "Of {all} of the workload {} {verb}; at most {} at once.",
            count(waiting as u64),
            requests_wait(report.most_waiting)
        ),
        waiting => format!(
            "Of {all} of the workload {} {verb}. For how long can’t be said: no rows were loaded.",
            count(waiting as u64)
        ),
    }
}

/// Under which conditions a load ran.
pub(crate) fn conditions(run: &LoadRun) -> String {
    let timeout = run.lock_timeout_ms.map(duration_ms);
    match (run.long_transaction_ms.map(duration_ms), timeout) {
        (None, None) => "as it is".to_owned(),
        (None, Some(timeout)) => format!("with lock_timeout = {timeout}"),
        (Some(long), None) => format!("behind a transaction of {long}, as it is"),
        (Some(long), Some(timeout)) => {
            format!("behind a transaction of {long}, with lock_timeout = {timeout}")
        }
    }
}

/// How the change fared, in a sentence.
pub(crate) fn change(run: &LoadRun) -> String {
    let took = duration_ms(run.change.ended_ms - run.change.started_ms);
    let stall = duration_ms(run.longest_stall_ms);
    let stall = format!("The longest stall of a statement was {stall}.");
    match &run.change.error {
        None => format!("The change took {took}, from its first statement to its last. {stall}"),
        Some(error) => format!(
            "The change failed after {took} at {}:{}: {} ({}). {stall}",
            error.file, error.line, error.message, error.sqlstate
        ),
    }
}

/// `At most 12 of 20 connections were taken.`
pub(crate) fn connections(run: &LoadRun) -> String {
    let (most, all) = (run.most_outstanding, run.connections);
    match most {
        _ if most > all => format!(
            "At most {} were due at once, more than the {}: those over waited for one, whatever they lock.",
            plural(most, "request"),
            plural(all, "connection")
        ),
        _ => format!("At most {} of {} were taken.", count(most as u64), plural(all, "connection")),
    }
}

/// `p50 0.42 ms, p99 1.20 ms, max 3.10 ms`; failures by SQLSTATE behind it.
pub(crate) fn latencies(phase: &Phase) -> String {
    let (Some(p50), Some(p99), Some(max)) = (phase.p50_ms, phase.p99_ms, phase.max_ms) else {
        return "no request".to_owned();
    };
    let failed = failures(phase).map_or_else(String::new, |failed| format!("; {failed}"));
    format!("p50 {}, p99 {}, max {}{failed}", duration_ms(p50), duration_ms(p99), duration_ms(max))
}

/// `3 failed (40P01: 2, 57014: 1)`; none if none did.
pub(crate) fn failures(phase: &Phase) -> Option<String> {
    let kinds: Vec<String> =
        phase.failures.iter().map(|(sqlstate, number)| format!("{sqlstate}: {}", count(*number))).collect();
    (!kinds.is_empty()).then(|| format!("{} failed ({})", count(phase.failed()), kinds.join(", ")))
}

/// `40P01: deadlock detected`, a phrase each SQLSTATE.
pub(crate) fn messages(statement: &LoadedStatement) -> Vec<String> {
    statement.messages.iter().map(|(sqlstate, message)| format!("{sqlstate}: {message}")).collect()
}

/// What was predicted of a statement and what was measured, side by side.
pub(crate) fn side_by_side(statement: &LoadedStatement) -> (String, String) {
    let predicted = statement.predicted.as_ref().map_or_else(
        || "no wait".to_owned(),
        |queued| format!("{}, up to {}", requests(queued.requests), duration_ms(queued.longest_wait_ms)),
    );
    let measured = match (statement.waited, statement.during.max_ms) {
        (0, _) | (_, None) => "no wait".to_owned(),
        (waited, Some(longest)) => format!("{}, up to {}", requests(waited as f64), duration_ms(longest)),
    };
    (predicted, measured)
}

/// `of 60/s wanted 59.5/s achieved` where the machine fell short.
pub(crate) fn shortfall(statement: &LoadedStatement) -> Option<String> {
    (!statement.achieved).then(|| {
        format!("{} wanted, {} achieved", rate(statement.wanted_per_s), rate(statement.achieved_per_s))
    })
}

/// `public.ships: 1,000 pages (7.81 MB) and 100,000 rows here, … there`.
pub(crate) fn relation(relation: &ScaledRelation) -> String {
    let size = |size: plimsoll_core::scale::Size| {
        format!("{} and {} rows", bytes(size.pages * PAGE), count(size.rows))
    };
    let there = relation.there.map_or_else(
        || "not known in production".to_owned(),
        |there| format!("{} in production", size(there)),
    );
    format!("{}: {} here, {there}", relation.relation, size(relation.here))
}

/// `110 ms to 130 ms here, of which 8.00 ms to 10.0 ms fixed; × 50 to 100: 5.01 s to 12.2 s`.
pub(crate) fn statement(statement: &ScaledStatement) -> String {
    let here =
        format!("{} here, of which {} fixed", interval(statement.here_ms), interval(statement.fixed_ms));
    match (statement.there_ms, statement.ratio, &statement.why_not) {
        (Some(there), Some([least, most]), _) => {
            format!("{here}; × {}: {} in production", factors(least, most), interval(there))
        }
        (_, _, Some(why)) => format!("{here}; {why}"),
        _ => here,
    }
}

/// `5.01 s to 12.2 s in production`, or why not.
pub(crate) fn hold(hold: &ScaledHold) -> String {
    let there = match (hold.there_ms, &hold.why_not) {
        (Some(there), _) => format!("{} in production", interval(there)),
        (None, Some(why)) => format!("can’t be told for production: {why}"),
        (None, None) => "can’t be told for production".to_owned(),
    };
    format!(
        "{} on {}: held for {} here, {there}",
        hold.mode.pg_locks(),
        hold.relation,
        duration_ms(hold.here_ms)
    )
}

/// Requests that wait in production, a sentence each.
pub(crate) fn scaled_queues(report: &ScaleReport) -> Vec<String> {
    let sentence = |queue: &plimsoll_core::scale::ScaledQueue| {
        let wait = interval(queue.longest_wait_ms);
        let [least, most] = queue.requests;
        let expected = match (requests(least), requests(most)) {
            (less, more) if less == more => more,
            (_, more) => format!("{} to {more}", requests(least).trim_end_matches(|c| "requst ".contains(c))),
        };
        format!("{}: {expected} wait in production, at most {wait}", queue.name)
    };
    report.queued.iter().map(sentence).collect()
}

fn factors(least: f64, most: f64) -> String {
    let short = |value: f64| match value {
        _ if value < 0.995 => format!("{value:.2}"),
        _ if value < 9.95 => format!("{value:.1}"),
        _ => count(value.round() as u64),
    };
    let (least, most) = (short(least), short(most));
    if least == most { least } else { format!("{least} to {most}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_requests_are_short() {
        assert_eq!([60.0, 0.5, 1.0 / 60.0].map(rate), ["60/s", "0.5/s", "1/min"]);
        assert_eq!(
            [0.05, 0.7, 49.4, 1234.5].map(requests),
            ["0.05 requests", "1 request", "49 requests", "1,235 requests"]
        );
    }

    #[test]
    fn factors_below_one_are_told_apart() {
        assert_eq!(
            [[0.02, 0.047], [1.0, 9.96], [20.0, 20.4]].map(|[a, b]| factors(a, b)),
            ["0.02 to 0.05", "1.0 to 10", "20"]
        );
    }

    #[test]
    fn an_interval_without_width_is_a_value() {
        assert_eq!(interval([1.0, 1.0]), "1.00 ms");
        assert_eq!(interval([52_000.0, 130_000.0]), "52.0 s to 2 min 10 s");
    }
}
