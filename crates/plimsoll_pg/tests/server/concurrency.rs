//! Programs at the same time don't disturb each other, even with an empty cache.

use plimsoll_pg::server::PrivateServer;

use crate::support::{Ground, binaries, start};

#[tokio::test]
async fn many_starts_at_once_share_one_new_template() {
    let ground = Ground::new();
    let options = ground.options_with_own_cache();
    let servers: Vec<PrivateServer> = std::thread::scope(|scope| {
        let starts: Vec<_> = [15, 18, 15, 18]
            .map(|major| {
                scope.spawn({
                    let options = &options;
                    move || start(&binaries(major), options)
                })
            })
            .into();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    for server in &servers {
        server.create_database("same_name").await.unwrap();
    }
    let templates = std::fs::read_dir(options.cache.templates()).unwrap();
    let folders = templates.filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(folders.count(), 2);
    drop(servers);
    ground.check_nothing_remains();
}

#[tokio::test]
async fn stopping_one_leaves_the_other() {
    let ground = Ground::new();
    let (first, second) = (ground.start(18), ground.start(18));
    first.stop().unwrap();
    assert!(second.is_alive());
    second.create_database("still_here").await.unwrap();
}
