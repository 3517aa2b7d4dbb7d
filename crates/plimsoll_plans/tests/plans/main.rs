//! A plan branch plans as the full database does: TPC-H's 22 queries, probes of every kind of index, of partitions and of
//! extended statistics, and pgbench's statements.

#![expect(
    clippy::print_stdout,
    reason = "how many plans are alike is worth knowing, and not only whether enough are"
)]

mod leaks;
mod support;

use std::hash::RandomState;

use plimsoll_plans::ValuePolicy;
use support::{Alike, Branch, captured, captured_from, compare, dumped, full, plans, queries, rows};

const SCRIPTS: [&str; 2] = [include_str!("tpch.sql"), include_str!("probes.sql")];

/// Production's database, with settings of its own.
const SETTINGS: &str = "alter database \"the harbour\" set random_page_cost = 2;\n\
    alter system set effective_cache_size = '3GB'\nselect pg_reload_conf()\n\
    create role captain login; alter role captain set enable_hashjoin = off";

fn all_queries() -> Vec<(&'static str, &'static str)> {
    let mut all = queries(include_str!("tpch_queries.sql"));
    all.extend(queries(include_str!("probes_queries.sql")));
    all
}

async fn check(production: u32, branch: u32) {
    let mut scripts = SCRIPTS.to_vec();
    scripts.extend(SETTINGS.split('\n'));
    let server = full(production, "the harbour", &scripts).await;
    let queries = all_queries();
    // What the branch is to foretell.
    let expected = if production == branch {
        plans(&server.connect("the harbour").await.expect("a connection"), &queries).await
    } else {
        let server = full(branch, "the harbour", &scripts).await;
        plans(&server.connect("the harbour").await.expect("a connection"), &queries).await
    };
    let source = captured(&server, "the harbour", branch, ValuePolicy::Keep).await;
    let made = Branch::make(&source, branch).await;
    assert_eq!(made.built.unrestored, [], "all is restored");
    let seen = plans(&made.connect().await, &queries).await;
    let alike = compare(&queries, &expected, &seen);
    tell(production, branch, "values kept", &alike);
    println!("on disk: {} MB", leaks::megabytes(&made.data));
    // The order of numbers isn't that of their texts.
    let ends = "select min(o_orderkey), max(o_orderkey), min(o_orderdate), max(o_orderdate) from orders";
    let real = server.connect("the harbour").await.expect("a connection");
    assert_eq!(rows(&made.connect().await, ends).await, rows(&real, ends).await);
    assert!(alike.total_within_1_percent >= 60, "{alike:?}");
    assert_eq!(alike.shapes, alike.all, "{}", alike.others.join("\n\n"));

    let pseudonymise = ValuePolicy::Pseudonymise { key: RandomState::new(), except: Vec::new() };
    let source = captured(&server, "the harbour", branch, pseudonymise).await;
    let made = Branch::make(&source, branch).await;
    assert_eq!(made.built.unrestored, [], "all is restored");
    let seen = plans(&made.connect().await, &queries).await;
    let alike = compare(&queries, &expected, &seen);
    tell(production, branch, "pseudonyms", &alike);
    // Those that name no value by equality, which has no pseudonym.
    assert!(alike.shapes >= 54, "{}", alike.others.join("\n\n"));
    if production != branch {
        return;
    }

    let source = dumped(&server, "the harbour", ValuePolicy::Keep).await;
    assert_eq!(source.major(), production);
    let made = Branch::make(&source, branch).await;
    assert_eq!(made.built.unrestored, [], "all is restored");
    // Settings of the server aren't in a dump.
    let client = made.connect().await;
    client.batch_execute("set effective_cache_size = '3GB'").await.expect("a setting");
    let alike = compare(&queries, &expected, &plans(&client, &queries).await);
    tell(production, branch, "values kept, from a dump", &alike);
    assert!(alike.shapes >= 60, "{}", alike.others.join("\n\n"));
}

/// Indexes that aren't there: what is planned once they are, and once they are really built.
const HYPOTHETICAL: [(&str, &str); 7] = [
    (
        "create index new_ship on lineitem (l_receiptdate)",
        "select * from lineitem where l_receiptdate = '1995-03-03'",
    ),
    (
        "create index new_pair on lineitem (l_suppkey, l_shipmode)",
        "select count(*) from lineitem where l_suppkey = 7 and l_shipmode = 'AIR'",
    ),
    (
        "create index new_price on lineitem (l_extendedprice)",
        "select * from lineitem where l_extendedprice > 100890 order by l_extendedprice",
    ),
    (
        "create unique index new_name on customer (c_name)",
        "select * from customer where c_name = 'Customer#000000077'",
    ),
    (
        "create index new_flag on visits (grade) where grade = 5",
        "select count(*) from visits where grade = 5",
    ),
    ("create index new_note on visits (lower(note))", "select * from visits where lower(note) = 'x'"),
    (
        "create index new_clerk on orders (o_clerk) include (o_totalprice)",
        "select sum(o_totalprice) from orders where o_clerk = 'Clerk#000000007'",
    ),
];

async fn check_hypothetical(major: u32) {
    let server = full(major, "the harbour", &SCRIPTS).await;
    let source = captured(&server, "the harbour", major, ValuePolicy::Keep).await;
    let branch = Branch::make(&source, major).await;
    let (real, made) = (server.connect("the harbour").await.expect("a connection"), branch.connect().await);
    let queries: Vec<(&str, &str)> = HYPOTHETICAL.iter().map(|(index, query)| (*index, *query)).collect();
    for (index, _) in HYPOTHETICAL {
        real.batch_execute(index).await.expect("an index");
        made.batch_execute(index).await.unwrap_or_else(|error| panic!("{index}: {error:?}"));
    }
    // An index on an expression has no statistics before ANALYZE, on neither.
    let alike = compare(&queries, &plans(&real, &queries).await, &plans(&made, &queries).await);
    tell(major, major, "hypothetical indexes", &alike);
    assert_eq!(alike.shapes, alike.all, "{}", alike.others.join("\n\n"));
    let sizes =
        "select relname, pg_relation_size(oid) / 8192 from pg_class where relname like 'new\\_%' order by 1";
    for (real, made) in rows(&real, sizes).await.iter().zip(rows(&made, sizes).await) {
        let pages = |row: &[String]| row[1].parse::<f64>().expect("a number");
        assert!((pages(real) - pages(&made)).abs() <= 2.0 + 0.1 * pages(real), "{real:?} {made:?}");
    }
    // A rewrite makes files anew, and they are as long as before.
    let sizes = "select relname, pg_relation_size(oid), relpages, reltuples from pg_class where relname like 'c%' order by 1";
    let before = rows(&made, sizes).await;
    made.batch_execute("alter table customer alter column c_nationkey type bigint").await.expect("a rewrite");
    assert_eq!(rows(&made, sizes).await, before);
}

#[tokio::test]
async fn an_index_on_a_branch_of_15_is_as_large_as_a_real_one() {
    check_hypothetical(15).await;
}

#[tokio::test]
async fn an_index_on_a_branch_of_18_is_as_large_as_a_real_one() {
    check_hypothetical(18).await;
}

/// A role that may read all tables and no statistics but through `pg_stats`.
const READER: &str = "create role reader login; grant select on all tables in schema public to reader; \
    grant select on all sequences in schema public to reader";

async fn check_reader(major: u32) {
    let server = full(major, "the harbour", &SCRIPTS).await;
    let client = server.connect("the harbour").await.expect("a connection");
    client.batch_execute(READER).await.expect("a role");
    let queries = all_queries();
    let expected = plans(&client, &queries).await;
    let url = server.url("the harbour").replace("postgres@", "reader@");
    let source = captured_from(&url, major, ValuePolicy::Keep).await;
    assert!(
        source.left_out.iter().any(|left_out| left_out.contains("pg_statistic")),
        "{:?}",
        source.left_out
    );
    let made = Branch::make(&source, major).await;
    assert_eq!(made.built.unrestored, [], "all is restored");
    let alike = compare(&queries, &expected, &plans(&made.connect().await, &queries).await);
    tell(major, major, "read by pg_stats", &alike);
    // It lacks statistics of expressions and extended ones, and before 17 of ranges.
    assert!(alike.shapes >= 60, "{}", alike.others.join("\n\n"));
}

#[tokio::test]
async fn a_role_without_pg_statistic_sees_most_on_15() {
    check_reader(15).await;
}

#[tokio::test]
async fn a_role_without_pg_statistic_sees_most_on_18() {
    check_reader(18).await;
}

fn tell(production: u32, branch: u32, values: &str, alike: &Alike) {
    let Alike { all, shapes, numbers, total_within_1_percent, .. } = alike;
    println!(
        "{production} to {branch}, {values}: of {all} plans {shapes} have the same shape, {numbers} the same numbers, \
         {total_within_1_percent} a total within 1 %"
    );
}

#[tokio::test]
async fn plans_of_15_are_those_of_a_branch_on_15() {
    check(15, 15).await;
}

#[tokio::test]
async fn plans_of_18_are_those_of_a_branch_on_18() {
    check(18, 18).await;
}

#[tokio::test]
async fn plans_after_an_upgrade_from_15_to_18_are_foretold() {
    check(15, 18).await;
}
