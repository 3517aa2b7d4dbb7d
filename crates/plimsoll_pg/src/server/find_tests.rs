//! Tests of the search, on a file system of shell scripts that print versions.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::server::cache::Cache;

struct Machine {
    root: TempDir,
}

impl Machine {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    fn with_server(self, bin_folder: &str, version: &str) -> Self {
        let bin_folder = self.root.path().join(bin_folder);
        std::fs::create_dir_all(&bin_folder).unwrap();
        for name in ["postgres", "initdb"] {
            script(&bin_folder.join(name), &format!("echo '{name} (PostgreSQL) {version}'"));
        }
        self
    }

    fn with_script(self, path: &str, body: &str) -> Self {
        let path = self.root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        script(&path, body);
        self
    }

    fn with_link(self, link: &str, target: &str) -> Self {
        let link = self.root.path().join(link);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(self.root.path().join(target), link).unwrap();
        self
    }

    fn places(&self) -> SearchPlaces {
        SearchPlaces {
            explicit: None,
            pg_config: None,
            path: vec![self.root.path().join("some/bin")],
            root: self.root.path().to_owned(),
            cache: Cache::at(self.root.path().join("cache")),
        }
    }

    fn find(&self, wanted: Wanted) -> Result<String, FindError> {
        self.find_in(wanted, &self.places())
    }

    fn find_in(&self, wanted: Wanted, places: &SearchPlaces) -> Result<String, FindError> {
        let binaries = find(wanted, places, &ServerUser::Caller)?;
        let below = binaries.bin_folder().strip_prefix(self.root.path().canonicalize().unwrap());
        let below = below.or_else(|_| binaries.bin_folder().strip_prefix(self.root.path()));
        Ok(format!("{} {}", below.unwrap().display(), binaries.version()))
    }
}

/// Another process writes the file: were it open for writing here while another test's thread
/// forks, running it would fail with "text file busy".
fn script(path: &Path, body: &str) {
    let text = format!("#!/bin/sh\n{body}");
    let write = r#"printf '%s\n' "$1" >"$2" && chmod 755 "$2""#;
    let status = Command::new("sh").args(["-c", write, "sh", &text]).arg(path).status().unwrap();
    assert!(status.success());
}

fn check(machine: &Machine, wanted: Wanted, expected: &str) {
    assert_eq!(machine.find(wanted).map_err(|error| error.to_string()), Ok(expected.to_owned()));
}

#[test]
fn the_newest_wins_wherever_it_is() {
    let machine = Machine::new()
        .with_server("usr/lib/postgresql/9.6/bin", "9.6.24")
        .with_server("usr/lib/postgresql/15/bin", "15.18 (Debian 15.18-0+deb12u1)")
        .with_server("usr/pgsql-17/bin", "17.2")
        .with_server("opt/homebrew/opt/postgresql@16/bin", "16.9");
    check(&machine, Wanted::Newest, "usr/pgsql-17/bin 17.2");
    check(&machine, Wanted::Major(15), "usr/lib/postgresql/15/bin 15.18");
    check(&machine, Wanted::Major(16), "opt/homebrew/opt/postgresql@16/bin 16.9");
}

#[test]
fn a_newer_minor_version_wins_among_equals() {
    let machine =
        Machine::new().with_server("some/bin", "18.2").with_server("usr/lib/postgresql/18/bin", "18.10");
    check(&machine, Wanted::Newest, "usr/lib/postgresql/18/bin 18.10");
}

#[test]
fn the_path_wins_among_the_same_versions() {
    let machine =
        Machine::new().with_server("usr/lib/postgresql/18/bin", "18.2").with_server("some/bin", "18.2");
    check(&machine, Wanted::Newest, "some/bin 18.2");
}

#[test]
fn a_link_on_the_path_leads_to_the_real_folder() {
    let machine = Machine::new()
        .with_server("srv/pg/bin", "18.2")
        .with_link("some/bin/postgres", "srv/pg/bin/postgres");
    check(&machine, Wanted::Newest, "srv/pg/bin 18.2");
}

#[test]
fn pg_config_is_asked() {
    let machine = Machine::new().with_server("srv/pg/bin", "18.2");
    let bin_folder = machine.root.path().join("srv/pg/bin").display().to_string();
    let machine = machine.with_script("some/bin/pg_config", &format!("echo '{bin_folder}'"));
    check(&machine, Wanted::Newest, "srv/pg/bin 18.2");
}

#[test]
fn a_pg_config_that_names_a_folder_without_a_server_does_no_harm() {
    let machine = Machine::new()
        .with_script("some/bin/pg_config", "echo /usr/lib/none/bin")
        .with_server("usr/lib/postgresql/16/bin", "16.1");
    check(&machine, Wanted::Newest, "usr/lib/postgresql/16/bin 16.1");
}

#[test]
fn our_own_installations_are_found() {
    let machine = Machine::new().with_server("cache/servers/18.6.3/tree/bin", "18.6");
    let manifest = r#"{"format": 1, "package": "p", "version": "18.6.3", "bin": "tree/bin"}"#;
    std::fs::write(machine.root.path().join("cache/servers/18.6.3/plimsoll-server.json"), manifest).unwrap();
    check(&machine, Wanted::Major(18), "cache/servers/18.6.3/tree/bin 18.6");
}

#[test]
fn a_broken_installation_is_passed_over() {
    let machine = Machine::new()
        .with_script("usr/lib/postgresql/18/bin/postgres", "echo 'no libssl' >&2; exit 127")
        .with_server("usr/lib/postgresql/16/bin", "16.1");
    check(&machine, Wanted::Newest, "usr/lib/postgresql/16/bin 16.1");
}

#[test]
fn the_error_names_what_was_passed_over_and_what_to_type() {
    let machine = Machine::new()
        .with_script("usr/lib/postgresql/18/bin/postgres", "echo 'no libssl' >&2; exit 127")
        .with_server("usr/lib/postgresql/14/bin", "14.9")
        .with_server("usr/lib/postgresql/15/bin", "15.9");
    let error = machine.find(Wanted::Major(18)).unwrap_err().to_string();
    for expected in ["PostgreSQL 18", "no libssl", "version 14.9 is too old", "is version 15.9"] {
        assert!(error.contains(expected), "{expected} in {error}");
    }
    assert!(error.contains("`plimsoll server install 18`"), "{error}");
}

#[test]
fn an_old_version_is_refused() {
    let error = Machine::new().find(Wanted::Major(14)).unwrap_err();
    assert!(matches!(error, FindError::TooOld { major: 14 }), "{error}");
}

#[test]
fn a_folder_that_the_user_set_is_the_only_one() {
    let machine =
        Machine::new().with_server("srv/pg/bin", "16.1").with_server("usr/lib/postgresql/18/bin", "18.1");
    for explicit in ["srv/pg/bin", "srv/pg"] {
        let places = SearchPlaces { explicit: Some(machine.root.path().join(explicit)), ..machine.places() };
        assert_eq!(machine.find_in(Wanted::Newest, &places).unwrap(), "srv/pg/bin 16.1");
        let error = machine.find_in(Wanted::Major(18), &places).unwrap_err();
        assert!(matches!(error, FindError::ExplicitUnfit { .. }), "{error}");
    }
}
