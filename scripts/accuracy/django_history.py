"""Writes a Django project's migrations as SQL, one file a migration: what `migrate` sends to make each.

Usage: django_history.py HISTORY HOST OUTPUT, where HISTORY is the JSON that render.py passes on. Runs with the Python of
the environment that the project is installed in.

That is the text that `sqlmigrate` prints, with BEGIN and COMMIT where it has them, taken while the migration is applied
to a scratch database: `sqlmigrate` alone can't ask the server for names of constraints on what the same migration makes.
Migrations that a squash replaces are rendered in its stead, as far as they are still there. Those of other apps, which
the project builds on, end in `.dependency.sql`. What RunPython does to rows is left out, as `sqlmigrate` does.
"""

import importlib
import json
import os
import sys
from pathlib import Path


def main():
    history, host, output = json.loads(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    create_database(history["database"], host)
    configure(history, host)
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    if not history.get("squashed"):
        keep_what_squashes_replace()
    executor = MigrationExecutor(connection)
    executor.recorder.ensure_schema()
    state = executor._create_project_state(with_applied_migrations=True)
    sent = []
    listen(sent)
    for number, (migration, _) in enumerate(full_plan(executor), 1):
        sent.clear()
        state = executor.apply_migration(state, migration)
        own = migration.app_label in history["apps"]
        name = f"{number:04}_{migration.app_label}_{migration.name}{'' if own else '.dependency'}.sql"
        (output / name).write_text(framed(sent, migration, connection))


def create_database(name, host):
    try:
        import psycopg
    except ImportError:
        import psycopg2 as psycopg

    connection = psycopg.connect(f"host={host} user=postgres dbname=postgres")
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    connection.close()


def configure(history, host):
    import django
    from django.conf import settings

    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": history["database"],
        "USER": "postgres",
        "HOST": host,
    }
    if "path" in history:
        sys.path.insert(0, str(Path(importlib.import_module(history["path"]).__file__).parent))
    os.environ.update(history.get("environment", {}))
    if "module" in history:
        os.environ["DJANGO_SETTINGS_MODULE"] = history["module"]
        settings.DATABASES = {"default": database}
    else:
        defaults = vars(importlib.import_module(history["defaults"])) if "defaults" in history else {}
        defaults = {name: value for name, value in defaults.items() if name.isupper()}
        chosen = {**defaults, **history["settings"], "DATABASES": {"default": database}, "SECRET_KEY": "accuracy"}
        settings.configure(**chosen)
    django.setup()


def keep_what_squashes_replace():
    """Makes the graph drop a squash instead of the migrations that it replaces, if all of them are there."""
    from django.db.migrations.graph import MigrationGraph

    drop_replaced = MigrationGraph.remove_replaced_nodes

    def drop_squash(graph, squash, replaced):
        if all(key in graph.node_map for key in replaced):
            graph.remove_replacement_node(squash, replaced)
        else:
            drop_replaced(graph, squash, replaced)

    MigrationGraph.remove_replaced_nodes = drop_squash


def full_plan(executor):
    return executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)


def listen(sent):
    """Writes down what a schema editor executes, in the form that it collects for `sqlmigrate`."""
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

    execute = BaseDatabaseSchemaEditor.execute

    def listening(editor, sql, params=()):
        text = str(sql)
        text = text % tuple(map(editor.quote_value, params)) if params else text
        sent.append(text if text.rstrip().endswith(";") else text + ";")
        return execute(editor, sql, params)

    BaseDatabaseSchemaEditor.execute = listening


def framed(sent, migration, connection):
    if migration.atomic:
        sent = [connection.ops.start_transaction_sql(), *sent, connection.ops.end_transaction_sql()]
    return "".join(f"{statement}\n" for statement in sent)


if __name__ == "__main__":
    main()
