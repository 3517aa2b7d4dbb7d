//! `plimsoll regress`: a corpus is recorded, and what becomes of it later is told with its cause.

use crate::project::{MAJORS, Project};
use crate::report::Report;

const SCHEMA: &str =
    "create table customers (id int primary key, email text collate \"C\" not null, name text not null);
create index customers_email on customers (email);
create table orders (id int primary key, customer_id int not null, status text not null, total int not null);
create index orders_customer on orders (customer_id);
create index orders_open on orders (total) where status = 'open';
create table visits (id int primary key, customer_id int not null, page text not null);
create index visits_customer on visits (customer_id);
create table payments (id int primary key, customer_id int not null, method text not null, currency text not null);
create table shelves (id int primary key, note text not null);
";

const SEED: &str = "insert into customers select n, 'c' || n || '@example.org', md5(n::text) from generate_series(1, 10000) n;
insert into orders select n, n % 10000 + 1, case when n % 100 = 0 then 'open' else 'done' end, n % 1000 from generate_series(1, 40000) n;
insert into visits select n, n % 10000 + 1, md5(n::text) from generate_series(1, 40000) n;
insert into payments select n, n % 10000 + 1, case when n % 4000 = 0 then 'cash' else 'card' end, 'eur' from generate_series(1, 20000) n;
insert into shelves select n, md5(n::text) from generate_series(1, 20000) n;
";

const QUERIES: &str = "-- name: orders_of_customer
select id, total from orders where customer_id = :customer order by id;
-- name: visits_with_names
select v.page, c.name from visits v join customers c on c.id = v.customer_id where v.id <= :last;
-- name: payers
select p.id, c.name from payments p join customers c on c.id = p.customer_id where p.method = :method and p.currency = 'eur';
-- name: by_email
select id from customers where email = :email;
-- name: idle_customers
select id from customers c where id <= 10 and not exists (select from orders o where o.customer_id = c.id);
-- name: page_of_orders
select id, total from orders where id > :last order by id limit 20;
-- name: emails_like
select id from customers where email like 'c123%';
-- name: open_orders
select id from orders where total = :total and status = 'open';
-- name: all_shelves
select count(*) from shelves;
-- name: sorted_orders
select id, total from orders order by total, id;
";

const VALUES: &str = "[orders_of_customer]\ncustomer = 17\n[visits_with_names]\nlast = 5\n[payers]\nmethod = \"card\"\n\
                      [by_email]\nemail = \"c17@example.org\"\n[page_of_orders]\nlast = 20000\n[open_orders]\ntotal = 300\n";

fn shop() -> Project {
    Project::new([
        ("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n"),
        ("migrations/0001.sql", SCHEMA),
        ("seed.sql", SEED),
        ("queries/shop.sql", QUERIES),
        ("queries/shop.toml", VALUES),
    ])
}

fn record(project: &Project, major: u32) {
    let recorded = project.run(&["regress", "record", "--postgres", &major.to_string()]);
    assert_eq!(recorded.status.code(), Some(0), "{}", recorded.stderr);
}

fn test(project: &Project, major: u32) -> Report {
    project.run(&["regress", "test", "--format", "json", "--postgres", &major.to_string()]).report()
}

/// The verdicts of queries and the kinds of their surest causes.
fn check(report: &Report, expected: &[(&str, &str, &str)]) {
    for (name, verdict, cause) in expected {
        let query = report.query(name);
        let seen =
            (query["verdict"].as_str().unwrap(), query["causes"][0]["kind"].as_str().unwrap_or_default());
        assert_eq!(seen, (*verdict, *cause), "{name}: {:#} {:#}", query["reasons"], query["causes"]);
    }
}

#[test]
fn ten_planted_regressions_are_found_with_their_causes_on_15() {
    ten_planted_regressions_are_found_with_their_causes(MAJORS[0]);
}

#[test]
fn ten_planted_regressions_are_found_with_their_causes_on_18() {
    ten_planted_regressions_are_found_with_their_causes(MAJORS[1]);
}

fn ten_planted_regressions_are_found_with_their_causes(major: u32) {
    let project = shop();
    record(&project, major);
    let unchanged = test(&project, major);
    assert!(unchanged.queries().iter().all(|query| query.ends_with(" same")), "{:#?}", unchanged.queries());

    // The schema: an index, a type, the statistics, a collation.
    project.write(
        "migrations/0002.sql",
        "drop index orders_customer;
alter table visits alter customer_id type numeric;
alter table payments alter method set statistics 0, alter currency set statistics 0;
create collation other (provider = libc, locale = 'C.UTF-8');
alter table customers alter email type text collate other;
",
    );
    check(
        &test(&project, major),
        &[
            ("orders_of_customer", "worse", "missing index"),
            ("visits_with_names", "worse", "changed type"),
            ("payers", "worse", "changed statistics"),
            ("emails_like", "worse", "changed collation"),
            ("all_shelves", "same", ""),
        ],
    );

    // The queries: a function, NOT IN, OFFSET, a condition that is gone.
    std::fs::remove_file(project.path().join("migrations/0002.sql")).unwrap();
    let idle = "not exists (select from orders o where o.customer_id = c.id)";
    let changed = QUERIES
        .replace("email = :email", "lower(email) = :email")
        .replace(idle, "id not in (select customer_id from orders)")
        .replace("where id > :last order by id limit 20", "order by id offset :last limit 20")
        .replace("total = :total and status = 'open'", "total = :total");
    project.write("queries/shop.sql", changed);
    check(
        &test(&project, major),
        &[
            ("by_email", "worse", "function on column"),
            ("idle_customers", "worse", "NOT IN"),
            ("page_of_orders", "worse", "OFFSET"),
            ("open_orders", "worse", "partial index unused"),
            ("orders_of_customer", "same", ""),
        ],
    );

    // The rows: a table that has grown.
    project.write("queries/shop.sql", QUERIES);
    let grown = SEED.replace(
        "shelves select n, md5(n::text) from generate_series(1, 20000)",
        "shelves select n, 'x' from generate_series(1, 70000)",
    );
    assert_ne!(grown, SEED);
    project.write("seed.sql", grown);
    check(
        &test(&project, major),
        &[("all_shelves", "changed result", "more rows"), ("open_orders", "same", "")],
    );

    // A setting.
    project.write("seed.sql", SEED);
    project.write("migrations/0002.sql", "alter database plimsoll set work_mem = '64kB';\n");
    let report = test(&project, major);
    check(&report, &[("sorted_orders", "worse", "changed settings"), ("by_email", "same", "")]);
    assert_eq!(report.query("sorted_orders")["causes"][1]["kind"], "spilled to disk");
}
