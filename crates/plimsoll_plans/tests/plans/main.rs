//! A plan branch plans as the full database does: TPC-H's 22 queries, probes of every kind of index, of partitions and of
//! extended statistics, and pgbench's statements.

mod support;

use std::hash::RandomState;

use plimsoll_plans::ValuePolicy;
use support::{Alike, Branch, captured, compare, full, plans, queries};

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
    assert_eq!(alike.shapes, alike.all, "{}", alike.others.join("\n\n"));

    let pseudonymise = ValuePolicy::Pseudonymise { key: RandomState::new(), except: Vec::new() };
    let source = captured(&server, "the harbour", branch, pseudonymise).await;
    let made = Branch::make(&source, branch).await;
    assert_eq!(made.built.unrestored, [], "all is restored");
    let seen = plans(&made.connect().await, &queries).await;
    let alike = compare(&queries, &expected, &seen);
    tell(production, branch, "pseudonyms", &alike);
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
