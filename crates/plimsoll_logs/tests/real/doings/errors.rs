//! Errors of every kind that an application meets, and logins that fail.

use tokio_postgres::Client;

use super::Scene;

/// A statement of `wrong` that failed.
pub(crate) struct Wrong {
    pub(crate) text: &'static str,
    pub(crate) sqlstate: &'static str,
    pub(crate) normal_form: &'static str,
}

const fn one(text: &'static str, sqlstate: &'static str, normal_form: &'static str) -> Wrong {
    Wrong { text, sqlstate, normal_form }
}

pub(crate) async fn fail(scene: &Scene) -> Vec<Wrong> {
    let all = vec![
        one("select 1 / 0", "22012", "division by zero"),
        one("select * from boats2", "42P01", "relation \"boats2\" does not exist"),
        one("selec secret", "42601", "syntax error at or near \"?\""),
        one("select 'sec\"ret'::int", "22P02", "invalid input syntax for type integer: \"?\""),
        one(
            "insert into ships values (1, 'secret')",
            "23505",
            "duplicate key value violates unique constraint \"ships_pkey\"",
        ),
        one(
            "insert into ships values (0, null)",
            "23502",
            "null value in column \"name\" of relation \"ships\" violates not-null constraint",
        ),
        one(
            "insert into ships values (100000, 'secret')",
            "23514",
            "new row for relation \"ships\" violates check constraint \"ships_id_check\"",
        ),
        one("select secret(1)", "42883", "function secret(integer) does not exist"),
        one("select '99999999999'::int", "22003", "value \"?\" is out of range for type integer"),
        one("select date '2024-02-31'", "22008", "date/time field value out of range: \"?\""),
        one("do $$ begin raise exception 'no ship % of %', 17, 'a@b.org'; end $$", "P0001", "no ship ? of ?"),
        one("do $$ begin raise exception 'deadlock detected'; end $$", "P0001", "deadlock detected"),
    ];
    let client = scene.session("wrong").await;
    for wrong in &all {
        let error = client.batch_execute(wrong.text).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), wrong.sqlstate, "{}: {error:?}", wrong.text);
    }
    let client = scene.session("wrong_value").await;
    client.query("select 10 / $1::int4", &[&0_i32]).await.unwrap_err();
    all
}

/// Nobody of that name, a wrong password, a role that `pg_hba.conf` rejects, one that may not log in, and no such database.
pub(crate) async fn refused_logins(scene: &Scene, director: &Client) {
    let lines = "local all secret scram-sha-256\nlocal all rejected reject\nlocal all all trust\n";
    std::fs::write(scene.server.data_folder().join("pg_hba.conf"), lines).unwrap();
    // Two settings change with it, one of which can't.
    director.batch_execute("alter system set work_mem = '5MB'").await.unwrap();
    director.batch_execute("alter system set max_connections = 21").await.unwrap();
    director.batch_execute("select pg_reload_conf()").await.unwrap();
    scene.until_logged("parameter \\\"work_mem\\\" changed", 1).await;
    for (user, password, database) in [
        ("nobody_here", "", "postgres"),
        ("secret", "wrong", "postgres"),
        ("rejected", "", "postgres"),
        ("locked", "", "postgres"),
        ("postgres", "", "nothing_here"),
    ] {
        assert!(scene.login(user, password, database, "refused").await.is_err(), "{user} was let in");
    }
    scene.login("secret", "right", "postgres", "proven").await.unwrap();
}
