//! Runs go in, and what they come to is read: by one program, by several at once, and after a broken one.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::BTreeSet;
use std::path::Path;

use plimsoll_history::{Claim, History, HistoryError, Judgement, Measured, Run, RunKind, Verdict};

fn run(claims: Vec<Claim>, measured: Vec<Measured>) -> Run {
    Run { at_s: 1, kind: RunKind::Check, plimsoll: "0.1.0".into(), server: "18.4".into(), claims, measured }
}

fn claim(rule: &str, statement: &str, verdict: Verdict) -> Claim {
    Claim {
        file: "0001.sql".into(),
        rule: rule.into(),
        statement: statement.into(),
        relation: Some("public.t".into()),
        verdict,
    }
}

fn measured(comparison: &str, score: f64) -> Measured {
    Measured {
        comparison: comparison.into(),
        query: format!("query {comparison}"),
        fingerprint: "0123456789abcdef".into(),
        score,
        threshold: 1.25,
        alarmed: score >= 1.25,
    }
}

/// What a history of these runs says of rules: `rule confirmed/refuted/missed/untested`.
fn check_outcomes(runs: &[&[Claim]], expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::create(&folder.path().join("h")).unwrap();
    for claims in runs {
        history.append(&run(claims.to_vec(), Vec::new())).unwrap();
    }
    let told = history
        .rule_outcomes()
        .unwrap()
        .into_iter()
        .map(|of| format!("{} {}/{}/{}/{}", of.rule, of.confirmed, of.refuted, of.missed, of.untested));
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[test]
fn a_finding_of_many_runs_counts_once() {
    use Verdict::{Confirmed, Missed, Refuted, Untested};
    let (a, b) = (claim("r", "alter a", Confirmed), claim("r", "alter b", Refuted));
    check_outcomes(&[&[a.clone(), b.clone()], &[a.clone(), b.clone()]], &["r 1/1/0/0"]);
    check_outcomes(&[&[a.clone(), claim("r", "alter a", Refuted)]], &["r 1/0/0/0"]);
    check_outcomes(&[std::slice::from_ref(&b), &[claim("r", "alter b", Confirmed)]], &["r 1/0/0/0"]);
    check_outcomes(&[std::slice::from_ref(&a), &[claim("r", "alter a", Untested)]], &["r 1/0/0/0"]);
    check_outcomes(&[&[claim("r", "alter a", Untested)]], &["r 0/0/0/1"]);
    let missed = claim("s", "alter a", Missed);
    check_outcomes(&[&[missed.clone(), b]], &["r 0/1/0/0", "s 0/0/1/0"]);
    check_outcomes(&[&[missed], &[a]], &["r 1/0/0/0"]);
}

#[test]
fn shares_are_of_what_could_be_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::create(&folder.path().join("h")).unwrap();
    let claims = [
        ("a", Verdict::Confirmed),
        ("b", Verdict::Refuted),
        ("c", Verdict::Missed),
        ("d", Verdict::Untested),
    ];
    let claims = claims.map(|(statement, verdict)| claim("r", statement, verdict));
    history.append(&run([&claims[..], &[claim("r", "e", Verdict::Confirmed)]].concat(), Vec::new())).unwrap();
    let of_rule = &history.rule_outcomes().unwrap()[0];
    assert_eq!((of_rule.precision(), of_rule.recall()), (Some(2.0 / 3.0), Some(2.0 / 3.0)));
}

#[test]
fn a_comparison_of_many_runs_is_one_case_with_one_id() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::create(&folder.path().join("h")).unwrap();
    let first = history.append(&run(Vec::new(), vec![measured("a", 2.0), measured("b", 1.0)])).unwrap();
    let second = history.append(&run(Vec::new(), vec![measured("a", 3.0)])).unwrap();
    assert_eq!((first.ids.len(), &second.ids[..]), (2, &first.ids[..1]));
    let cases = history.alarm_cases().unwrap();
    let of = |id: &str| cases.iter().find(|case| case.id == id).unwrap();
    assert_eq!(cases.len(), 2);
    assert_eq!((of(&first.ids[0]).score, of(&first.ids[0]).alarmed), (3.0, true));
    assert_eq!((of(&first.ids[1]).score, of(&first.ids[1]).alarmed), (1.0, false));
    assert_eq!(history.runs().unwrap(), 2);
}

#[test]
fn the_last_label_counts_and_the_one_before_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::create(&folder.path().join("h")).unwrap();
    let ids = history.append(&run(Vec::new(), vec![measured("a", 2.0), measured("b", 2.0)])).unwrap().ids;
    let begin = [ids[0][..5].to_uppercase()];
    let first = history.label(&begin, Judgement::Confirmed, 5, Some("slow in production")).unwrap();
    assert_eq!((first[0].id.as_str(), first[0].before), (ids[0].as_str(), None));
    let second = history.label(&ids[..1], Judgement::Dismissed, 6, None).unwrap();
    assert_eq!(second[0].before, Some(Judgement::Confirmed));
    let labels: Vec<_> =
        history.alarm_cases().unwrap().into_iter().map(|case| (case.id, case.label)).collect();
    assert!(labels.contains(&(ids[0].clone(), Some(false))) && labels.contains(&(ids[1].clone(), None)));
}

#[test]
fn an_id_that_means_none_or_several_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::create(&folder.path().join("h")).unwrap();
    let many = (0..40).map(|at| measured(&at.to_string(), 2.0)).collect();
    let ids = history.append(&run(Vec::new(), many)).unwrap().ids;
    let mut wrong = ids[0].clone();
    wrong.replace_range(7.., if wrong.ends_with('z') { "y" } else { "z" });
    let asked = [ids[0].clone(), wrong];
    let unknown = history.label(&asked, Judgement::Confirmed, 1, None).unwrap_err();
    assert!(matches!(&unknown, HistoryError::UnknownId { near, .. } if near[0] == ids[0]), "{unknown}");
    // 40 ids begin with 32 letters.
    let letters: Vec<&str> = ids.iter().map(|id| &id[..1]).collect();
    let twice = letters.iter().find(|one| letters.iter().filter(|other| other == one).count() > 1).unwrap();
    let several = history.label(&[(*twice).to_owned()], Judgement::Confirmed, 1, None).unwrap_err();
    assert!(matches!(several, HistoryError::AmbiguousId { .. }), "{several}");
    assert!(matches!(
        history.label(&[" ".into()], Judgement::Confirmed, 1, None),
        Err(HistoryError::UnknownId { .. })
    ));
    assert!(history.alarm_cases().unwrap().iter().all(|case| case.label.is_none()));
}

#[test]
fn a_run_with_an_odd_score_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::create(&folder.path().join("h")).unwrap();
    let odd = run(vec![claim("r", "a", Verdict::Confirmed)], vec![measured("a", f64::NAN)]);
    assert!(matches!(history.append(&odd), Err(HistoryError::Score { .. })));
    assert_eq!((history.runs().unwrap(), history.rule_outcomes().unwrap()), (0, Vec::new()));
}

fn append_some(path: &Path, writer: usize) -> Vec<String> {
    let one = |at: usize| {
        let of_run = vec![measured("shared", 2.0), measured(&format!("{writer} {at}"), 1.0)];
        History::create(path).unwrap().append(&run(Vec::new(), of_run)).unwrap().ids
    };
    (0..10).flat_map(one).collect()
}

#[test]
fn writers_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h");
    // Each opens the file anew for each run, the first ones while it isn't there yet.
    let ids: BTreeSet<String> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..6)
            .map(|writer| {
                scope.spawn({
                    let path = &path;
                    move || append_some(path, writer)
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let history = History::open(&path).unwrap();
    assert_eq!((ids.len(), history.runs().unwrap(), history.alarm_cases().unwrap().len()), (61, 60, 61));
}

#[test]
fn a_file_cut_short_is_an_error_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h");
    let claims = (0..200).map(|at| claim("r", &format!("alter {at}"), Verdict::Confirmed)).collect();
    History::create(&path).unwrap().append(&run(claims, Vec::new())).unwrap();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let read = History::open(&path).and_then(|history| history.rule_outcomes());
    assert!(matches!(read, Err(HistoryError::Sqlite { .. })), "{read:?}");
    let written = History::create(&path).and_then(|mut history| history.append(&run(Vec::new(), Vec::new())));
    assert!(written.is_err());
    assert_eq!(std::fs::read(&path).unwrap(), &whole[..whole.len() / 2]);
}
