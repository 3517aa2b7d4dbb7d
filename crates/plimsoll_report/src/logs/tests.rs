use plimsoll_core::logs::{LogBursts, LogFigures, LogProblem, LogQuery, LogRead, LogSource};

use super::*;

fn sample() -> LogReport {
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
            query("select * from books where id = $1", 0.75),
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
        }],
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
