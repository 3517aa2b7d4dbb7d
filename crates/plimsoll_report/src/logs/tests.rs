use plimsoll_core::logs::{
    LogBursts, LogDeadlock, LogDeadlockEdge, LogFailed, LogFigures, LogFolded, LogLockEdge, LogProblem,
    LogQuery, LogRead, LogRequests, LogRhythm, LogSource,
};

use super::*;

pub(super) fn sample() -> LogReport {
    let figures = LogFigures {
        calls: 1200,
        timed: 1200,
        total_ms: 5400.0,
        mean_ms: 4.5,
        p50_ms: 4.0,
        p95_ms: 9.0,
        p99_ms: 12.0,
        max_ms: 80.0,
    };
    let query = |text: &str, share: f64| LogQuery {
        fingerprint: "0123456789abcdef".into(),
        query: text.into(),
        share,
        figures: figures.clone(),
        ..LogQuery::default()
    };
    LogReport {
        format_version: 1,
        sources: vec![LogSource {
            name: "postgresql.log".into(),
            format: "stderr".into(),
            prefixes: vec!["%m [%p] ".into()],
            others: 0,
        }],
        read: LogRead { bytes: 5 << 20, records: 2500, unparsed: 1, ..LogRead::default() },
        first: Some("2026-11-23T12:00:00Z".into()),
        last: Some("2026-11-23T13:00:00Z".into()),
        lasted_s: 3600.0,
        statements: figures.clone(),
        queries: vec![
            LogQuery {
                rhythm: Some(LogRhythm {
                    period_s: 3600.0,
                    phase_s: 305.0,
                    jitter_s: 0.4,
                    cycles: 48,
                    hits: 47,
                    confidence: 0.999_999,
                }),
                ..query("select * from books where id = $1", 0.75)
            },
            query("select \u{1b}[31m<script>alert(1)</script> | `x`", 0.25),
        ],
        bursts: vec![LogBursts {
            kind: "n-plus-one".into(),
            query: "select * from books where id = $1".into(),
            before: Some("select id from authors".into()),
            route: "/books".into(),
            bursts: 3,
            statements: 90,
            most: 40,
            in_database_ms: 45.0,
            between_ms: 12.0,
            ..LogBursts::default()
        }],
        problems: vec![LogProblem {
            severity: "ERROR".into(),
            sqlstate: "42P01".into(),
            message: "relation \"x\" does not exist".into(),
            count: 7,
            ..LogProblem::default()
        }],
        failed: vec![LogFailed {
            query: "select * from x".into(),
            sqlstate: "42P01".into(),
            count: 7,
            ..LogFailed::default()
        }],
        requests: vec![LogRequests {
            route: "/books".into(),
            requests: 30,
            traced: 30,
            mean: 4.5,
            p95: 11,
            most: 41,
        }],
        lock_edges: vec![LogLockEdge {
            waiting: Some("update books set sold = $1".into()),
            mode: "ShareLock".into(),
            object: "transaction".into(),
            holder: Some("alter table books add column x int".into()),
            is_running: true,
            waits: 4,
            waited_ms: 9000.0,
            longest_ms: 5000.0,
        }],
        deadlocks: vec![LogDeadlock {
            count: 2,
            edges: vec![
                LogDeadlockEdge {
                    waiting: Some("update a set x = $1".into()),
                    mode: "ShareLock".into(),
                    object: "transaction".into(),
                    holder: None,
                },
                LogDeadlockEdge {
                    waiting: None,
                    mode: "ShareLock".into(),
                    object: "transaction".into(),
                    holder: None,
                },
            ],
        }],
        folded: Some(LogFolded { queries: 2501, calls: 12, total_ms: 40.0, others: 0 }),
        missing: vec!["statements by applications: log_line_prefix lacks %a".into()],
        ..LogReport::default()
    }
}

#[test]
fn a_log_reads_well_at_a_terminal() {
    insta::assert_snapshot!(render_log(&sample(), LogFormat::Terminal(Colour::Never, 110), 20));
}

#[test]
fn markdown_escapes_what_clients_send() {
    let text = render_log(&sample(), LogFormat::Markdown, 1);
    assert!(text.contains("and 1 more"), "{text}");
    let all = render_log(&sample(), LogFormat::Markdown, 20);
    assert!(!all.contains("<script>") && !all.contains('\u{1b}'), "{all}");
    insta::assert_snapshot!(all);
}

#[test]
fn a_terminal_gets_no_escape_of_a_client() {
    assert!(!render_log(&sample(), LogFormat::Terminal(Colour::Never, 200), 20).contains('\u{1b}'));
}

#[test]
fn json_has_everything() {
    let json: serde_json::Value = serde_json::from_str(&render_log(&sample(), LogFormat::Json, 1)).unwrap();
    assert_eq!(json["queries"].as_array().unwrap().len(), 2);
    assert_eq!(json["queries"][0]["calls"], 1200);
}
