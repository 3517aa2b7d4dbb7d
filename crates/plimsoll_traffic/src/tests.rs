use std::time::Duration;

use plimsoll_core::traffic::{Burst, BurstKind};

use super::*;

/// Rows whose values are numbers.
struct Rows {
    columns: usize,
    values: Vec<u64>,
}

impl Answer for Rows {
    fn columns(&self) -> usize {
        self.columns
    }

    fn values(&self) -> &[u64] {
        &self.values
    }

    fn name(&self, column: usize) -> Option<String> {
        Some(format!("column_{column}"))
    }
}

/// A hash that tests can write down: of digits, the number.
fn hash(text: &[u8]) -> u64 {
    std::str::from_utf8(text).unwrap().parse().unwrap_or(text.len() as u64 + 1_000_000)
}

/// A session whose statements take a millisecond each, with another between them.
struct Client {
    collector: Collector,
    now: Duration,
    gap: Duration,
}

impl Client {
    fn new() -> Self {
        Self { collector: Collector::default(), now: Duration::from_secs(1), gap: Duration::from_millis(1) }
    }

    fn run(&mut self, text: &str) {
        self.ask(text, &[], Rows { columns: 0, values: Vec::new() }, Ending::Complete);
    }

    fn ask(&mut self, text: &str, bound: &[Option<u64>], answer: Rows, ending: Ending) {
        self.ask_for(text, bound, answer, ending, 1);
    }

    /// Has an answer of so many rows, of which some are remembered.
    fn ask_for(&mut self, text: &str, bound: &[Option<u64>], answer: Rows, ending: Ending, rows: u64) {
        let started = self.now + self.gap;
        self.now = started + Duration::from_millis(1);
        self.collector.observe(&Observed {
            session: 0,
            application: "tests",
            text,
            bound,
            bound_texts: &|| bound.iter().map(|value| value.map(|value| value.to_string())).collect(),
            hash,
            started,
            ended: self.now,
            rows,
            bytes: 10,
            ending,
            resumed: false,
            answer: &answer,
        });
    }

    fn bursts(self) -> Vec<Burst> {
        self.collector.traffic().bursts
    }
}

fn check(bursts: &[Burst], expected: &[(BurstKind, u64)]) {
    let told: Vec<(BurstKind, u64)> = bursts.iter().map(|burst| (burst.kind, burst.statements)).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_query_for_each_row_of_another_is_told_with_that_other() {
    let mut client = Client::new();
    let ids: Vec<u64> = (1..=6).collect();
    let values = ids.iter().flat_map(|id| [id * 1000, *id]).collect();
    client.ask("SELECT name, id FROM authors", &[], Rows { columns: 2, values }, Ending::Complete);
    for id in &ids {
        let books = Rows { columns: 1, values: vec![70 + id, 80 + id, 90 + id] };
        client.ask(
            "SELECT id FROM books WHERE author_id = $1 AND kind = $2",
            &[Some(*id), Some(7)],
            books,
            Ending::Complete,
        );
    }
    let bursts = client.bursts();
    check(&bursts, &[(BurstKind::NPlusOne, 6)]);
    let feeder = bursts[0].fed_by.as_ref().unwrap();
    assert_eq!(
        (feeder.query.as_str(), feeder.column.as_str(), feeder.statements),
        ("select name, id from authors", "column_1", 6)
    );
    assert_eq!(bursts[0].spared, 5);
}

/// Books by three authors: their number, their author, and whether they are new.
fn books(client: &mut Client, authors: &[u64]) {
    let values =
        authors.iter().zip(1..).flat_map(|(author, id)| [id, *author, u64::from(author % 2 == 0)]).collect();
    let (text, rows) = ("select id, author_id, is_new from books", authors.len() as u64);
    client.ask_for(text, &[], Rows { columns: 3, values }, Ending::Complete, rows);
}

fn author(client: &mut Client, id: u64) {
    let author = Rows { columns: 2, values: vec![id, id + 70] };
    client.ask("select * from authors where id = $1", &[Some(id)], author, Ending::Complete);
}

const SHARED: [u64; 20] = [1, 1, 1, 1, 1, 1, 2, 1, 1, 3, 1, 1, 1, 2, 1, 1, 1, 3, 1, 1];

#[test]
fn rows_that_share_a_foreign_key_are_gone_through_all_the_same() {
    // 0 is NULL: nothing is asked for it.
    let with_null = [&[0][..], &SHARED, &[0, 0, 0, 0, 0, 2]].concat();
    for authors in [&SHARED[..], &with_null] {
        let mut client = Client::new();
        books(&mut client, authors);
        for id in authors.iter().filter(|id| **id != 0) {
            author(&mut client, *id);
            client.run(&format!("select count(*) from awards where author = {id} and year = 7"));
        }
        let bursts = client.bursts();
        let statements = authors.iter().filter(|id| **id != 0).count() as u64;
        check(&bursts, &[(BurstKind::NPlusOne, statements), (BurstKind::NPlusOne, statements)]);
        for burst in &bursts {
            // Authors have the numbers of the first books.
            let feeder = burst.fed_by.as_ref().unwrap();
            assert_eq!(
                (feeder.column.as_str(), feeder.statements, burst.distinct),
                ("column_1", statements, 3)
            );
        }
    }
}

#[test]
fn rows_are_followed_as_far_as_they_are_remembered() {
    let mut client = Client::new();
    let values = SHARED.iter().flat_map(|author| [7, *author]).collect();
    client.ask_for("select * from books", &[], Rows { columns: 2, values }, Ending::Complete, 60);
    (0..60).for_each(|at| author(&mut client, SHARED[at % 20]));
    let bursts = client.bursts();
    check(&bursts, &[(BurstKind::NPlusOne, 60)]);
    assert_eq!(bursts[0].fed_by.as_ref().unwrap().statements, 20);
}

#[test]
fn the_same_values_in_another_order_than_the_rows_are_a_repetition() {
    let polled: [&[u64]; 4] = [&[1, 2], &[3, 3, 3, 1], &[1, 1, 1, 2, 2, 3], &[1]];
    for order in polled {
        let mut client = Client::new();
        books(&mut client, &SHARED);
        (0..20).for_each(|at| author(&mut client, order[at % order.len()]));
        check(&client.bursts(), &[(BurstKind::Repetition, 20)]);
    }
}

#[test]
fn what_goes_through_rows_is_still_a_batch_or_a_retry() {
    let mut client = Client::new();
    books(&mut client, &SHARED);
    client.gap = Duration::ZERO;
    SHARED.iter().for_each(|id| author(&mut client, *id));
    client.run("commit");
    client.gap = Duration::from_millis(1);
    books(&mut client, &SHARED);
    let nothing = || Rows { columns: 0, values: Vec::new() };
    for id in SHARED {
        client.ask("update a set b = 1 where id = $1", &[Some(id)], nothing(), Ending::Failed);
    }
    check(&client.bursts(), &[(BurstKind::Batch, 20), (BurstKind::Retry, 20)]);
}

#[test]
fn literals_count_as_values() {
    let mut client = Client::new();
    (1..=5).for_each(|id| {
        client.run(&format!("SELECT * FROM books WHERE author_id = {id} LIMIT 21 /*route='%2Fx'*/"))
    });
    let bursts = client.bursts();
    check(&bursts, &[(BurstKind::NPlusOne, 5)]);
    assert_eq!(bursts[0].tags, [("route".to_owned(), "/x".to_owned())]);
}

#[test]
fn two_queries_in_one_loop_are_two_bursts() {
    let mut client = Client::new();
    for id in 1..=5 {
        client.run(&format!("select * from a where id = {id}"));
        client.run(&format!("select * from b where id = {id}"));
    }
    check(&client.bursts(), &[(BurstKind::NPlusOne, 5), (BurstKind::NPlusOne, 5)]);
}

#[test]
fn what_is_no_n_plus_one_is_told_apart() {
    let mut client = Client::new();
    (0..6).for_each(|_| client.run("select * from jobs where state = 'new'"));
    client.run("commit");
    (0..6).for_each(|at| client.run(&format!("insert into t values ({at})")));
    client.run("commit");
    (0..6).for_each(|at| client.run(&format!("update t set b = 1 where id = {at}")));
    client.run("commit");
    (0..6).for_each(|at| client.run(&format!("select * from t where id > {at} order by id limit 10")));
    client.run("commit");
    let nothing = || Rows { columns: 0, values: Vec::new() };
    (0..6).for_each(|at| {
        client.ask("update u set a = $1 where id = 1", &[Some(at)], nothing(), Ending::Failed)
    });
    client.run("rollback");
    client.gap = Duration::ZERO;
    (0..6).for_each(|at| client.ask("insert into u values ($1)", &[Some(at)], nothing(), Ending::Complete));
    check(
        &client.bursts(),
        &[
            (BurstKind::Repetition, 6),
            (BurstKind::WriteLoop, 6),
            (BurstKind::WriteLoop, 6),
            (BurstKind::Paging, 6),
            (BurstKind::Retry, 6),
            (BurstKind::Batch, 6),
        ],
    );
}

#[test]
fn few_slow_or_scattered_statements_are_no_burst() {
    let mut client = Client::new();
    (1..=4).for_each(|id| client.run(&format!("select * from a where id = {id}")));
    client.run("commit");
    client.gap = Duration::from_millis(150);
    (1..=9).for_each(|id| client.run(&format!("select * from b where id = {id}")));
    client.gap = Duration::from_millis(1);
    for id in 1..=9 {
        client.run(&format!("select * from c where id = {id}"));
        for other in ["d", "e", "f", "g"] {
            client.run(&format!("select * from {other}"));
        }
    }
    check(&client.bursts(), &[]);
}

#[test]
fn queries_are_counted_by_fingerprint() {
    let mut client = Client::new();
    client.run("select 1");
    client.run("SELECT  2 -- two");
    client.run("select a from t");
    let traffic = client.collector.traffic();
    let told: Vec<(&str, u64)> =
        traffic.queries.iter().map(|query| (query.query.as_str(), query.calls)).collect();
    assert_eq!(told, [("select $1", 2), ("select a from t", 1)]);
    assert_eq!((traffic.statements, traffic.sessions), (3, 1));
    assert_eq!(traffic.queries[0].total_ms, 2.0);
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut client = Client::new();
    (0..10_050).for_each(|at| client.run(&format!("select * from t{at}")));
    let traffic = client.collector.traffic();
    assert_eq!((traffic.queries.len(), traffic.unlisted), (10_000, 50));
}
