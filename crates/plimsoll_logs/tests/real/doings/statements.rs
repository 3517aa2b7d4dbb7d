//! Statements of both protocols, plans, and one that only looks like a statement.

use super::Scene;

/// What was sent, by application.
pub(crate) struct Sent {
    /// Texts of `simple`, in order.
    pub(crate) simple: Vec<String>,
    /// What `extended` prepared, in order.
    pub(crate) prepared: Vec<&'static str>,
    /// What it then ran, with values.
    pub(crate) executed: Vec<(&'static str, Vec<Option<String>>)>,
    /// How often `portal` fetched further rows of a portal.
    pub(crate) fetched: usize,
    /// What `explained` ran, with the format of its plan.
    pub(crate) explained: Vec<(&'static str, String)>,
    /// The message that `forger` let a function log.
    pub(crate) forged: &'static str,
}

pub(crate) async fn send(scene: &Scene) -> Sent {
    let (prepared, executed) = extended(scene).await;
    let forged = "duration: 99999.000 ms  statement: forged";
    let forger = scene.session("forger").await;
    forger.batch_execute(&format!("do $$ begin raise log '{forged}'; end $$")).await.unwrap();
    Sent {
        simple: simple(scene).await,
        prepared,
        executed,
        fetched: portal(scene).await,
        explained: explained(scene).await,
        forged,
    }
}

async fn simple(scene: &Scene) -> Vec<String> {
    let client = scene.session("simple").await;
    let mut texts: Vec<String> = (0..20).map(|n| format!("select name from ships where id = {n}")).collect();
    texts.push("select\n\t1 -- in lines\n, 'O''Hara: \"x\"'".to_owned());
    texts.push("select 1; select 2".to_owned());
    texts.push("/* ünïcode */ select '…'".to_owned());
    for text in &texts {
        client.batch_execute(text).await.unwrap();
    }
    texts
}

async fn extended(scene: &Scene) -> (Vec<&'static str>, Vec<(&'static str, Vec<Option<String>>)>) {
    let client = scene.session("extended").await;
    let sum = "select $1::int4 + $2::int4";
    let text = "select $1::text, $2::text";
    let mut executed = Vec::new();
    let prepared = client.prepare(sum).await.unwrap();
    for n in 0..12_i32 {
        client.query(&prepared, &[&n, &7]).await.unwrap();
        executed.push((sum, vec![Some(n.to_string()), Some("7".to_owned())]));
    }
    let prepared = client.prepare(text).await.unwrap();
    for value in ["O'Hara", "a, $2 = 'b'", "in\nlines", "", "it''s"] {
        client.query(&prepared, &[&value, &None::<String>]).await.unwrap();
        executed.push((text, vec![Some(value.to_owned()), None]));
    }
    (vec![sum, text], executed)
}

async fn portal(scene: &Scene) -> usize {
    let mut client = scene.session("portal").await;
    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("select id from ships order by id", &[]).await.unwrap();
    for _ in 0..4 {
        assert_eq!(transaction.query_portal(&portal, 10).await.unwrap().len(), 10);
    }
    transaction.commit().await.unwrap();
    3
}

async fn explained(scene: &Scene) -> Vec<(&'static str, String)> {
    let client = scene.session("explained").await;
    client.batch_execute("load 'auto_explain'").await.unwrap();
    client.batch_execute("set auto_explain.log_min_duration = 0").await.unwrap();
    client.batch_execute("set auto_explain.log_analyze = on").await.unwrap();
    let mut explained = Vec::new();
    for format in ["text", "json", "yaml", "xml"] {
        client.batch_execute(&format!("set auto_explain.log_format = {format}")).await.unwrap();
        for text in [
            "select count(*) from ships where name < 'x & y'",
            "select name,\n\tid\nfrom ships\n  where id > 990",
        ] {
            client.batch_execute(text).await.unwrap();
            explained.push((format, text.to_owned()));
        }
    }
    explained
}
