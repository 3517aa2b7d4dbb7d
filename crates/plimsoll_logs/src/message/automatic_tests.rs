//! Autovacuum's words, version by version.

use super::*;
use crate::message::{Event, understand};
use crate::{Record, Severity};

fn read(message: &str) -> AutomaticWork<'_> {
    match understand(&Record::new(Severity::Log, message)) {
        Event::AutomaticWork(work) => work,
        other => panic!("{message}: {other:?}"),
    }
}

#[test]
fn a_vacuum_of_12_has_its_figures() {
    let work = read(
        "automatic vacuum of table \"shop.public.ships\": index scans: 1\n\
         \tpages: 2 removed, 10 remain, 3 skipped due to pins, 4 skipped frozen\n\
         \ttuples: 5 removed, 100 remain, 6 are dead but not yet removable, oldest xmin: 742\n\
         \tbuffer usage: 70 hits, 8 misses, 9 dirtied\n\
         \tavg read rate: 0.123 MB/s, avg write rate: 12.500 MB/s\n\
         \tsystem usage: CPU: user: 0.01 s, system: 0.02 s, elapsed: 1.50 s",
    );
    assert_eq!((work.database, work.schema, work.table), ("shop", "public", "ships"));
    assert_eq!((work.work, work.is_aggressive, work.is_against_wraparound), (Work::Vacuum, false, false));
    let expected = AutomaticFigures {
        index_scans: Some(1),
        pages_removed: Some(2),
        pages_remain: Some(10),
        tuples_removed: Some(5),
        tuples_remain: Some(100),
        tuples_dead: Some(6),
        buffer_hits: Some(70),
        buffer_reads: Some(8),
        buffers_dirtied: Some(9),
        read_rate_kb_s: Some(123),
        write_rate_kb_s: Some(12_500),
        cpu_user_us: Some(10_000),
        cpu_system_us: Some(20_000),
        elapsed_us: Some(1_500_000),
        ..AutomaticFigures::default()
    };
    assert_eq!(work.figures(), expected);
}

#[test]
fn a_vacuum_of_18_has_more() {
    let work = read(
        "automatic aggressive vacuum to prevent wraparound of table \"shop.public.a.b\": index scans: 0\n\
         pages: 0 removed, 45 remain, 44 scanned (97.78% of total), 1 eagerly scanned\n\
         tuples: 10 removed, 9990 remain, 0 are dead but not yet removable\n\
         removable cutoff: 750, which was 3 XIDs old when operation ended\n\
         new relfrozenxid: 749, which is 5 XIDs ahead of previous value\n\
         frozen: 1 pages from table (2.22% of total) had 15 tuples frozen\n\
         visibility map: 44 pages set all-visible, 2 pages set all-frozen (0 were all-visible)\n\
         index scan bypassed: 1 pages from table (2.22% of total) have 10 dead item identifiers\n\
         index \"a_pkey\": pages: 30 in total, 1 newly deleted, 1 currently deleted, 0 reusable\n\
         delay time: 1.250 ms\n\
         I/O timings: read: 0.500 ms, write: 0.250 ms\n\
         avg read rate: 0.000 MB/s, avg write rate: 1.000 MB/s\n\
         buffer usage: 101 hits, 2 reads, 3 dirtied\n\
         WAL usage: 48 records, 4 full page images, 12345 bytes, 0 buffers full\n\
         system usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: 0.02 s",
    );
    assert!(work.is_aggressive && work.is_against_wraparound);
    assert_eq!(work.table, "a.b");
    let expected = AutomaticFigures {
        index_scans: Some(0),
        pages_removed: Some(0),
        pages_remain: Some(45),
        pages_scanned: Some(44),
        tuples_removed: Some(10),
        tuples_remain: Some(9990),
        tuples_dead: Some(0),
        tuples_frozen: Some(15),
        cutoff_age: Some(3),
        buffer_hits: Some(101),
        buffer_reads: Some(2),
        buffers_dirtied: Some(3),
        read_rate_kb_s: Some(0),
        write_rate_kb_s: Some(1000),
        read_us: Some(500),
        write_us: Some(250),
        delay_us: Some(1250),
        wal_records: Some(48),
        wal_page_images: Some(4),
        wal_bytes: Some(12_345),
        cpu_user_us: Some(0),
        cpu_system_us: Some(0),
        elapsed_us: Some(20_000),
    };
    assert_eq!(work.figures(), expected);
}

#[test]
fn an_analyze_has_few_in_12_and_more_since_14() {
    let old = read(
        "automatic analyze of table \"shop.public.ships\" system usage: CPU: user: 0.03 s, system: 0.01 s, elapsed: 0.25 s",
    );
    assert_eq!((old.work, old.table), (Work::Analyze, "ships"));
    let times = AutomaticFigures {
        cpu_user_us: Some(30_000),
        cpu_system_us: Some(10_000),
        elapsed_us: Some(250_000),
        ..AutomaticFigures::default()
    };
    assert_eq!(old.figures(), times);
    let new = read(
        "automatic analyze of table \"shop.public.ships\"\n\
         avg read rate: 1.000 MB/s, avg write rate: 0.000 MB/s\n\
         buffer usage: 50 hits, 6 misses, 0 dirtied\n\
         system usage: CPU: user: 0.03 s, system: 0.01 s, elapsed: 0.25 s",
    );
    let expected = AutomaticFigures {
        buffer_hits: Some(50),
        buffer_reads: Some(6),
        buffers_dirtied: Some(0),
        read_rate_kb_s: Some(1000),
        write_rate_kb_s: Some(0),
        ..times
    };
    assert_eq!(new.figures(), expected);
}

#[test]
fn a_table_may_be_skipped() {
    let message = "skipping vacuum of \"ships\" --- lock not available";
    let expected = SkippedWork { work: Work::Vacuum, table: "ships", reason: "lock not available" };
    for severity in [Severity::Log, Severity::Warning] {
        assert_eq!(understand(&Record::new(severity, message)), Event::SkippedWork(expected));
    }
    let message = "skipping analyze of \"ships\" --- relation no longer exists";
    assert!(matches!(understand(&Record::new(Severity::Log, message)), Event::SkippedWork(_)));
}

#[test]
fn what_is_cut_has_no_figures() {
    assert_eq!(read("automatic vacuum of table \"a.b.c\"").figures(), AutomaticFigures::default());
    let cut = "automatic vacuum of table \"a.b";
    assert_eq!(understand(&Record::new(Severity::Log, cut)), Event::Other);
}
