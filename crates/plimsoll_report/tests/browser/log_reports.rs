//! Reports of logs for a browser to look at: a small one with a text that tries to break out, and one of 5,000 queries.

use plimsoll_core::logs::{
    LogBursts, LogConcurrency, LogEvent, LogFailed, LogFigures, LogLockEdge, LogProblem, LogQuery, LogReport,
    LogStream, LogTrend,
};

/// 2026-11-23T12:00:00Z.
const NOON: i64 = 1_795_435_200;
const HOSTILE: &str = "<script>document.title='hit'</script><img src=x onerror=\"document.title='hit'\">\"onload=1 javascript:1 </script><!-- \u{1b}[31m \u{202e}";

/// An hour in steps of ten seconds, with this many calls of a millisecond each at the steps that are asked for.
fn trend(calls: u64, at: impl Fn(i64) -> bool) -> LogTrend {
    let first = NOON / 10;
    let steps = (0..360).filter(|step| at(*step)).map(|step| (first + step, calls, calls as f64));
    LogTrend { step_s: 10, steps: steps.collect() }
}

pub(super) fn query(number: u64, text: &str, application: &str, calls: u64, trend: LogTrend) -> LogQuery {
    let total_ms = calls as f64 * 1.5;
    LogQuery {
        fingerprint: format!("{number:016x}"),
        query: text.to_owned(),
        share: 0.25,
        figures: LogFigures {
            calls,
            timed: calls,
            total_ms,
            mean_ms: 1.5,
            max_ms: 4.0,
            ..LogFigures::default()
        },
        applications: vec![application.to_owned()],
        streams: vec![LogStream {
            application: application.to_owned(),
            calls,
            total_ms,
            ..LogStream::default()
        }],
        trend,
        ..LogQuery::default()
    }
}

fn report(queries: Vec<LogQuery>) -> LogReport {
    let event = |name: &str, trend| LogEvent { name: name.to_owned(), count: 3, trend };
    LogReport {
        first: Some("2026-11-23T12:00:00Z".to_owned()),
        last: Some("2026-11-23T13:00:00Z".to_owned()),
        lasted_s: 3600.0,
        activity: trend(20, |_| true),
        concurrency: LogConcurrency {
            step_s: 10,
            steps: vec![(NOON / 10, 3, 0.0), (NOON / 10 + 200, 7, 0.0)],
            ..LogConcurrency::default()
        },
        events: vec![
            event("deadlock", trend(1, |step| step == 300)),
            event("lock wait", trend(1, |step| step > 290)),
        ],
        queries,
        ..LogReport::default()
    }
}

/// Seven queries, one of which runs in the last ten minutes alone.
pub(super) fn small() -> LogReport {
    let late = query(2, "delete from tokens where id = $1", "worker", 9, trend(5, |step| step >= 300));
    let mut queries = vec![
        query(
            1,
            "select a, b from t join u on t.id = u.id where a in (select x from y) and b in (select 1 from z where m between $1 and $2)",
            "web",
            100,
            trend(1, |step| step < 100),
        ),
        late,
        query(3, HOSTILE, HOSTILE, 20, trend(1, |step| step == 5)),
    ];
    for number in 4..8 {
        queries.push(query(
            number,
            &format!("select {number} from numbers"),
            "web",
            1000 + number,
            trend(1, |step| step == 7),
        ));
    }
    LogReport {
        bursts: vec![LogBursts {
            kind: "n-plus-one".to_owned(),
            fingerprint: "0000000000000002".to_owned(),
            query: queries[1].query.clone(),
            route: HOSTILE.to_owned(),
            bursts: 3,
            statements: 30,
            trend: trend(10, |step| step % 100 == 50),
            ..LogBursts::default()
        }],
        failed: vec![LogFailed {
            query: queries[1].query.clone(),
            sqlstate: "23505".to_owned(),
            count: 4,
            ..LogFailed::default()
        }],
        lock_edges: vec![LogLockEdge {
            holder: Some(queries[0].query.clone()),
            waiting: Some(queries[1].query.clone()),
            mode: "ShareLock".to_owned(),
            waits: 2,
            waited_ms: 1500.0,
            ..LogLockEdge::default()
        }],
        problems: vec![LogProblem {
            severity: "ERROR".to_owned(),
            message: HOSTILE.to_owned(),
            count: 1,
            trend: trend(1, |step| step == 9),
            ..LogProblem::default()
        }],
        missing: vec![HOSTILE.to_owned()],
        ..report(queries)
    }
}

pub(super) fn large() -> LogReport {
    let queries = (0..5000_u64).map(|number| {
        let text = format!("select column_{number}, other from table_{} where id = $1 and state = $2 order by created_at limit $3", number % 700);
        query(number + 1, &text, ["web", "worker", "cron"][number as usize % 3], (number * 7919) % 5000, {
            let steps = (0..300).map(|step| (NOON / 10 + step, 1 + (number * 31 + step as u64 * 17) % 50, ((number + step as u64) % 97) as f64 * 3.7));
            LogTrend { step_s: 10, steps: steps.collect() }
        })
    });
    report(queries.collect())
}
