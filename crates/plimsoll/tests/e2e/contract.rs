//! The JSON report: what each part says about a change with several hazards.

use serde_json::json;

use crate::project::{MAJORS, Project};
use crate::report::{list, text};

const CONFIG: &str =
    "[database]\nname = \"shop\"\nseed = \"seed.sql\"\n[queries]\npath = \"queries\"\nruns = 2\n";

const BASE: &str = "\
create table customers (id bigint primary key, email varchar(50) not null, name text);
create table orders (id bigint primary key, customer_id bigint, total numeric(10,2), note text, state int not null);
create index orders_state on orders (state);
";

const SEED: &str = "\
insert into customers select n, 'c' || n, 'name ' || n from generate_series(1, 1000) n;
insert into orders select n, n % 1000 + 1, n, 'note ' || n, n % 500 from generate_series(1, 20000) n;
";

const CHANGE: &str = "\
create index orders_customer on orders (customer_id);
alter table orders add constraint orders_customer_fk foreign key (customer_id) references customers (id);
alter table orders alter column customer_id set not null;
alter table orders alter column total type numeric(12,4);
alter table customers alter column email type varchar(100);
create table refunds (id bigint primary key, order_id bigint references orders (id));
create index refunds_order on refunds (order_id);
drop index orders_state;
alter table orders drop column note;
";

const QUERIES: &str = "\
-- name: of_customer
select * from orders where customer_id = :customer;

-- name: in_state
select id from orders where state = :state::int;

-- name: customers
select count(*) from customers;

-- name: notes
select note from orders where id = 1;

-- name: refunded
select count(*) from refunds;
";

fn shop() -> Project {
    Project::new([
        ("plimsoll.toml", CONFIG),
        ("migrations/0001_base.sql", BASE),
        ("migrations/0002_change.sql", CHANGE),
        ("seed.sql", SEED),
        ("queries/orders.sql", QUERIES),
        ("queries/orders.toml", "[of_customer]\ncustomer = 7\n[in_state]\nstate = 3\n"),
    ])
}

#[test]
fn check_says_what_is_wrong_and_what_it_saw() {
    let shop = shop();
    for major in MAJORS {
        let report = shop.check(major, &["migrations/0002_change.sql"]);
        assert_eq!((report.code, text(&report.json["verdict"])), (1, "danger"));
        assert_eq!(
            report.findings(),
            [
                "1 require-concurrent-index-creation error confirmed",
                "2 adding-foreign-key-constraint error confirmed",
                "3 adding-not-nullable-field error confirmed",
                "4 changing-column-type error confirmed",
                "5 require-lock-timeout warning confirmed",
                "8 require-concurrent-index-deletion warning confirmed",
                "9 ban-drop-column warning confirmed",
                "5 query-worse warning observed",
                "11 query-fails error observed",
            ]
        );
        assert_eq!(
            report.deeds(),
            [
                "ShareLock public.orders, scanned public.orders 20000, built public.orders_customer",
                "ShareRowExclusiveLock public.customers, ShareRowExclusiveLock public.orders, scanned public.customers \
             1000, scanned public.orders 20000",
                "AccessExclusiveLock public.orders, scanned public.orders 20000",
                "ShareLock public.orders, AccessExclusiveLock public.orders, AccessExclusiveLock public.orders_pkey, \
             AccessExclusiveLock public.orders_state, rewrote public.orders, scanned public.orders 20000, built \
             public.orders_customer, built public.orders_pkey, built public.orders_state",
                "AccessExclusiveLock public.customers",
                "ShareRowExclusiveLock public.orders, built public.refunds_pkey",
                "built public.refunds_order",
                "AccessExclusiveLock public.orders, AccessExclusiveLock public.orders_state",
                "AccessExclusiveLock public.orders",
            ]
        );
        for (at, statement) in report.statements().iter().enumerate() {
            assert_eq!(statement["statement"], at);
            assert_eq!(statement["file"], "migrations/0002_change.sql");
            assert_eq!((&statement["line"], &statement["transaction"]), (&json!(at + 1), &json!(at)));
            assert_eq!((&statement["in_transaction"], text(&statement["outcome"])), (&json!(false), "ok"));
            assert!(statement["wal_bytes"].as_u64() > Some(0), "{statement:#}");
        }
        let version = text(&report.json["rehearsal"]["server_version"]);
        assert!(version.starts_with(&major.to_string()), "{version}");
        assert_eq!(report.json["rehearsal"]["seeded"], true);
    }
}

#[test]
fn locks_tell_what_existed_before_the_change() {
    let report = shop().check(18, &["migrations/0002_change.sql"]);
    let lock = |relation: &str, mode: &str, existing: bool| json!({"relation": format!("public.{relation}"), "mode": mode, "existing": existing});
    let of_index = |relation: &str, table: &str, mode: &str, existing: bool| {
        let mut lock = lock(relation, mode, existing);
        lock["index_of"] = json!(format!("public.{table}"));
        lock
    };
    assert_eq!(
        report.statement("create index orders_customer")["locks"],
        json!([
            lock("orders", "ShareLock", true),
            of_index("orders_customer", "orders", "AccessExclusiveLock", false)
        ])
    );
    assert_eq!(
        report.statement("create table refunds")["locks"],
        json!([
            lock("orders", "AccessShareLock", true),
            lock("orders", "ShareRowExclusiveLock", true),
            of_index("orders_pkey", "orders", "AccessShareLock", true),
            lock("refunds", "AccessShareLock", false),
            lock("refunds", "ShareLock", false),
            lock("refunds", "ShareRowExclusiveLock", false),
            lock("refunds", "AccessExclusiveLock", false),
            of_index("refunds_pkey", "refunds", "AccessExclusiveLock", false)
        ])
    );
    let index = report.findings_of("require-concurrent-index-creation")[0];
    assert_eq!(
        index["location"],
        json!({"file": "migrations/0002_change.sql", "line": 1, "column": 1, "end_line": 1, "end_column": 53})
    );
    let foreign_key = report.findings_of("adding-foreign-key-constraint")[0];
    assert_eq!((&foreign_key["statement"], &foreign_key["location"]["column"]), (&json!(1), &json!(20)));
}

#[test]
fn queries_tell_how_they_fared() {
    let shop = shop();
    for major in MAJORS {
        let report = shop.check(major, &["migrations/0002_change.sql"]);
        assert_eq!(
            report.queries(),
            ["of_customer better", "in_state worse", "customers same", "notes failed", "refunded new"]
        );
        let worse = report.query("in_state");
        let buffers = |when: &str| worse[when]["shared_buffers"].as_u64().unwrap();
        assert!(buffers("before") * 2 < buffers("after"), "{worse:#}");
        assert_eq!((&worse["before"]["runs"], &worse["before"]["rows"]), (&json!(2), &json!(40)));
        let plan = |when: &str| text(&worse[when]["plan"]["label"]).to_owned();
        assert_eq!(plan("before"), "Bitmap Heap Scan on public.orders");
        assert_eq!(plan("after"), "Seq Scan on public.orders");
        let failed = report.query("notes");
        assert_eq!(
            failed["reasons"],
            json!([
                "column \"note\" does not exist (at queries/orders.sql:11:8) (SQLSTATE 42703)",
                "broken by migrations/0002_change.sql:9 (`alter table orders drop column note`)"
            ])
        );
        assert!(failed["after"].is_null() && !failed["before"].is_null());
        assert!(report.query("refunded")["before"].is_null());
    }
}

#[test]
fn each_verb_leaves_out_what_it_has_nothing_for() {
    let shop = shop();
    let new = "migrations/0002_change.sql";
    let lint = shop.run(&["lint", "--format", "json", new]).report();
    assert!(lint.json.get("rehearsal").is_none() && lint.json.get("queries").is_none(), "{:#}", lint.json);
    assert_eq!(lint.findings().len(), 7);
    assert!(lint.findings().iter().all(|finding| finding.ends_with(" claimed")));
    let rehearse = shop.run(&["rehearse", "--format", "json", "--postgres", "15", new]).report();
    assert!(rehearse.json.get("queries").is_none());
    assert_eq!(rehearse.statements().len(), 9);
    assert!(
        rehearse.findings().iter().all(|finding| finding.ends_with(" observed")),
        "{:?}",
        rehearse.findings()
    );
    assert!(list(&rehearse.json["findings"]).iter().any(|finding| finding["rule"] == "unclaimed-hazard"));
}

#[test]
fn no_seed_means_no_rows_but_the_same_hazards() {
    let report = shop().check(18, &["--no-seed", "migrations/0002_change.sql"]);
    assert_eq!(report.json["rehearsal"]["seeded"], false);
    assert!(report.notes()[0].starts_with("No rows were loaded"), "{:?}", report.notes());
    assert_eq!(report.findings()[..6], shop().check(18, &["migrations/0002_change.sql"]).findings()[..6]);
    assert!(report.deeds()[0].contains("scanned public.orders 0"), "{:?}", report.deeds());
}

#[test]
fn fail_on_decides_the_exit_code() {
    let shop = Project::new([
        ("migrations/1.sql", "create table t (id int, n int);"),
        ("migrations/2.sql", "set lock_timeout = '1s';\nalter table t drop column n;"),
    ]);
    let code = |fail_on: &str| shop.run(&["lint", "--fail-on", fail_on, "migrations/2.sql"]).status.code();
    assert_eq!(["error", "warning", "note", "never"].map(code), [Some(0), Some(1), Some(1), Some(0)]);
    assert_eq!(
        shop.run(&["lint", "--format", "json", "migrations/2.sql"]).report().json["verdict"],
        "caution"
    );
}

#[test]
fn every_format_is_written_in_one_run() {
    let shop = shop();
    let formats = ["html", "markdown", "sarif", "junit", "github", "gitlab", "json", "terminal"];
    let reports: Vec<String> =
        formats.iter().map(|format| format!("--report={format}=out-{format}")).collect();
    let mut arguments = vec!["check", "--postgres", "15", "--no-seed", "migrations/0002_change.sql"];
    arguments.extend(reports.iter().map(String::as_str));
    shop.run(&arguments).prints(1, &["error[changing-column-type]"]);
    for format in formats {
        let report = std::fs::read_to_string(shop.path().join(format!("out-{format}"))).unwrap();
        assert!(report.contains("changing-column-type"), "{format}: {report}");
    }
}
