//! Masking: no value of before is anywhere in a trunk, what was joined still is, and what can't be done is refused in time.

use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::production::Production;
use crate::stateful::Stateful;

const RULES: &str = r#"
[masking]
key_from = "MASKING_KEY"

[[masking.rule]]
column = "public.people.email"
with = "fake"

[[masking.rule]]
column = "public.people.name"
with = "fake"

[[masking.rule]]
name = "*phone*"
with = "fake"

[[masking.rule]]
column = "people.ssn"
with = "hash"

[[masking.rule]]
column = "people.id"
with = "hash"

[[masking.rule]]
column = "people.notes"
with = "fixed"
value = "it's gone"

[[masking.rule]]
column = "people.born"
with = "date-shift"
days = 40
by = "id"

[[masking.rule]]
column = "visits.at"
with = "date-shift"
days = 40
by = "person"

[[masking.rule]]
column = "people.token"
with = "hash"

[[masking.rule]]
column = "people.extra"
with = "null"

[[masking.rule]]
column = "people.tags"
with = "null"

[[masking.rule]]
column = "people.salary"
with = "shuffle"

[[masking.rule]]
column = "people.photo"
with = "hash"

[[masking.rule]]
type = "inet"
with = "fake"

[[masking.rule]]
column = "events.actor"
with = "fake"

[[masking.rule]]
column = "other.*.ssn"
with = "hash"

[[masking.rule]]
column = "public.nobody.*"
with = "null"

[[masking.rule]]
column = "people.address"
with = "keep"
"#;

/// Values of before have one of these words in them, in one case or another.
const PLANTED: &str = "zorblax|quizzlefrom|76543210987|wibblethwack|snorfblat";

const SCHEMA: &str = "
    create schema other;
    create domain mail as text check (value like '%@%');
    create extension citext;
    create table people (
        id int generated always as identity primary key, email mail not null unique, name varchar(60), home_phone text,
        ssn char(40), notes text, born date, token uuid, extra jsonb, tags text[], salary numeric(10, 2), photo bytea, last_ip inet,
        address text, shown text generated always as (lower(name)) stored, check (length(name) > 3));
    insert into people (email, name, home_phone, ssn, notes, born, token, extra, tags, salary, photo, last_ip, address)
        select 'Zorblax.' || g || '@quizzlefrom-mail.example.com', 'Zorblax Quizzlefrom' || chr(97 + g % 26) || chr(97 + g / 26 % 26),
            '+49 76543210987-' || lpad(g::text, 5, '0'), 'zorblax-ssn-' || g, case when g % 10 = 0 then repeat('wibblethwack ' || g || md5(g::text), 300) else 'wibblethwack' || g end,
            date '1970-01-01' + g, gen_random_uuid(), jsonb_build_object('deep', jsonb_build_array('snorfblat' || g)),
            array['snorfblat' || g, 'x'], g, convert_to('wibblethwack photo ' || g, 'UTF8'), '203.0.113.7', 'a street ' || g
        from generate_series(1, 3000) g;
    insert into people (email, name) values ('same@quizzlefrom.example.com', 'Zorblax Same'), ('Bob@Quizzlefrom.example.com', 'Jörg Zorblax Ñandú');
    update people set name = 'Zorblax Commonest' where id % 3 = 0;
    create index on people (lower(name));
    create index on people (email, name);
    create statistics s (mcv) on name, home_phone from people;
    create unique index on people (lower(email));
    create table visits (person int not null references people, at timestamptz, primary key (person, at));
    insert into visits select id, timestamptz '2020-01-01' + id * interval '1 hour' from people where id <= 3000;
    insert into visits select id, timestamptz '2020-01-09' + id * interval '1 hour' from people where id <= 3000;
    create table other.cards (ssn char(40), card text);
    insert into other.cards select ssn, 'card ' || id from people where ssn is not null;
    create table events (at date, actor text, what text) partition by range (at);
    create table events_old partition of events for values from (minvalue) to ('2020-01-01');
    create table events_new partition of events for values from ('2020-01-01') to (maxvalue);
    create index on events (actor);
    insert into events select date '2019-06-01' + g % 600, 'Zorblax Actor Snorfblat ' || g, 'did' from generate_series(1, 2000) g;
    create materialized view by_name as select name, count(*) from people group by name;
    create unique index on by_name (name);
    create view seen as select email, name from people;
    create table audit (at timestamptz default now(), row_text text);
    create function told() returns trigger language plpgsql as $$ begin insert into audit (row_text) values (old::text); return new; end $$;
    create trigger told after update on people for each row execute function told();
    alter table people enable always trigger told;
    alter table people enable row level security;
    create publication p for table people;
    analyze;
    delete from people where id between 2900 and 2910 and not exists (select from visits where person = id)";

fn count_of(stateful: &Stateful, sql: &str) -> String {
    stateful.query("a", sql)
}

/// Files that have a planted word.
fn leaks(folder: &std::path::Path) -> String {
    let output = Command::new("grep").args(["-raoiE", "-m", "3", PLANTED]).arg(folder).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn masked(stateful: &Stateful, source: &str, arguments: &[&str]) -> crate::project::Ended {
    let all = [&["trunk", "create", "main", "--from", source], arguments].concat();
    stateful.plimsoll(&all).env("MASKING_KEY", "a secret of the company").run()
}

fn check(major: u32) {
    let production = Production::start(major, "wal_level = logical\nautovacuum = off\n");
    production.psql("postgres", "create database shop");
    production.psql("shop", SCHEMA);
    production.psql("shop", "create function refused() returns event_trigger language plpgsql as $$ begin raise 'no such change here'; end $$");
    production.psql("shop", "create event trigger refused on ddl_command_start when tag in ('CREATE SCHEMA') execute function refused(); alter event trigger refused enable always");
    // What takes no connections is as full of them.
    production.psql("postgres", "create database closed");
    production.psql(
        "closed",
        "create table people (email text); insert into people values ('Zorblax@quizzlefrom.example.com')",
    );
    production.psql("postgres", "alter database closed allow_connections false");
    let before = production.psql(
        "shop",
        "select count(*), count(distinct email), count(distinct name), sum(salary) from people",
    );
    assert!(!leaks(&production.data()).is_empty());
    let stateful = Stateful::new([("plimsoll.toml", RULES)]);
    let made = masked(&stateful, &production.url("shop"), &["--fast-checkpoint"]);
    made.fails(
        0,
        &[
            "visits.person is masked as public.people.id is",
            "(column = \"public.nobody.*\") matches no column",
            "none is left",
        ],
    );
    assert_eq!(leaks(stateful.state()), "");
    stateful.succeed(&["branch", "create", "a", "--from", "main", "--require-masking"]);
    let query = |sql: &str| count_of(&stateful, sql);
    assert_eq!(
        query("select count(*), count(distinct email), count(distinct name), sum(salary) from people"),
        before
    );
    // Shapes stay, and joins.
    assert_eq!(
        query(
            "select count(*) from people where email !~ '^[A-Z][a-z]{6}\\.\\d+@[a-z]{11}-[a-z]{4}\\.[a-z]{7}\\.com$'"
        ),
        "2"
    );
    assert_eq!(
        query("select count(distinct split_part(email, '@', 2)) from people where email like '%-%'"),
        "1"
    );
    assert_eq!(query("select count(*) from people where home_phone !~ '^\\+\\d\\d \\d{11}-\\d{5}$'"), "0");
    assert_eq!(query("select count(*) from people join visits on person = id"), "6000");
    assert_eq!(query("select count(*) from people join other.cards using (ssn)"), "3000");
    assert_eq!(query("select count(distinct ssn) from people"), "3000");
    assert_eq!(query("select count(*) from people where shown = lower(name)"), "3002");
    assert_eq!(
        query("select count(*), count(extra), count(tags), min(notes) from people"),
        "3002|0|0|it's gone"
    );
    // Whole days, the same of one person.
    assert_eq!(
        query(
            "select count(distinct person) from visits group by person having max(at) - min(at) <> interval '8 days'"
        ),
        ""
    );
    assert_eq!(query("select count(*) from visits where extract(minute from at) <> 0"), "0");
    assert_eq!(query("select count(*), count(distinct actor) from events"), "2000|2000");
    assert_eq!(query("select sum(count) from by_name"), "3002");
    assert_eq!(query("select count(*) from audit"), "0");
    // All is as it was.
    assert_eq!(
        query("select count(*) from pg_index where not (indisvalid and indisready and indislive)"),
        "0"
    );
    assert_eq!(query("select string_agg(tgenabled::text, '') from pg_trigger where tgname = 'told'"), "A");
    assert_eq!(
        query("select attidentity from pg_attribute where attrelid = 'people'::regclass and attname = 'id'"),
        "a"
    );
    assert_eq!(query("select string_agg(evtenabled::text, '') from pg_event_trigger"), "A");
    assert_eq!(query("select pubupdate, pubdelete from pg_publication"), "t|t");
    assert_eq!(query("select count(*) from pg_namespace where nspname like 'plimsoll%'"), "0");
    assert_eq!(query("select datallowconn from pg_database where datname = 'closed'"), "f");
    assert_eq!(query("select count(*) > 5 from pg_stats where tablename = 'people'"), "t");
    assert!(query("explain select * from people where lower(email) = 'x@y'").contains("Index"));
    query(
        "create extension amcheck; select bt_index_check(indexrelid, true) from pg_index join pg_class on oid = indexrelid where indrelid >= 16384 and relkind = 'i'",
    );
    query("insert into people (email, name) values ('new@example.com', 'Newton')");
    let key = Command::new("grep")
        .args(["-rlaE", "a secret of the company|61207365637265742"])
        .arg(stateful.state())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&key.stdout), "");
    let listed = stateful.succeed(&["trunk", "list", "--format", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let trunk = &json["trunks"][0];
    assert_eq!(trunk["masked"], true);
    assert_eq!(trunk["masking"]["unmasked"], serde_json::json!([]));
    let columns = trunk["masking"]["columns"].as_array().unwrap();
    let email = columns.iter().find(|column| column["column"] == "public.people.email").unwrap();
    assert_eq!((email["with"].as_str(), email["rule"].as_str()), (Some("fake"), Some("plimsoll.toml:6:10")));
    // The same key, the same values, whatever the source; and a copy isn't masked twice.
    let dump = production.path().join("dump").display().to_string();
    production.tool("pg_dump", &["-Fc", "-f", &dump, "shop"]);
    let first = query(
        "select md5(string_agg(email || name || id, ',' order by id)) from people where id > 10 and name not like 'New%'",
    );
    let majors = ["trunk", "create", "dumped", "--from", &dump, "--postgres", &major.to_string()];
    stateful
        .plimsoll(&majors)
        .env("MASKING_KEY", "a secret of the company")
        .run()
        .fails(0, &["none is left"]);
    assert_eq!(leaks(stateful.state()), "");
    stateful
        .plimsoll(&["trunk", "create", "twin", "--from", "main"])
        .env("MASKING_KEY", "another secret of it")
        .run()
        .fails(0, &[]);
    for name in ["dumped", "twin"] {
        stateful.succeed(&["branch", "create", name, "--from", name, "--require-masking"]);
        let sql = "select md5(string_agg(email || name || id, ',' order by id)) from people where id > 10 and name not like 'New%'";
        assert_eq!(stateful.query(name, sql), first, "{name}");
    }
    assert_eq!(leaks(stateful.state()), "");
}

#[test]
fn nothing_of_before_is_left_on_15() {
    check(15);
}

#[test]
fn nothing_of_before_is_left_on_18() {
    check(18);
}

#[test]
fn what_a_rule_cannot_do_is_told_before_anything_is_changed() {
    let stateful = Stateful::new([
        ("plimsoll.toml", ""),
        (
            "dump.sql",
            "create table t (id int primary key, code varchar(8) unique, name text not null, n int, d date, flag bool, part text check (part = 'wheel'));
             create table child (t int references t, code varchar(8) references t (code));
             insert into t values (1, 'a', 'b', 1, now(), true, 'wheel');",
        ),
    ]);
    let check = |rule: &str, code: i32, expected: &[&str]| {
        stateful.project.write("plimsoll.toml", format!("[masking]\n[[masking.rule]]\n{rule}\n"));
        stateful.run(&["trunk", "create", "main", "--from", "dump.sql"]).fails(code, expected);
    };
    for (rule, expected) in [
        (
            "column = \"t.name\"\nwith = \"nul\"",
            "plimsoll.toml:4:8: unknown way of masking `nul`; did you mean `null`?",
        ),
        ("column = \"name\"\nwith = \"null\"", "plimsoll.toml:3:10: `name` is no column"),
        ("with = \"null\"", "plimsoll.toml:3:8: a rule needs a column"),
        ("column = \"t.n\"\nwith = \"fixed\"", "plimsoll.toml:4:8: \"fixed\" needs a `value`"),
        (
            "column = \"t.n\"\nwith = \"hash\"\nvalue = 1",
            "plimsoll.toml:5:9: `value` is for with = \"fixed\" alone",
        ),
        ("column = \"t.n\"\nwith = \"hash\"\ndays = 1", "plimsoll.toml:5:8: `days` is for"),
        ("column = \"t.d\"\nwith = \"date-shift\"\ndays = 0", "plimsoll.toml:5:8: days = 0 is not between"),
        (
            "colum = \"t.d\"\nwith = \"null\"",
            "plimsoll.toml:3:1: unknown key `colum`; did you mean `column`?",
        ),
        ("column = \"t.name\"\nwith = \"null\"", "plimsoll.toml:3:10: public.t.name: it is NOT NULL"),
        (
            "column = \"t.n\"\nwith = \"fixed\"\nvalue = \"many\"",
            "plimsoll.toml:3:10: public.t.n: invalid input syntax for type integer",
        ),
        ("column = \"t.code\"\nwith = \"fixed\"\nvalue = \"x\"", "it is unique"),
        ("column = \"t.code\"\nwith = \"hash\"", "too few for a hash"),
        ("column = \"t.flag\"\nwith = \"hash\"", "can't be for boolean"),
        ("column = \"t.d\"\nwith = \"fake\"", "take \"date-shift\""),
        ("column = \"t.n\"\nwith = \"date-shift\"", "is for dates and timestamps"),
        ("column = \"t.d\"\nwith = \"date-shift\"\nby = \"who\"", "no column who"),
        ("column = \"child.t\"\nwith = \"fixed\"\nvalue = 7", "foreign key child_t_fkey"),
        (
            "column = \"child.t\"\nwith = \"hash\"\n[[masking.rule]]\ncolumn = \"t.id\"\nwith = \"keep\"",
            "foreign key child_t_fkey",
        ),
        ("column = \"t.part\"\nwith = \"fake\"", "violates check constraint \"t_part_check\""),
    ] {
        check(rule, 2, &[expected]);
        assert!(stateful.entries("building").is_empty() && stateful.entries("trunks").is_empty(), "{rule}");
    }
    stateful.project.write("plimsoll.toml", "[masking]\nkey_from = \"NO_SUCH_KEY\"\n");
    stateful
        .run(&["trunk", "create", "main", "--from", "dump.sql"])
        .fails(2, &["plimsoll.toml:2:12: the variable NO_SUCH_KEY is not set"]);
    check(
        "column = \"child.code\"\nwith = \"fake\"",
        0,
        &["public.t.code is masked as public.child.code is"],
    );
}

#[test]
fn what_looks_personal_is_told_or_refused() {
    let stateful = Stateful::new([
        ("plimsoll.toml", ""),
        (
            "dump.sql",
            "create table users (id int primary key, email text, zip text);
             create table log (line text);
             insert into users select g, 'zorblax' || g || '@quizzlefrom.example.com', g from generate_series(1, 50) g;
             insert into log select 'mail to ' || email from users;",
        ),
    ]);
    let create = ["trunk", "create", "main", "--from", "dump.sql"];
    let required = [&create[..], &["--require-masking"]].concat();
    stateful.run(&required).fails(2, &["there are no rules"]);
    stateful.run(&create).fails(0, &["2 columns look personal", "plimsoll: public.users.email"]);
    stateful.run(&["branch", "create", "a", "--require-masking"]).fails(2, &["trunk main isn't"]);
    let rule =
        |column: &str, with: &str| format!("[[masking.rule]]\ncolumn = \"{column}\"\nwith = \"{with}\"\n");
    stateful.project.write("plimsoll.toml", rule("users.email", "fake"));
    stateful.run(&["trunk", "refresh", "main", "--require-masking"]).fails(2, &["public.users.zip"]);
    // What another column has of a masked one is found.
    stateful.project.write("plimsoll.toml", rule("users.email", "fake") + &rule("users.zip", "keep"));
    stateful.run(&["trunk", "refresh", "main"]).fails(0, &["public.log.line"]);
    assert!(stateful.succeed(&["trunk", "list"]).stdout.contains("all but 1"));
    stateful.run(&["trunk", "refresh", "main", "--require-masking"]).fails(2, &["plimsoll: public.log.line"]);
    stateful.run(&["branch", "create", "a", "--require-masking"]).fails(2, &["columns without a rule"]);
    stateful.project.write(
        "plimsoll.toml",
        "[masking]\nrequire = true\n".to_owned()
            + &rule("users.email", "fake")
            + &rule("users.zip", "keep")
            + &rule("log.line", "null"),
    );
    stateful.run(&["trunk", "refresh", "main"]).fails(0, &["none is left"]);
    assert_eq!(leaks(&stateful.state().join("trunks")), "");
    stateful.succeed(&["branch", "create", "a"]);
    stateful.succeed(&["branch", "create", "b", "--from", "a"]);
    assert_eq!(stateful.query("b", "select count(*), count(distinct email) from users"), "50|50");
    // `require` holds wherever a branch is made.
    stateful.project.write("more.sql", "alter table users add column x int;");
    let check = ["check", "--on", "main", "more.sql"];
    stateful.run(&check).prints(0, &["Rehearsed on a branch of trunk main"]);
    stateful.project.write("plimsoll.toml", "[masking]\nrequire = false\n");
    stateful.project.write("plain.sql", "create table t (id int);");
    stateful.succeed(&["trunk", "create", "plain", "--from", "plain.sql"]);
    stateful.project.write("plimsoll.toml", "[masking]\nrequire = true\n");
    stateful.run(&["check", "--on", "plain", "more.sql"]).fails(2, &["trunk plain isn't"]);
}

#[test]
fn killed_while_masking_nothing_is_left() {
    let stateful = Stateful::new([
        (
            "plimsoll.toml",
            "[database]\nseed = \"seed.sql\"\n[[masking.rule]]\nname = \"email\"\nwith = \"fake\"\n",
        ),
        ("migrations/0001_init.sql", "create table users (id int primary key, email text unique);"),
        (
            "seed.sql",
            "insert into users select g, 'zorblax' || g || '@quizzlefrom.example.com' from generate_series(1, 1500) g;",
        ),
    ]);
    for number in 0..200_u32 {
        let running = stateful.plimsoll(&["trunk", "create", "main"]).start();
        std::thread::sleep(Duration::from_millis(450) * number);
        running.signal(Signal::KILL);
        let ended = running.end();
        stateful.succeed(&["branch", "gc"]);
        assert_eq!(leaks(stateful.state()), "", "{number}");
        for folder in ["building", "trash"] {
            assert!(stateful.entries(folder).is_empty(), "{folder}: {:?}", stateful.entries(folder));
        }
        if ended.status.code().is_some() {
            stateful.succeed(&["branch", "create", "a", "--require-masking"]);
            return;
        }
        if stateful.succeed(&["trunk", "list"]).stdout.contains("main") {
            stateful.succeed(&["trunk", "drop", "main"]);
        }
    }
    panic!("it never came to its end");
}
