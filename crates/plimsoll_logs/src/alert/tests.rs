//! Alerts of logs' lines.

use super::*;
use crate::format::Format;
use crate::prefix::Prefix;

fn live(asked: &[&str], baseline: Option<Baseline>) -> Live {
    let asked: Vec<(Kind, u64)> = asked.iter().map(|one| parse(one).unwrap()).collect();
    Live::new(Wanted::new(&asked, baseline.is_some()), baseline, 60_000_000, 3_600_000_000)
}

fn format() -> Format {
    Format::Stderr(Prefix::new("%m [%p] %q%u@%d %a ").unwrap())
}

fn line(second: u32, text: &str) -> String {
    format!("2026-11-23 12:{:02}:{:02}.000 UTC [7] ann@shop web {text}\n", second / 60, second % 60)
}

fn told(live: &mut Live, log: &str) -> Vec<(&'static str, u64)> {
    live.take(&mut format(), log.as_bytes());
    live.silent(i64::MAX);
    live.alerts().iter().map(|alert| (alert.kind, alert.suppressed)).collect()
}

fn slow(second: u32) -> String {
    line(second, "LOG:  duration: 6000.000 ms  statement: select a from t where a = 'secret\u{1b}[31m'")
}

#[test]
fn a_slow_statement_is_told_once_and_without_its_values() {
    let mut live = live(&[], None);
    live.take(&mut format(), slow(0).as_bytes());
    let alert = live.alerts().pop().unwrap();
    assert_eq!(
        (alert.kind, alert.database.as_str(), alert.application.as_str()),
        ("slow-statement", "shop", "web")
    );
    assert_eq!(
        alert.line(),
        "2026-11-23T12:00:00Z slow-statement: a statement took 6.00 s: select a from t where a = $1"
    );
    assert!(told(&mut live, &(slow(5) + &slow(7))).is_empty());
    let later = slow(7).replace(" 12:", " 14:");
    assert_eq!(told(&mut live, &later), [("slow-statement", 2)]);
}

#[test]
fn failures_count_within_a_minute() {
    let failed = |from: u32, every: u32| -> String {
        (0..20).map(|number| line(from + number * every, "ERROR:  relation \"x\" does not exist")).collect()
    };
    assert_eq!(told(&mut live(&[], None), &failed(0, 4)), []);
    assert_eq!(told(&mut live(&[], None), &failed(0, 3)), [("failed-statements", 0)]);
}

#[test]
fn a_loop_of_lookups_is_told_with_the_query_before() {
    let lookups = |count: usize| -> String {
        let all = line(0, "LOG:  duration: 1.000 ms  statement: select id from users");
        (0..count).fold(all, |log, number| {
            log + &line(
                0,
                &format!(
                    "LOG:  duration: 0.100 ms  statement: select * from orders where user_id = {number}"
                ),
            )
        })
    };
    assert_eq!(told(&mut live(&[], None), &lookups(19)), []);
    let mut watched = live(&[], None);
    watched.take(&mut format(), lookups(30).as_bytes());
    watched.silent(i64::MAX);
    let alert = watched.alerts().pop().unwrap();
    assert_eq!(
        alert.text,
        "30 statements in a row, one for each row: select * from orders where user_id = $1, after select id from users"
    );
}

#[test]
fn what_the_baseline_lacks_is_new() {
    let usual =
        line(0, "LOG:  duration: 20.000 ms  statement: select 1 from t") + &line(1, "ERROR:  out of bounds");
    let mut before = live(&[], None);
    before.take(&mut format(), usual.as_bytes());
    let baseline = || {
        Some(Baseline::new(&{
            let mut before = live(&[], None);
            before.take(&mut format(), usual.as_bytes());
            before.summary()
        }))
    };
    assert_eq!(told(&mut live(&[], baseline()), &usual), []);
    let new = line(0, "LOG:  duration: 1.000 ms  statement: select 1 from other") + &line(1, "ERROR:  other");
    assert_eq!(told(&mut live(&[], baseline()), &new), [("new-query", 0), ("new-error", 0)]);
    let slower = line(0, "LOG:  duration: 90.000 ms  statement: select 1 from t").repeat(25);
    assert_eq!(told(&mut live(&[], baseline()), &slower), [("slower-query", 0)]);
    drop(before);
}

#[test]
fn what_was_watched_is_summed_up_as_by_a_scan() {
    let log = slow(0) + &line(1, "ERROR:  x") + &slow(2);
    let mut scan = crate::Scan::new(1);
    scan.read(&format(), log.as_bytes()).unwrap();
    let mut live = live(&[], None);
    live.take(&mut format(), log.as_bytes());
    assert_eq!(live.summary(), scan.summary());
    assert_eq!(live.summary(), crate::Summary::default());
}

#[test]
fn deadlocks_and_waits_of_a_stderr_log_name_their_queries() {
    let log = line(
        0,
        "ERROR:  deadlock detected\n\
         2026-11-23 12:00:00.000 UTC [7] ann@shop web DETAIL:  Process 7 waits for ShareLock on transaction 5; blocked by process 8.\n\
         \tProcess 8 waits for ShareLock on transaction 4; blocked by process 7.\n\
         \tProcess 7: update a set b = 1\n\
         \tProcess 8: update c set d = 2",
    ) + &line(
        1,
        "LOG:  process 7 still waiting for AccessShareLock on relation 16384 of database 5 after 1000.135 ms at character 15\n\
         2026-11-23 12:00:01.000 UTC [7] ann@shop web STATEMENT:  select a from u",
    );
    let mut live = live(&[], None);
    live.take(&mut format(), log.as_bytes());
    let texts: Vec<String> = live.alerts().into_iter().map(|alert| alert.text).collect();
    assert_eq!(
        texts,
        [
            "deadlock of update a set b = $1 and update c set d = $1",
            "a session has waited 1.00 s for AccessShareLock on relation 16384 of database 5: select a from u"
        ]
    );
}
