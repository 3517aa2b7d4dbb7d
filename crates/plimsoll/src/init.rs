//! `plimsoll init`: looks around and writes a commented `plimsoll.toml`.

use std::path::{Path, PathBuf};

use plimsoll_sql::{InputFile, Layout};

use crate::args::InitArguments;
use crate::config::FILE_NAME;
use crate::exit::{CLEAN, Failure};
use crate::inputs::{Inputs, walk};
use crate::output::{print, write_file};
use crate::project::{USUAL_FOLDERS, uses_sqlx};
use crate::settings::Settings;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// The migrations folder with its layout's name and title.
    migrations: Option<(PathBuf, &'static str, &'static str)>,
    schema: Option<PathBuf>,
    queries: Option<PathBuf>,
    seed: Option<PathBuf>,
    /// A project whose migrations are programs, and how to get SQL from it.
    programs: Option<Programs>,
}

/// A tool whose migrations aren't SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Programs {
    title: &'static str,
    advice: &'static str,
}

const DJANGO: Programs = Programs {
    title: "Django",
    advice: "`plimsoll check` runs `manage.py migrate` on a private server and judges what it sends",
};
const ALEMBIC: Programs = Programs {
    title: "Alembic",
    advice: "`plimsoll check` runs `alembic upgrade` on a private server and judges what it sends",
};
const RAILS: Programs = Programs {
    title: "Rails",
    advice: "db/structure.sql is the state before the change; `plimsoll check -- bin/rails db:migrate` judges what it sends",
};

pub(crate) fn run(arguments: &InitArguments) -> Result<u8, Failure> {
    let settings = Settings::bare()?;
    let path = settings.current.join(FILE_NAME);
    if path.exists() && !arguments.force {
        return Err(Failure::input(format!("write {FILE_NAME}: it exists already; replace it with --force")));
    }
    let found = look_around(&settings)?;
    write_file(&path, &rendered(&found))?;
    print(&told(&found))?;
    Ok(CLEAN)
}

fn look_around(settings: &Settings) -> Result<Found, Failure> {
    let root = &settings.root;
    let first = |candidates: &[&str], test: fn(&Path) -> bool| {
        candidates.iter().map(PathBuf::from).find(|candidate| test(&root.join(candidate)))
    };
    let mut found = Found {
        queries: first(&["queries", "sql/queries", "db/queries"], Path::is_dir),
        seed: first(
            &["seed.sql", "seeds.sql", "db/seed.sql", "db/seeds.sql", "supabase/seed.sql"],
            Path::is_file,
        ),
        programs: programs(root)?,
        ..Found::default()
    };
    for folder in USUAL_FOLDERS {
        let absolute = root.join(folder);
        if !absolute.is_dir() {
            continue;
        }
        let files: Vec<InputFile> = Inputs::of_working_tree(root).folder(&absolute)?.files;
        let layout = Layout::detect(&files, &absolute, uses_sqlx(root));
        if files.iter().any(|file| layout.is_migration(&file.path)) {
            found.migrations = Some((PathBuf::from(folder), layout.name, layout.title));
            break;
        }
    }
    if found.migrations.is_none() {
        found.schema =
            first(&["db/structure.sql", "structure.sql", "schema.sql", "db/schema.sql"], Path::is_file);
    }
    Ok(found)
}

fn programs(root: &Path) -> Result<Option<Programs>, Failure> {
    if root.join("manage.py").is_file() {
        return Ok(Some(DJANGO));
    }
    if root.join("alembic.ini").is_file() {
        return Ok(Some(ALEMBIC));
    }
    let migrate = root.join("db/migrate");
    if migrate.is_dir()
        && walk(&migrate)?.iter().any(|path| path.extension().is_some_and(|found| found == "rb"))
    {
        return Ok(Some(RAILS));
    }
    Ok(None)
}

fn told(found: &Found) -> String {
    let mut text = format!("wrote {FILE_NAME}\n");
    match &found.migrations {
        Some((folder, _, title)) => text.push_str(&format!("  migrations: {} ({title})\n", folder.display())),
        None => text.push_str("  migrations: none found\n"),
    }
    if let Some(programs) = found.programs {
        text.push_str(&format!(
            "  this project uses {}, whose migrations are programs: {}\n",
            programs.title, programs.advice
        ));
    }
    let others = [("schema", &found.schema), ("seed", &found.seed), ("queries", &found.queries)];
    for (what, path) in others {
        if let Some(path) = path {
            text.push_str(&format!("  {what}: {}\n", path.display()));
        }
    }
    text.push_str("next: plimsoll check\n");
    text
}

/// The file: what was found is set, the rest stands as comments.
fn rendered(found: &Found) -> String {
    let set = |key: &str, value: Option<String>, example: &str| match value {
        Some(value) => format!("{key} = {}\n", toml::Value::String(value)),
        None => format!("# {key} = {example}\n"),
    };
    let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
    let mut text = String::from(
        "# Plimsoll shows, before you deploy, whether a change is safe to carry: `plimsoll check`.\n",
    );
    if let Some(programs) = found.programs {
        text.push_str(&format!(
            "#\n# This project uses {}, whose migrations are programs: {}.\n",
            programs.title, programs.advice
        ));
    }
    text.push_str("\n[migrations]\n");
    text.push_str("# The folder of SQL migrations, seen from here.\n");
    text.push_str(&set(
        "path",
        found.migrations.as_ref().map(|m| m.0.to_string_lossy().into_owned()),
        "\"migrations\"",
    ));
    text.push_str("# How the migration tool names, orders and wraps them: auto, plain, dbmate, goose, golang-migrate,\n# sqlx, diesel, flyway, prisma or supabase.\n");
    text.push_str(&set("layout", found.migrations.as_ref().map(|m| m.1.to_owned()), "\"auto\""));
    text.push_str("# What the tool does around a file that says nothing itself: \"file\" (one transaction), \"batch\" (one\n# query, which is one transaction too) or \"statement\" (each alone). Each layout knows its own.\n# transaction = \"file\"\n# Migrations that are programs: what runs the change, what brings an empty database to the state before it, and\n# further variables for both. Django and Alembic need none of these.\n# command = \"bin/rails db:migrate\"\n# before = \"bin/rails db:schema:load\"\n# env = { DB_HOST = \"{host}\", DB_PORT = \"{port}\" }\n");
    text.push_str("\n[database]\n# The major version of your servers; the newest on this machine if not set.\n# version = 18\n# The database's name, for statements that name it.\n# name = \"app\"\n");
    text.push_str("# A dump of the schema before the change (pg_dump --schema-only), instead of replaying earlier migrations.\n");
    text.push_str(&set("schema", shown(&found.schema), "\"schema.sql\""));
    text.push_str(
        "# Rows to rehearse on: SQL files, or a command that gets DATABASE_URL and PG* variables.\n",
    );
    text.push_str(&match &found.seed {
        Some(seed) => format!("seed = [{}]\n", toml::Value::String(seed.to_string_lossy().into_owned())),
        None => "# seed = [\"seed.sql\"]\n".to_owned(),
    });
    text.push_str("# seed_command = \"python seed.py\"\n# TimeZone of the sessions that run migrations.\n# timezone = \"UTC\"\n# What `plimsoll snapshot` has written of production: hold times are scaled to its sizes.\n# sizes = \"production.plimsoll\"\n");
    text.push_str("\n[lint]\n# Rules that are switched off, by our id or another tool's (`plimsoll rules` lists them).\n# ignore = [\"ban-drop-column\"]\n# Groups of rules that are switched on: locks, transactions, compatibility, style or schema.\n# extend = [\"compatibility\"]\n# Files that are judged, and files that aren't: globs, seen from here.\n# include = [\"migrations/**\"]\n# exclude = [\"vendor/**\"]\n# Whether a comment that ignores a rule has to say why.\n# require_reason = true\n# Findings that are left out (`plimsoll lint --write-baseline plimsoll-baseline.txt` writes them).\n# baseline = \"plimsoll-baseline.txt\"\n# lock_timeout that your runner sets before each migration.\n# lock_timeout = \"2s\"\n# lock_timeout above which it is as good as none.\n# longest_lock_timeout = \"60s\"\n# What `plimsoll snapshot` has written: the state before the change, with sizes.\n# snapshot = \"schema.plimsoll\"\n# Hazards on tables up to this size are notes, where sizes are known.\n# small = \"8 MB\"\n\n[lint.rules]\n# A rule's severity (error, warning or note), or on or off.\n# ban-drop-table = \"error\"\n\n[lint.placeholders]\n# Values of ${name}, {{ name }} and :name in migrations.\n# name = \"value\"\n\n# Rules for some paths; a later override wins.\n# [[lint.overrides]]\n# paths = [\"migrations/old/**\"]\n# rules = { ban-drop-table = \"off\" }\n");
    text.push_str("\n[queries]\n# A folder of .sql files with named queries (`-- name: recent_orders`), values in a .toml beside each.\n");
    text.push_str(&set("path", shown(&found.queries), "\"queries\""));
    text.push_str(
        "# Runs after a warm-up, and the time after which a run fails.\n# runs = 5\n# timeout = \"30s\"\n",
    );
    text.push_str(
        "\n[regress]\n# From where on a query counts as worse: by this ratio, and by so many pages, rows or units of cost. Comments over a\n\
         # query say the same of it: `-- buffers_ratio: 1.5`.\n# buffers_ratio = 1.25\n# buffers_floor = 20\n# rows_ratio = 1.25\n\
         # rows_floor = 1000\n# cost_ratio = 1.25\n# cost_floor = 50\n# Whether results are compared: \"compare\" or \"ignore\".\n\
         # result = \"compare\"\n# How long a run may take [default: queries.timeout].\n# timeout = \"30s\"\n\
         # A file to which each run of `check` and `regress test` is appended, for the reports.\n# history = \"queries/history.jsonl\"\n\n\
         [regress.queries]\n\
         # The same keys for one query.\n# recent_orders = { rows_floor = 100, timeout = \"5s\" }\n",
    );
    text.push_str(
        "\n[history]\n# A SQLite file to which `check` and `regress test` append what rules claimed, what the rehearsal found, and how far each\n\
         # query grew: what `plimsoll evaluate --history`, `confirm` and `dismiss` go by. Another file than regress.history.\n\
         # path = \"plimsoll-history.db\"\n\n\
         [alarms]\n# The share of alarms about queries that are to be right: the growth from which a query is told as worse is then the\n\
         # lowest for which confirmed and dismissed alarms of the history say so, unless regress or a query's comment sets it.\n\
         # precision = 0.95\n",
    );
    text.push_str(
        "\n[masking]\n# What becomes of personal values in trunks, before anybody branches from them. A variable with a secret: the same\n# secret gives the same masked values; without one, each trunk has its own.\n# key_from = \"PLIMSOLL_MASKING_KEY\"\n# Whether trunks and branches are refused while a column that looks personal has no rule.\n# require = true\n\n# Columns by column, name or type, with * for any characters; the most exact rule counts. With keep, null, fixed, hash,\n# fake, shuffle or date-shift.\n# [[masking.rule]]\n# column = \"public.users.email\"\n# with = \"fake\"\n",
    );
    text.push_str(
        "\n[workload]\n# What a service sends: who would wait for a change's locks is told, and `plimsoll check --load` tries it. A\n# file of JSON lines, and rates of named queries below.\n# file = \"workload.jsonl\"\n# Connections that the requests of a load share, and how long it runs before the change and after it.\n# connections = 20\n# lead = \"2s\"\n\n[workload.rates]\n# How often a query is sent: \"120/s\", \"90/min\" or \"4/h\"; or `-- rate: 120/s` below its name.\n# recent_orders = \"120/s\"\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use plimsoll_core::SourceFile;

    use super::*;
    use crate::config;

    #[test]
    fn what_is_written_is_valid_even_uncommented() {
        let found = Found {
            migrations: Some((PathBuf::from("db/migrations"), "dbmate", "dbmate")),
            queries: Some(PathBuf::from("queries")),
            seed: Some(PathBuf::from("seed \"x\".sql")),
            ..Found::default()
        };
        for found in [found, Found::default(), Found { programs: Some(DJANGO), ..Found::default() }] {
            let text = rendered(&found);
            config::parse(&SourceFile::new(FILE_NAME, text.as_str())).expect("valid");
            let is_setting = |line: &str| {
                line.strip_prefix("# ").is_some_and(|rest| {
                    rest.starts_with("[[")
                        || rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
                })
            };
            let uncommented: String = text
                .lines()
                .map(|line| if is_setting(line) { format!("{}\n", &line[2..]) } else { format!("{line}\n") })
                .collect();
            config::parse(&SourceFile::new(FILE_NAME, uncommented.as_str())).expect("valid uncommented");
        }
    }
}
