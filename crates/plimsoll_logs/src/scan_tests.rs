//! However a log is split over readers and files, its summary is the same.

use std::fmt::Write as _;

use crate::format::Format;
use crate::prefix::Prefix;
use crate::psum::encode;
use crate::scan::Scan;
use crate::summary::Summary;

const PREFIX: &str = "%m [%p] %q%u@%d %a ";

fn summary(log: &str, readers: usize) -> Summary {
    let format = Format::Stderr(Prefix::new(PREFIX).unwrap());
    let mut scan = Scan::new(readers);
    scan.read(&format, log.as_bytes()).unwrap();
    scan.summary()
}

/// Records of a few sessions, one second apart, so that no burst crosses a split.
fn log(picks: &[(u8, u16)]) -> Vec<String> {
    (0..)
        .zip(picks)
        .map(|(second, (kind, value))| {
            let at = format!("2026-11-23 {:02}:{:02}:{:02}.{:03} UTC", second / 3600 % 24, second / 60 % 60, second % 60, value % 1000);
            let session = format!("{at} [{}] ann@shop web ", value % 5 + 1);
            match kind % 7 {
                0 => format!("{session}LOG:  duration: {}.5 ms  statement: SELECT * FROM t WHERE id = {value}\n", value % 100),
                1 => format!("{session}LOG:  duration: 0.1 ms  execute x: SELECT a FROM t{} WHERE b = $1\n{session}DETAIL:  Parameters: $1 = '{value}'\n", value % 9),
                2 => format!("{session}ERROR:  relation \"t{}\" does not exist at character 5\n{session}STATEMENT:  SELECT 1\n", value % 3),
                3 => format!("{at} [9] LOG:  checkpoint complete: wrote {value} buffers (0.1%); 0 WAL file(s) added, 0 removed, 0 recycled; write=0.1 s, sync=0.0 s, total=0.{} s\n", value % 9),
                4 => format!("{session}LOG:  connection authorized: user=ann database=shop application_name=web\n"),
                5 => format!("{session}LOG:  disconnection: session time: 0:00:0{}.100 user=ann database=shop host=[local]\n", value % 9),
                _ => format!("{session}LOG:  temporary file: path \"base/x{value}\", size {value}\n{session}STATEMENT:  SELECT * FROM t ORDER BY {}\n", value % 3),
            }
        })
        .collect()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(40))]
    #[test]
    fn any_split_gives_the_same_bytes(
        picks in proptest::collection::vec((proptest::num::u8::ANY, proptest::num::u16::ANY), 1..120), split in 0_usize..120,
    ) {
        let records = log(&picks);
        let whole = encode(&summary(&records.concat(), 1)).unwrap();
        let (one, other) = records.split_at(split.min(records.len()));
        let (one, other) = (summary(&one.concat(), 1), summary(&other.concat(), 2));
        let mut merged = one.clone();
        merged.merge(other.clone());
        proptest::prop_assert_eq!(&encode(&merged).unwrap(), &whole);
        let mut turned = other;
        turned.merge(one);
        proptest::prop_assert_eq!(&encode(&turned).unwrap(), &whole);
    }
}

#[test]
fn readers_share_a_log_without_a_trace() {
    let mut log = String::new();
    for number in 0..40_000 {
        let at = format!("2026-11-23 10:00:{:02}.{:03} UTC [{}]", number / 1000, number % 1000, number % 7);
        writeln!(
            log,
            "{at} ann@shop web LOG:  duration: 0.{} ms  statement: SELECT x FROM t{} WHERE id = {number} /*route='/r{}'*/",
            number % 999,
            number / 50 % 3,
            number / 70 % 2
        )
        .unwrap();
        if number % 97 == 0 {
            let waits = format!(
                "{at} ann@shop web LOG:  process {} still waiting for ShareLock on transaction 5 after 100.000 ms\n{at} ann@shop web DETAIL:  Process holding the lock: {}. Wait queue: 1.\n{at} ann@shop web STATEMENT:  UPDATE t SET x = 1\n",
                number % 7,
                (number + 1) % 7
            );
            log.push_str(&waits);
        }
    }
    assert!(log.len() > 3 << 20);
    let one = summary(&log, 1);
    assert_eq!(one.counts.records, 40_413);
    assert_eq!(one.queries.len(), 4);
    assert_eq!(one.lock_edges.values().map(|edges| edges.waits).sum::<u64>(), 413);
    assert_eq!(one.requests.values().map(|requests| requests.statements).sum::<u64>(), 40_000);
    assert!(one.bursts.values().map(|bursts| bursts.statements).sum::<u64>() > 10_000);
    for readers in [2, 3] {
        assert!(encode(&summary(&log, readers)).unwrap() == encode(&one).unwrap(), "{readers} readers");
    }
}
