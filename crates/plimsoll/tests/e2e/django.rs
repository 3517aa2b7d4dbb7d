//! Django's own migrations: SQL that nobody here wrote, printed by Django itself, and judged.
//!
//! Django prints it with a connection to a private server that `plimsoll server` has started; so
//! that verb is tried with a real client too.

use std::collections::BTreeMap;
use std::process::Command;

use crate::project::Project;
use crate::report::{Report, deed, text};
use crate::served::Served;

const APPS: [&str; 7] = ["contenttypes", "auth", "admin", "sessions", "sites", "flatpages", "redirects"];

/// Prints the history as JSON: lists of app, name and SQL, in the order in which Django runs them.
/// Applies each first: the SQL of some depends on what is there (names of constraints).
const SCRIPT: &str = r#"
import io, json, os, sys
import django
from django.conf import settings
from django.core.management import call_command

apps = sys.argv[1].split(",")
settings.configure(
    INSTALLED_APPS=["django.contrib." + app for app in apps],
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"], "PORT": "5432", "USER": "postgres", "NAME": os.environ["PGDATABASE"],
    }},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    SITE_ID=1, USE_TZ=True,
)
django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

executor = MigrationExecutor(connection)
history = []
for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
    sql = io.StringIO()
    call_command("sqlmigrate", migration.app_label, migration.name, stdout=sql, no_color=True)
    history.append([migration.app_label, migration.name, sql.getvalue()])
    call_command("migrate", migration.app_label, migration.name, verbosity=0)
print(json.dumps(history))
"#;

/// Migrations as `app.name` and SQL, in Django's order.
fn history(major: u32) -> Vec<(String, String)> {
    let Ok(python) = std::env::var("PLIMSOLL_TEST_PYTHON") else {
        panic!("PLIMSOLL_TEST_PYTHON names no Python with Django: run `make test`");
    };
    let project = Project::new([("plimsoll.toml", "[database]\nname = \"site\"\n")]);
    let served = Served::start(&project, major);
    let mut django = Command::new(&python);
    django.args(["-c", SCRIPT, &APPS.join(",")]);
    let output = django.env("PGHOST", served.socket_folder()).env("PGDATABASE", "site").output();
    let output = output.unwrap_or_else(|error| panic!("{python}: {error}: run `make test`"));
    served.stop();
    assert!(output.status.success(), "run `make test`: {}", String::from_utf8_lossy(&output.stderr));
    let history: Vec<[String; 3]> = serde_json::from_slice(&output.stdout).unwrap();
    history.into_iter().map(|[app, name, sql]| (format!("{app}.{name}"), sql)).collect()
}

/// Checks the newest migration of each app after all that ran before it. By `app.name`.
fn check_newest(major: u32) -> BTreeMap<String, Report> {
    let history = history(major);
    let app_of = |name: &str| name.split('.').next().unwrap().to_owned();
    let newest: BTreeMap<String, usize> =
        history.iter().enumerate().map(|(at, (name, _))| (app_of(name), at)).collect();
    assert_eq!(newest.len(), APPS.len());
    let project = Project::new([("plimsoll.toml", "[migrations]\ntransaction = \"file\"\n")]);
    let file = |at: usize| format!("migrations/{:04}_{}.sql", at + 1, history[at].0);
    for (at, (_, sql)) in history.iter().enumerate() {
        project.write(file(at), sql);
    }
    newest.values().map(|at| (history[*at].0.clone(), project.check(major, &[&file(*at)]))).collect()
}

/// What is found in each app's newest migration.
const FOUND: [(&str, &[&str]); 7] = [
    // Changes Django's own state, no table.
    ("admin.0003_logentry_add_action_flag_choices", &[]),
    // varchar(30) → varchar(150): no row is touched.
    ("auth.0012_alter_user_first_name_max_length", &["5 require-lock-timeout warning confirmed"]),
    (
        "contenttypes.0002_remove_content_type_name",
        &["9 require-lock-timeout warning confirmed", "17 ban-drop-column warning confirmed"],
    ),
    // New tables, one of which refers to an old one.
    ("flatpages.0001_initial", &["11 create-table-references warning confirmed"]),
    ("redirects.0002_alter_redirect_new_path_help_text", &[]),
    ("sessions.0001_initial", &[]),
    (
        "sites.0002_alter_domain_unique",
        &[
            "5 disallowed-unique-constraint error confirmed",
            "6 require-concurrent-index-creation error confirmed",
        ],
    ),
];

fn check(major: u32) {
    let reports = check_newest(major);
    let found: Vec<(&str, Vec<String>)> =
        reports.iter().map(|(name, r)| (name.as_str(), r.findings())).collect();
    let expected = FOUND.map(|(name, found)| (name, found.iter().map(|found| (*found).to_owned()).collect()));
    assert_eq!(found, expected);
    for (name, report) in &reports {
        let statements = report.statements();
        assert!(statements.iter().all(|statement| statement["error"].is_null()), "{name}: {:#}", report.json);
        // Django wraps each migration in a transaction, and says so in what it prints.
        assert_eq!((text(&statements[0]["sql"]), &statements[0]["in_transaction"]), ("BEGIN", &true.into()));
    }
    let deed = |name: &str, part: &str| deed(reports[name].statement(part));
    assert_eq!(
        deed("auth.0012_alter_user_first_name_max_length", "TYPE varchar(150)"),
        "AccessExclusiveLock public.auth_user"
    );
    assert_eq!(
        deed("contenttypes.0002_remove_content_type_name", "DROP NOT NULL"),
        "AccessExclusiveLock public.django_content_type"
    );
    assert_eq!(
        deed("flatpages.0001_initial", "REFERENCES \"django_site\""),
        "ShareRowExclusiveLock public.django_site"
    );
    assert_eq!(
        deed("sites.0002_alter_domain_unique", "UNIQUE"),
        "ShareLock public.django_site, AccessExclusiveLock public.django_site, scanned public.django_site 0, built \
         public.django_site_domain_a2e37b91_uniq"
    );
}

#[test]
fn the_newest_of_each_app_is_judged_by_facts_on_15() {
    check(15);
}

#[test]
fn the_newest_of_each_app_is_judged_by_facts_on_18() {
    check(18);
}
