"""Writes an Alembic history as SQL: what each revision sends to a server, one file a revision.

Usage: alembic_history.py HISTORY HOST OUTPUT, where HISTORY is the JSON that render.py passes on. Runs with the Python of
the environment that the project is installed in.

Most histories ask the database while they run, so that Alembic's offline mode refuses them. Each revision is therefore
applied to a scratch database by a call of `alembic upgrade` of its own, and what the driver sent is written down, with
BEGIN and COMMIT where they came. Left out are queries of the catalog and Alembic's own table.
"""

import importlib
import json
import os
import re
import sys
from pathlib import Path


def main():
    history, host, output = json.loads(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    url = f"postgresql+psycopg2://postgres@/{history['database']}?host={host}"
    for name, value in history.get("environment", {}).items():
        os.environ[name] = value.replace("{url}", url)
    create_database(history["database"], host)
    import alembic.command
    from alembic.script import ScriptDirectory

    config = configured(history, url)
    sent = []
    listen(sent)
    if "before" in history:
        exec(history["before"], {"config": config, "url": url})
        (output / "0000_before.dependency.sql").write_text(tidy(sent))
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())
    for number, revision in enumerate(reversed(revisions), 1):
        sent.clear()
        alembic.command.upgrade(config, revision.revision)
        slug = re.sub(r"\W+", "_", revision.doc or "").strip("_").lower()[:40]
        (output / f"{number:04}_{revision.revision}_{slug}.sql").write_text(tidy(sent))


def create_database(name, host):
    import psycopg2

    connection = psycopg2.connect(host=host, user="postgres", dbname="postgres")
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    connection.close()


def configured(history, url):
    """Alembic's configuration, from the folder with env.py and versions, or an alembic.ini."""
    from alembic.config import Config

    def located(path):
        package, _, rest = path.partition("/")
        return str(Path(importlib.import_module(package).__file__).parent / rest)

    config = Config(located(history["ini"])) if "ini" in history else Config()
    if "scripts" in history:
        config.set_main_option("script_location", located(history["scripts"]))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def listen(sent):
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "begin")
    def begin(connection):
        sent.append("BEGIN")

    @event.listens_for(Engine, "commit")
    def commit(connection):
        sent.append("COMMIT")

    @event.listens_for(Engine, "rollback")
    def rollback(connection):
        sent.append("ROLLBACK")

    @event.listens_for(Engine, "after_cursor_execute")
    def executed(connection, cursor, statement, parameters, context, executemany):
        query = cursor.query.decode() if isinstance(cursor.query, bytes) else str(cursor.query or "")
        if query:
            sent.append(query.strip().rstrip(";"))


ABOUT_THE_TOOL = re.compile(r"alembic_version|pg_catalog\.|\bpg_(class|type|namespace|advisory)|information_schema\.")
ASKS = re.compile(r"\s*(select|show|with)\b", re.IGNORECASE)


def tidy(sent):
    """The statements without those of the tool, and without transactions in which nothing is left."""
    kept = []
    for statement in sent:
        if re.match(r"(?is)\s*(update|insert into|delete from|create table|alter table)\s+\S*alembic_version", statement):
            continue
        if ASKS.match(statement) and (ABOUT_THE_TOOL.search(statement) or " FROM " not in statement.upper()):
            continue
        if statement in ("COMMIT", "ROLLBACK") and kept and kept[-1] == "BEGIN":
            kept.pop()
            continue
        if statement == "BEGIN" and kept.count("BEGIN") > kept.count("COMMIT") + kept.count("ROLLBACK"):
            continue
        kept.append(statement)
    return "".join(f"{statement};\n" for statement in kept)


if __name__ == "__main__":
    main()
