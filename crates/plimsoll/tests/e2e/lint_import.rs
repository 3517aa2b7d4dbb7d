//! `lint --import`: other linters' configuration.

use crate::project::Project;

#[track_caller]
fn imported(name: &'static str, text: &str, says: &[&str]) -> String {
    let project = Project::new([(name, text)]);
    let ended = project.run(&["lint", "--import", name]);
    ended.prints(0, says);
    // What is printed is a configuration.
    project.write("plimsoll.toml", &ended.stdout);
    project.write("migrations/1.sql", "select 1;");
    project.run(&["lint", "migrations/1.sql"]).prints(0, &[]);
    ended.stdout
}

#[test]
fn squawks_configuration() {
    let text = "pg_version = \"15.2\"\nassume_in_transaction = true\nexcluded_paths = [\"005_ids.sql\", \"*ids.sql\"]\n\
                excluded_rules = [\"ban-drop-table\", \"no-such-rule\"]\n[upload_to_github]\nfail_on_violations = true\n";
    let printed = imported(
        ".squawk.toml",
        text,
        &[
            "[migrations]\ntransaction = \"file\"\n",
            "[database]\nversion = 15\n",
            "exclude = [\"**/005_ids.sql\", \"**/*ids.sql\"]\n",
            "ban-drop-table = \"off\"\n",
            "# Not carried over: rule no-such-rule = off: Plimsoll has no such rule.\n",
            "# Not carried over: [upload_to_github]",
        ],
    );
    assert!(printed.starts_with("# From .squawk.toml.\n"), "{printed}");
}

#[test]
fn pgfences_configuration() {
    let json = r#"{"disable-rules": ["ban-drop-table"], "require-lock-timeout": false, "min-pg-version": 16, "max-risk": "HIGH"}"#;
    let says = [
        "version = 16",
        "ban-drop-table = \"off\"",
        "require-lock-timeout = \"off\"",
        "# Not carried over: max-risk",
    ];
    imported(".pgfence.json", json, &says);
    imported(".pgfence.toml", "disable-rules = [\"ban-drop-table\"]\n", &["ban-drop-table = \"off\""]);
}

#[test]
fn pgsafes_configuration() {
    let text = "in_transaction = true\npaths = [\"migrations/**/*.sql\"]\n[rules]\nban-drop-table = \"error\"\n\
                [[ignore]]\npath = \"migrations/legacy/**\"\n[[ignore]]\npath = \"a.sql\"\nrules = [\"ban-drop-table\"]\n";
    imported(
        ".pgsafe.toml",
        text,
        &[
            "transaction = \"file\"",
            "include = [\"migrations/**/*.sql\"]",
            "exclude = [\"migrations/legacy/**\"]",
            "ban-drop-table = \"error\"",
            "[[lint.overrides]]\npaths = [\"a.sql\"]\nrules.ban-drop-table = \"off\"\n",
        ],
    );
}

#[test]
fn strong_migrations_initializer() {
    let text = "# frozen\nStrongMigrations.start_after = 20170101000000\nStrongMigrations.lock_timeout = 10.seconds\n\
                StrongMigrations.target_version = \"16\"\nStrongMigrations.disable_check(:add_index)\n\
                StrongMigrations.enable_check :rename_table # yes\nStrongMigrations.auto_analyze = true\n";
    imported(
        "strong_migrations.rb",
        text,
        &[
            "lock_timeout = \"10s\"",
            "version = 16",
            "require-concurrent-index-creation = \"off\"",
            "# Not carried over: start_after = 20170101000000",
            "# Not carried over: auto_analyze = true",
        ],
    );
}

#[test]
fn force_writes_what_isnt_there_yet() {
    let project = Project::new([(".squawk.toml", "excluded_rules = [\"ban-drop-table\"]\n")]);
    project.write("plimsoll.toml", "[migrations]\nlayout = \"plain\"\n");
    project.run(&["lint", "--import", ".squawk.toml", "--force"]).prints(0, &["wrote "]);
    let written = std::fs::read_to_string(project.path().join("plimsoll.toml")).unwrap();
    assert!(written.starts_with("[migrations]\nlayout = \"plain\"\n\n# From .squawk.toml.\n"), "{written}");
    project.run(&["lint", "--import", ".squawk.toml", "--force"]).fails(2, &["has a section [lint] already"]);
}

#[test]
fn what_cant_be_imported_is_said() {
    let project = Project::new([("eugene.toml", ""), ("x.yaml", ""), (".squawk.toml", "excluded_rules = 1")]);
    project.run(&["lint", "--import", "eugene.toml"]).fails(2, &["eugene has no configuration file"]);
    project.run(&["lint", "--import", "x.yaml"]).fails(2, &["no configuration that is known"]);
    project
        .run(&["lint", "--import", ".squawk.toml"])
        .fails(2, &["`excluded_rules` is to be a list of texts"]);
    project.run(&["lint", "--import", "none.toml"]).fails(2, &["read none.toml: No such file"]);
}
