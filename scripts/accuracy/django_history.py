"""Writes a Django project's migrations as SQL, each as `sqlmigrate` prints it, one file a migration.

Usage: django_history.py HISTORY HOST OUTPUT, where HISTORY is the JSON that render.py passes on. Runs with the Python of
the environment that the project is installed in.

Each migration is rendered and then applied to a scratch database, since some operations ask the server for the name of
a constraint. Migrations that a squash replaces are rendered in its stead, as far as they are still there. Those of other
apps, which the project builds on, end in `.dependency.sql`. What RunPython does is left out, as `sqlmigrate` does.
"""

import json
import os
import sys
from pathlib import Path


def main():
    history, host, output = json.loads(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    configure(history, host)
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    if not history.get("squashed"):
        keep_what_squashes_replace()
    executor = MigrationExecutor(connection)
    executor.recorder.ensure_schema()
    state = executor._create_project_state(with_applied_migrations=True)
    for number, (migration, _) in enumerate(full_plan(executor), 1):
        own = migration.app_label in history["apps"]
        name = f"{number:04}_{migration.app_label}_{migration.name}{'' if own else '.dependency'}.sql"
        (output / name).write_text(rendered(connection, migration, state.clone()))
        state = executor.apply_migration(state, migration)


def configure(history, host):
    import django
    from django.conf import settings

    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": history["database"],
        "USER": "postgres",
        "HOST": host,
    }
    os.environ.update(history.get("environment", {}))
    if "module" in history:
        os.environ["DJANGO_SETTINGS_MODULE"] = history["module"]
        settings.DATABASES = {"default": database}
    else:
        settings.configure(DATABASES={"default": database}, SECRET_KEY="accuracy", **history["settings"])
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


def rendered(connection, migration, state):
    """What `sqlmigrate` prints."""
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(state, editor, collect_sql=True)
    lines = editor.collected_sql
    if migration.atomic:
        lines = [connection.ops.start_transaction_sql(), *lines, connection.ops.end_transaction_sql()]
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
