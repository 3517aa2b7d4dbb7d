//! Authentication is between client and server: through the tap a client is let in, or refused in the same words, as it
//! is without.

use std::path::Path;
use std::process::Command;

use crate::clients::{clients, path, python};
use crate::project::Project;
use crate::served::Served;

const METHODS: [(&str, &str); 3] =
    [("by_scram", "scram-sha-256"), ("by_md5", "md5"), ("by_password", "password")];

fn psql(folder: &Path, major: u32, sql: &str) {
    let mut psql = Command::new("psql");
    psql.env("PATH", path(major)).args([
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "-U",
        "postgres",
        "-d",
        "plimsoll",
    ]);
    let output = psql.arg("-h").arg(folder).args(["-c", sql]).output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Makes a role for each method, and lets it in by no other.
fn want_passwords(folder: &Path, major: u32) {
    let rules = folder.join("data/pg_hba.conf");
    let others = std::fs::read_to_string(&rules).unwrap();
    let own = METHODS.map(|(role, method)| format!("local all {role} {method}\n")).concat();
    std::fs::write(&rules, own + &others).unwrap();
    for (role, method) in METHODS {
        let kept = if method == "md5" { "md5" } else { "scram-sha-256" };
        psql(
            folder,
            major,
            &format!("set password_encryption = '{kept}'; create role {role} login password 'right'"),
        );
    }
    psql(folder, major, "select pg_reload_conf()");
}

fn check(major: u32, versions: &str) {
    let project = Project::new([("plimsoll.toml", "")]);
    let served = Served::start(&project, major);
    let folder = served.socket_folder();
    want_passwords(&folder, major);
    let script = clients().join("logins.sh");
    let mut directly = Command::new("sh");
    directly.arg(&script).env("PGHOST", &folder).env("PGPORT", "5432").env("PGDATABASE", "plimsoll");
    directly
        .env("PATH", path(major))
        .env("CLIENTS", clients())
        .env("PYTHON", python())
        .env("VERSIONS", versions);
    let direct = String::from_utf8(directly.output().unwrap().stdout).unwrap();
    let url = format!("host={} port=5432 user=by_scram password=right dbname=plimsoll", folder.display());
    let words = [
        "watch",
        "--url",
        &url,
        "--format",
        "json",
        "--",
        "sh",
        "-c",
        "sh \"$0\" > out",
        script.to_str().unwrap(),
    ];
    let run = project.plimsoll(&words).env("PATH", path(major)).env("CLIENTS", clients());
    let ended = run.env("PYTHON", python()).env("VERSIONS", versions).run();
    served.stop();
    assert_eq!(std::fs::read_to_string(project.path().join("out")).unwrap(), direct);
    let logins = 3 * (versions.split_whitespace().count() + 2);
    for (role, _) in METHODS {
        assert_eq!(
            direct.matches(&format!("\n{role}\n")).count()
                + direct.matches(&format!("asyncpg {role}\n")).count(),
            logins / 3,
            "{direct}"
        );
        let refusal = format!("password authentication failed for user \"{role}\"\n");
        assert_eq!(direct.matches(&refusal).count(), logins / 3, "{direct}");
    }
    assert_eq!(direct.matches("channel binding").count(), 6, "{direct}");
    let report = ended.report();
    assert_eq!(
        report.json["traffic"]["sessions"],
        logins,
        "only who was let in is counted: {}",
        ended.shown()
    );
    assert!(
        report.notes().iter().any(|note| note
            .contains("A connection of by_scram to plimsoll was refused: password authentication failed")),
        "{}",
        ended.shown()
    );
}

#[test]
fn logins_pass_through_on_15() {
    check(15, "connect_timeout=60");
}

#[test]
fn logins_pass_through_on_18_by_old_and_new_protocol() {
    check(18, "max_protocol_version=3.0 min_protocol_version=3.2");
}
