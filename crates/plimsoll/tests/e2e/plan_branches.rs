//! Plan branches: production's plans without its rows, from a server, a capture, or a dump with statistics.

use std::path::PathBuf;
use std::process::Command;

use crate::production::Production;
use crate::project::programs;
use crate::stateful::Stateful;

const EXPLAIN: &str = "explain (costs off) select * from customers where id between 5 and 9";

/// A server with customers.
fn shop(major: u32) -> Production {
    let production = Production::start(major, "work_mem = 13MB\nautovacuum = off\n");
    production.psql("postgres", "create database shop");
    production.psql("postgres", "alter database shop set random_page_cost = 1.5");
    production.psql(
        "shop",
        "create table customers (id int primary key, name text not null, city text);
         insert into customers select g, 'Zebediah Quetzalcoatl ' || g, 'city' || g % 50 from generate_series(1, 60000) g;
         create index customers_city_idx on customers (city); vacuum analyze",
    );
    production
}

fn check_plan_branch(major: u32) {
    let production = shop(major);
    let stateful = Stateful::new([("plimsoll.toml", "")]);
    let (explain, expected) = (EXPLAIN, production.psql("shop", EXPLAIN));
    let url = production.url("shop");
    let made = stateful.succeed(&["branch", "create", "plans", "--plans-of", &url]);
    assert!(
        made.stderr.contains("one read-only transaction") && made.stderr.contains("of the plans of"),
        "{}",
        made.shown()
    );
    assert_eq!(stateful.query("plans", explain), expected);
    assert_eq!(stateful.query("plans", "show work_mem"), "13MB");
    assert!(stateful.query("plans", "select pg_relation_size('customers') > 3000000") == "t");
    let room = stateful.listed("plans").unwrap()["own_bytes"].as_u64().unwrap();
    assert!(room < 50 << 20, "{room}");
    // As an index that isn't there in production.
    let by_name = "explain (costs off) select id from customers where name = 'x'";
    assert!(stateful.query("plans", by_name).contains("Seq Scan"));
    stateful.query("plans", "create index by_name on customers (name)");
    assert!(stateful.query("plans", by_name).contains("by_name"));
    let capture = ["branch", "capture", &url, "--output", "shop.plans"];
    stateful.succeed(&capture);
    let captured = std::fs::read_to_string(stateful.project.path().join("shop.plans")).unwrap();
    assert!(captured.contains("customers_city_idx") && !captured.contains("Quetzalcoatl"));
    production.stop();
    stateful.succeed(&["branch", "create", "later", "--plans-of", "shop.plans", "--postgres", "18"]);
    assert_eq!(stateful.query("later", explain), expected);
    assert!(stateful.query("later", "show server_version_num").starts_with("18"));
    // Its copy has the holes, and no more.
    stateful.succeed(&["branch", "create", "copy", "--from", "later"]);
    assert_eq!(stateful.query("copy", explain), expected);
    stateful.run(&["branch", "reset", "later"]).fails(2, &["create it anew"]);
    stateful.run(&["branch", "diff", "later"]).fails(2, &["no parent here"]);
    stateful.run(&["branch", "create", "x", "--plans-of", "plimsoll.toml"]).fails(2, &["plimsoll.toml"]);
    assert!(stateful.listed("x").is_none() && stateful.entries("building").is_empty());
}

#[test]
fn production_plans_without_its_rows_on_15() {
    check_plan_branch(15);
}

#[test]
fn production_plans_without_its_rows_on_18() {
    check_plan_branch(18);
}

/// What `pg_dump` of PostgreSQL 18 writes of the database `shop`.
fn dump(production: &Production, stateful: &Stateful, name: &str, arguments: &[&str]) -> PathBuf {
    let path = stateful.project.path().join(name);
    let mut command = Command::new(programs(18).join("pg_dump"));
    command.args(arguments).arg("--file").arg(&path).arg("--dbname").arg(production.url("shop"));
    assert!(command.status().unwrap().success());
    path
}

/// Of a branch that was made of a dump.
#[track_caller]
fn check_plans(stateful: &Stateful, branch: &str, expected: &str) {
    assert_eq!(stateful.query(branch, EXPLAIN), expected);
    let sizes = "select count(*), pg_relation_size('customers') > 3000000, pg_relation_size('customers_city_idx') > 300000 from customers";
    assert_eq!(stateful.query(branch, sizes), "0|t|t");
}

const NAMES: &str =
    "select histogram_bounds::text like '%Quetzalcoatl%' from pg_stats where attname = 'name'";

#[test]
fn a_dump_of_18_has_plans_too() {
    let production = shop(18);
    let expected = production.psql("shop", EXPLAIN);
    let stateful = Stateful::new([("plimsoll.toml", "")]);
    dump(&production, &stateful, "shop.custom", &["--no-data", "--statistics", "--format=custom"]);
    // With rows, whose texts look like a dump's own.
    production.psql(
        "shop",
        "create table notes (note text); insert into notes values \
         (e'\\\\.\\n--\\n-- Name: evil; Type: TABLE; Schema: public; Owner: x\\n--\\n\\ncreate table evil();\\n');
         insert into notes select note from notes, generate_series(1, 9); analyze notes",
    );
    dump(
        &production,
        &stateful,
        "whole.sql",
        &["--statistics", "--create", "--inserts", "--rows-per-insert=1000"],
    );
    dump(&production, &stateful, "schema.sql", &["--schema-only"]);
    dump(&production, &stateful, "statistics.sql", &["--statistics-only"]);
    dump(&production, &stateful, "shop.dir", &["--schema-only", "--format=directory"]);
    production.stop();
    let made = stateful.succeed(&["branch", "create", "custom", "--plans-of", "shop.custom"]);
    for note in ["random_page_cost and work_mem, aren't in a dump", "the ends of indexes"] {
        assert!(made.stderr.contains(note), "{}", made.shown());
    }
    assert!(!made.stderr.contains("has rows") && !made.stderr.contains("order in which"), "{}", made.shown());
    check_plans(&stateful, "custom", &expected);
    // The database's own settings are in it, the server's aren't.
    assert_eq!(stateful.query("custom", "show random_page_cost"), "1.5");
    assert_eq!(stateful.query("custom", "show work_mem"), "4MB");
    assert_eq!(stateful.query("custom", NAMES), "f");
    let made = stateful.succeed(&["branch", "create", "whole", "--plans-of", "whole.sql", "--keep-values"]);
    for note in
        ["the dump has rows: only schema and statistics are taken", "order in which indexes were made"]
    {
        assert!(made.stderr.contains(note), "{}", made.shown());
    }
    check_plans(&stateful, "whole", &expected);
    assert_eq!(stateful.query("whole", NAMES), "t");
    assert_eq!(stateful.query("whole", "select count(*), to_regclass('evil') from notes"), "0|");
    let two = ["--plans-of", "shop.dir", "--statistics", "statistics.sql"];
    stateful.succeed(&[&["branch", "create", "two"][..], &two].concat());
    check_plans(&stateful, "two", &expected);
    let url = "postgres://localhost/shop";
    let cut = std::fs::read(stateful.project.path().join("shop.custom")).unwrap();
    std::fs::write(stateful.project.path().join("cut.custom"), &cut[..cut.len() / 2]).unwrap();
    for (plans_of, statistics, why) in [
        ("schema.sql", None, "no statistics in it; `pg_dump --no-data --statistics"),
        ("shop.dir", None, "no statistics in it"),
        ("statistics.sql", None, "there is no table in it"),
        ("schema.sql", Some("schema.sql"), "no statistics in it"),
        ("schema.sql", Some("nonesuch.sql"), "nonesuch.sql"),
        ("cut.custom", None, "pg_restore: error:"),
        (url, Some("statistics.sql"), "--statistics goes with a dump"),
    ] {
        let statistics = statistics.map_or(vec![], |path| vec!["--statistics", path]);
        let arguments = [&["branch", "create", "x", "--plans-of", plans_of][..], &statistics].concat();
        stateful.run(&arguments).fails(2, &[why]);
    }
    assert!(stateful.listed("x").is_none() && stateful.entries("building").is_empty());
}

#[test]
fn a_dump_of_15_is_planned_by_15() {
    let production = shop(15);
    let expected = production.psql("shop", EXPLAIN);
    let stateful = Stateful::new([("plimsoll.toml", "")]);
    dump(&production, &stateful, "shop.custom", &["--statistics", "--format=custom"]);
    let made = stateful.succeed(&["branch", "create", "old", "--plans-of", "shop.custom"]);
    assert!(made.stderr.contains("the dump has rows"), "{}", made.shown());
    assert!(stateful.query("old", "show server_version_num").starts_with("15"));
    check_plans(&stateful, "old", &expected);
    // All extensions that are missing here are named, and nothing is made.
    let url = production.url("shop");
    stateful.succeed(&["branch", "capture", &url, "--output", "shop.plans"]);
    production.psql(
        "shop",
        "set allow_system_table_mods = on; insert into pg_extension select 99000 + n, 'strange' || n, 10, 2200, false, '1.0' \
         from generate_series(1, 2) n",
    );
    dump(&production, &stateful, "strange.sql", &["--statistics"]);
    stateful.succeed(&["branch", "capture", &url, "--output", "strange.plans"]);
    for plans_of in [url.as_str(), "strange.plans", "strange.sql"] {
        let arguments = ["branch", "create", "x", "--plans-of", plans_of];
        stateful.run(&arguments).fails(2, &["aren't installed for PostgreSQL 15", ": strange1, strange2;"]);
    }
    assert!(stateful.listed("x").is_none() && stateful.entries("building").is_empty());
    production.stop();
}
