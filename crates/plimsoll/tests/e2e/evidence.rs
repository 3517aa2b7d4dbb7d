//! Claims meet facts: each kind of evidence, from a real server.

use crate::project::{MAJORS, Project};
use crate::report::list;

const BASE: &str = "create table t (id int primary key, n int, code varchar(10), at text);\n\
                    create domain short_code as varchar(10);\n\
                    create domain checked_code as varchar(10) check (value <> '');\n\
                    create function one() returns int language sql immutable as 'select 1';\n\
                    create function dice() returns int language sql volatile as 'select (random() * 6)::int';\n";

/// Checks a change on each version. A finding is shown as `LINE rule severity kind`.
fn check(change: &str, verdict: &str, expected: &[&str]) {
    let project = Project::new([("migrations/1.sql", BASE), ("migrations/2.sql", change)]);
    for major in MAJORS {
        let report = project.check(major, &["migrations/2.sql"]);
        assert_eq!(report.findings(), expected, "on {major}: {:#}", report.json);
        assert_eq!(report.json["verdict"], verdict);
        assert_eq!(report.code, i32::from(verdict == "danger"));
    }
}

#[test]
fn a_server_confirms_a_claim() {
    check(
        "set lock_timeout = '1s';\nalter table t alter column n type bigint;",
        "danger",
        &["2 changing-column-type error confirmed"],
    );
}

#[test]
fn a_server_refutes_a_claim_about_a_branch_that_is_not_taken() {
    check(
        "set lock_timeout = '1s';\ndo $$ begin if false then alter table t alter n type bigint; end if; end $$;",
        "safe",
        &["2 changing-column-type note refuted"],
    );
}

#[test]
fn a_domain_without_a_check_is_its_base_type() {
    check("set lock_timeout = '1s';\nalter table t alter column code type short_code;", "safe", &[]);
    check(
        "set lock_timeout = '1s';\nalter table t alter column code type checked_code;",
        "danger",
        &["2 changing-column-type error confirmed"],
    );
}

#[test]
fn defaults_by_own_functions_are_as_volatile_as_they_say() {
    check("set lock_timeout = '1s';\nalter table t add column a int default one();", "safe", &[]);
    check(
        "set lock_timeout = '1s';\nalter table t add column b int default dice();",
        "danger",
        &["2 adding-field-with-default error confirmed"],
    );
}

#[test]
fn what_only_the_server_sees_is_observed() {
    check(
        "do $$ begin execute 'alter table ' || 't' || ' alter column n type bigint'; end $$;",
        "danger",
        &["1 unclaimed-hazard error observed", "1 opaque-dynamic-sql note observed"],
    );
    check(
        "do $$ begin execute 'alter table ' || 't' || ' drop column n'; end $$;",
        "caution",
        &["1 unclaimed-hazard warning observed", "1 opaque-dynamic-sql note observed"],
    );
    check(
        "set lock_timeout = '1s';\ndo $$ begin execute 'alter table ' || 't' || ' drop column n'; end $$;",
        "safe",
        &["2 opaque-dynamic-sql note observed"],
    );
}

#[test]
fn a_claim_about_a_failing_statement_stays_a_claim() {
    let change = "create index t_m on t (m);";
    let project = Project::new([("migrations/1.sql", BASE), ("migrations/2.sql", change)]);
    let report = project.check(15, &["migrations/2.sql"]);
    assert_eq!(
        report.findings(),
        ["1 require-concurrent-index-creation error claimed", "1 statement-fails error observed"]
    );
    let failure = report.findings_of("statement-fails")[0];
    assert_eq!(
        list(&failure["evidence"]["facts"])[0],
        "failed: column \"m\" does not exist (SQLSTATE 42703)"
    );
    assert_eq!(failure["location"]["line"], 1);
}

#[test]
fn a_table_of_the_same_change_is_nobodys_business() {
    check(
        "create table u (id int, n int);\ncreate index u_n on u (n);\nalter table u alter column n type bigint;\nalter \
         table u alter column n set not null;\ndrop table u;",
        "safe",
        &[],
    );
}

#[test]
fn a_validated_check_spares_the_scan() {
    let prepare = "alter table t add constraint n_there check (n is not null) not valid;\n\
                   alter table t validate constraint n_there;\n";
    let change = "set lock_timeout = '1s';\nalter table t alter column n set not null;";
    let project = Project::new([
        ("migrations/1.sql", BASE),
        ("migrations/2.sql", prepare),
        ("migrations/3.sql", change),
    ]);
    for major in MAJORS {
        let report = project.check(major, &["migrations/3.sql"]);
        assert_eq!(report.findings(), Vec::<String>::new());
        assert_eq!(report.deeds(), ["", "AccessExclusiveLock public.t"]);
    }
}

#[test]
fn relations_are_followed_through_renames_and_partitions() {
    let base = "create table t (n int);\ncreate table parts (n int) partition by range (n);\n\
                create table parts_1 partition of parts for values from (0) to (9);\n";
    let change = "begin;\nset local lock_timeout = '2s';\nalter table t rename to u;\n\
                  alter table u alter n set not null;\nalter table parts add column m int;\n\
                  alter table parts alter n set not null;\ncommit;\n";
    let project = Project::new([("migrations/1.sql", base), ("migrations/2.sql", change)]);
    for major in [15, 18] {
        assert_eq!(
            project.check(major, &["migrations/2.sql"]).findings(),
            [
                "3 renaming-table warning confirmed",
                "4 adding-not-nullable-field error confirmed",
                "5 avoid-wide-lock-window note confirmed",
                "6 adding-not-nullable-field error confirmed",
            ]
        );
    }
}
