//! Plans as the server prints them, and what is made of them.

use plimsoll_core::plan::{Buffers, Condition};

use super::*;
use crate::record::ColumnFacts;

fn facts() -> Facts {
    let mut facts = Facts::default();
    let columns = [
        ("orders.id", "integer"),
        ("orders.customer_id", "integer"),
        ("orders.status", "text"),
        ("orders.total", "integer"),
        ("orders.placed", "timestamp with time zone"),
        ("orders.note", "text"),
        ("customers.id", "integer"),
        ("customers.email", "character varying(80)"),
        ("customers.name", "text"),
        ("customers.gone", "boolean"),
    ];
    for (name, data_type) in columns {
        let column = ColumnFacts { data_type: data_type.to_owned(), ..ColumnFacts::default() };
        facts.columns.insert(format!("public.{name}"), column);
    }
    facts
}

fn scan(relation: &str, alias: &str, conditions: &[(&str, &str)]) -> PlanNode {
    PlanNode {
        node_type: "Seq Scan".into(),
        schema: Some("public".into()),
        relation: Some(relation.into()),
        alias: Some(alias.into()),
        buffers: Buffers { shared_hit: 100, ..Buffers::default() },
        conditions: conditions_of(conditions),
        ..PlanNode::default()
    }
}

fn above(node_type: &str, conditions: &[(&str, &str)], output: &str, children: Vec<PlanNode>) -> PlanNode {
    PlanNode {
        node_type: node_type.into(),
        conditions: conditions_of(conditions),
        output: output.split(", ").map(str::to_owned).collect(),
        buffers: Buffers { shared_hit: 200, ..Buffers::default() },
        children,
        ..PlanNode::default()
    }
}

fn conditions_of(conditions: &[(&str, &str)]) -> Vec<Condition> {
    let condition = |(kind, text): &(&str, &str)| Condition { kind: (*kind).into(), text: (*text).into() };
    conditions.iter().map(condition).collect()
}

fn found(plan: &PlanNode, sql: &str, indexes: &[Index]) -> Vec<String> {
    let table = |name: &str| {
        let name = format!("public.{name}");
        (name.clone(), Table { root: name.clone(), sql: name, partitioned: false })
    };
    let tables = ["orders", "customers"].map(table).into();
    let facts = facts();
    let ground = Ground { facts: &facts, tables: &tables, indexes };
    let made = candidates(&[Planned { sql, plan }], &ground, 100);
    made.iter()
        .map(|one| format!("{} {}", one.relation.trim_start_matches("public."), one.columns()))
        .collect()
}

#[track_caller]
fn check(plan: &PlanNode, sql: &str, expected: &[&str]) {
    let found = found(plan, sql, &[]);
    for one in expected {
        assert!(found.iter().any(|seen| seen == one), "{one} isn't among {found:#?}");
    }
}

#[test]
fn equal_columns_stand_before_a_range() {
    let plan = scan(
        "orders",
        "o",
        &[("Filter", "((o.total > 5) AND (o.customer_id = 17) AND (o.status = 'open'::text))")],
    );
    let sql = "select * from orders o where total > $1 and customer_id = $2 and status = $3";
    check(
        &plan,
        sql,
        &["orders (customer_id, status, total)", "orders (customer_id, status)", "orders (status)"],
    );
    assert!(found(&plan, sql, &[]).iter().all(|one| !one.contains("WHERE")), "parameters aren't constants");
}

#[test]
fn an_order_follows_equal_columns() {
    let keys = [("Sort Key", "o.placed DESC, o.id DESC")];
    let plan = above("Sort", &keys, "o.id", vec![scan("orders", "o", &[("Filter", "(o.customer_id = 17)")])]);
    check(&plan, "", &["orders (customer_id, placed, id)"]);
    let keys = [("Sort Key", "o.placed DESC NULLS LAST, o.id")];
    let plan = above("Sort", &keys, "o.id", vec![scan("orders", "o", &[])]);
    check(&plan, "", &["orders (placed DESC NULLS LAST, id)"]);
}

#[test]
fn both_sides_of_a_join_may_be_looked_up() {
    let children =
        vec![scan("orders", "o", &[("Filter", "(o.status = 'open'::text)")]), scan("customers", "c", &[])];
    let plan = above("Hash Join", &[("Hash Cond", "(o.customer_id = c.id)")], "c.name, o.total", children);
    check(
        &plan,
        "select c.name, o.total from orders o join customers c on c.id = o.customer_id where o.status = 'open'",
        &[
            "orders (customer_id)",
            "orders (status, customer_id)",
            "orders (customer_id) WHERE status = 'open'::text",
            "customers (id)",
            "customers (id) INCLUDE (name)",
        ],
    );
}

#[test]
fn expressions_and_patterns_are_served() {
    let plan = scan("customers", "c", &[("Filter", "(lower((c.email)::text) = 'x'::text)")]);
    check(&plan, "", &["customers (lower((email)::text))"]);
    let plan = scan("customers", "c", &[("Filter", "((c.email)::text ~~ 'ab%'::text)")]);
    check(&plan, "", &["customers (email text_pattern_ops)"]);
    let plan = scan("customers", "c", &[("Filter", "((c.email)::text ~~ '%ab'::text)")]);
    assert!(found(&plan, "", &[]).is_empty());
    let plan = scan("customers", "c", &[("Filter", "((c.id + 5) = 7)")]);
    assert!(found(&plan, "select from customers c where id + $1 = $2", &[]).is_empty());
}

#[test]
fn constants_of_the_text_make_partial_indexes() {
    let plan = scan("customers", "c", &[("Filter", "((NOT c.gone) AND (c.name = 'x'::text))")]);
    check(
        &plan,
        "select from customers c where not gone and name = $1",
        &["customers (name) WHERE NOT gone"],
    );
    let sql = "select from customers c where gone = $2 and name = $1";
    assert!(found(&plan, sql, &[]).iter().all(|one| !one.contains("WHERE")));
}

#[test]
fn an_extreme_is_the_end_of_an_order() {
    let plan = above("Aggregate", &[], "max(o.total)", vec![scan("orders", "o", &[])]);
    check(&plan, "", &["orders (total)"]);
}

#[test]
fn what_is_served_or_cheap_or_unknown_is_left_out() {
    let plan = scan("orders", "o", &[("Filter", "(o.customer_id = 17)")]);
    let key = |sql: &str| Key { sql: sql.to_owned(), ..Key::default() };
    let index = Index {
        relation: "public.orders".into(),
        method: "btree".into(),
        keys: vec![key("customer_id"), key("id")],
        ..Index::default()
    };
    assert!(found(&plan, "", &[index]).is_empty());
    let mut cheap = plan.clone();
    cheap.buffers.shared_hit = 3;
    assert!(found(&cheap, "", &[]).is_empty());
    assert!(found(&scan("orders", "o", &[("Filter", "(o.elsewhere = 17)")]), "", &[]).is_empty());
    assert!(found(&scan("views", "v", &[("Filter", "(v.id = 17)")]), "", &[]).is_empty());
}

#[test]
fn any_text_is_read_without_a_panic() {
    for text in [
        "",
        "((",
        "))",
        "AND",
        "NOT",
        "= =",
        "o. = .",
        "NULL",
        "IS NULL",
        "o.id = ANY",
        "max(",
        "'",
        "o.id ::",
    ] {
        for kind in ["Filter", "Sort Key"] {
            let plan = above("Limit", &[(kind, text)], text, vec![scan("orders", "o", &[(kind, text)])]);
            let _ = found(&plan, text, &[]);
        }
    }
}
