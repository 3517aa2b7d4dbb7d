//! Statements that are cancelled and sessions that are ended, each by an application of its own.

use super::{Scene, pause, process};

/// Who was interrupted, and in which way.
pub(crate) struct Interrupted {
    pub(crate) application: &'static str,
    /// The words that stand in the message behind `due to`.
    pub(crate) cause: &'static str,
    /// Whether the session ended with it.
    pub(crate) ends_session: bool,
}

pub(crate) async fn interrupt(scene: &Scene) -> Vec<Interrupted> {
    statement_timeout(scene).await;
    by_others(scene, "cancelled", "select pg_cancel_backend").await;
    by_others(scene, "terminated", "select pg_terminate_backend").await;
    idle(scene, "idler_in_transaction", "set idle_in_transaction_session_timeout = '200ms'", "begin").await;
    idle(scene, "idler", "select 1", "set idle_session_timeout = '200ms'").await;
    let one = |application, cause, ends_session| Interrupted { application, cause, ends_session };
    let mut all = vec![
        one("slow", "statement timeout", false),
        one("cancelled", "user request", false),
        one("terminated", "administrator command", true),
        one("idler_in_transaction", "idle-in-transaction timeout", true),
        one("idler", "idle-session timeout", true),
        one("impatient", "lock timeout", false),
    ];
    if scene.major >= 17 {
        idle(scene, "long_transaction", "set transaction_timeout = '200ms'", "begin").await;
        all.push(one("long_transaction", "transaction timeout", true));
    }
    all
}

async fn statement_timeout(scene: &Scene) {
    let client = scene.session("slow").await;
    client.batch_execute("set statement_timeout = '200ms'").await.unwrap();
    client.batch_execute("select pg_sleep(60)").await.unwrap_err();
}

async fn by_others(scene: &Scene, application: &str, function: &str) {
    let (client, other) = (scene.session(application).await, scene.session("interrupter").await);
    let process = process(&client).await;
    let interrupt = async {
        pause(200).await;
        other.batch_execute(&format!("{function}({process})")).await.unwrap();
    };
    let (result, ()) = tokio::join!(client.batch_execute("select pg_sleep(60)"), interrupt);
    result.unwrap_err();
}

async fn idle(scene: &Scene, application: &str, first: &str, then: &str) {
    let client = scene.session(application).await;
    client.batch_execute(first).await.unwrap();
    client.batch_execute(then).await.unwrap();
    while !client.is_closed() {
        pause(20).await;
    }
}
