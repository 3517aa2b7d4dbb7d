# Migrates every app to its last migration that isn't named on the command line: the state before the change.
import os
import sys

sys.path.insert(0, os.getcwd())

import django  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.migrations.loader import MigrationLoader  # noqa: E402

django.setup()
new_files = {os.path.realpath(path) for path in sys.argv[1:]}
loader = MigrationLoader(connection, ignore_no_migrations=True)


def is_new(key):
    module = sys.modules.get(type(loader.disk_migrations[key]).__module__) if key in loader.disk_migrations else None
    file = getattr(module, "__file__", None)
    return file is not None and os.path.realpath(file) in new_files


new = {key for key in loader.graph.nodes if is_new(key)}
# What a new migration replaces or comes before can't be the state before it either.
for key in list(new):
    new.update(loader.graph.backwards_plan(key))
targets = {}
for app, name in loader.graph.nodes:
    if (app, name) in new:
        targets.setdefault(app, None)
        continue
    later = [child for child in loader.graph.node_map[(app, name)].children if child.key[0] == app and child.key not in new]
    if not later:
        targets[app] = name
for app, name in sorted(targets.items()):
    if name is not None:
        call_command("migrate", app, name, interactive=False, verbosity=0)
if not targets:
    connection.ensure_connection()
