"""psycopg 3 in its ways of talking to a server. What it prints doesn't depend on what lies between."""

import asyncio
import datetime
import decimal
import logging
import uuid

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

# What it ignores at a failed pipeline's end depends on when answers come.
logging.getLogger("psycopg").setLevel(logging.CRITICAL)


def failing(what, work):
    try:
        work()
    except psycopg.Error as error:
        print(what, type(error).__name__, error.sqlstate, error.diag.message_primary, error.diag.statement_position)
    else:
        print(what, "succeeded")


with psycopg.connect(autocommit=True) as connection:
    notices = []
    connection.add_notice_handler(lambda diag: notices.append((diag.severity, diag.message_primary)))
    cursor = connection.cursor()
    cursor.execute("create schema c3")
    cursor.execute("create table c3.t (id int primary key, name text, j jsonb, n numeric, at timestamptz, u uuid)")
    cursor.execute("create table if not exists c3.t ()")
    # Server-side binding, in text and in binary.
    for binary in (False, True):
        cursor = connection.cursor(binary=binary)
        at = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
        row = (int(binary), "é'\\", Jsonb({"a": [1]}), decimal.Decimal("1.50"), at, uuid.UUID(int=7))
        cursor.execute("insert into c3.t values (%s, %s, %s, %s, %s, %s) returning *", row)
        print(cursor.fetchall(), cursor.rowcount, cursor.statusmessage)
        cursor.execute("select %b::int4, %t::text, %s", (1, "x", None))
        print(cursor.fetchall(), [column.type_code for column in cursor.description])
    # Prepared after some calls, and by name.
    for at in range(8):
        print(connection.execute("select %s::int + 1", (at,)).fetchone())
    print(connection.execute("select count(*) from c3.t where id = %s", (1,), prepare=True).fetchone())
    cursor = connection.cursor()
    cursor.executemany("insert into c3.t (id, name) values (%s, %s)", [(at, f"n{at}") for at in range(10, 30)])
    print(cursor.rowcount)
    cursor.executemany("update c3.t set name = %s where id = %s returning id", [("a", 10), ("b", 11)], returning=True)
    while True:
        print(cursor.fetchall())
        if not cursor.nextset():
            break
    failing("duplicate", lambda: cursor.execute("insert into c3.t (id) values (%s)", (10,)))
    failing("syntax", lambda: cursor.execute("selec %s", (10,)))
    failing("type", lambda: cursor.execute("select %s::int", ("x",)))
    failing("many", lambda: cursor.executemany("insert into c3.t (id) values (%s)", [(500,), (500,), (501,)]))
    print(cursor.execute("select count(*) from c3.t where id >= 500").fetchone())
    # What refuses a transaction.
    cursor.execute("create index concurrently t_name on c3.t (name)")
    cursor.execute("vacuum c3.t")
    cursor.execute("drop index concurrently c3.t_name")
    # COPY both ways, text and binary.
    with cursor.copy("copy c3.t (id, name) from stdin") as copy:
        for at in range(100, 110):
            copy.write_row((at, f"copied {at}"))
    with cursor.copy("copy c3.t (id, name) from stdin (format binary)") as copy:
        copy.set_types(["int4", "text"])
        for at in range(110, 120):
            copy.write_row((at, f"copied {at}"))
    with cursor.copy("copy (select id, name from c3.t order by id) to stdout") as copy:
        print(b"".join(bytes(part) for part in copy))
    with cursor.copy("copy (select id from c3.t where id > %s order by id) to stdout", (110,)) as copy:
        print(list(copy.rows()))

    def broken_copy():
        with cursor.copy("copy c3.t (id) from stdin") as copy:
            copy.write("9000\n9001\nx\n")

    def given_up():
        with cursor.copy("copy c3.t (id) from stdin") as copy:
            copy.write("9100\n")
            raise psycopg.DataError("given up")

    failing("copy", broken_copy)
    failing("copy given up", given_up)
    print(cursor.execute("select count(*) from c3.t where id >= 9000").fetchone())
    print(notices)

# Transactions, savepoints, server-side cursors.
with psycopg.connect() as connection:
    with connection.transaction():
        connection.execute("insert into c3.t (id) values (200)")
        try:
            with connection.transaction():
                connection.execute("insert into c3.t (id) values (201)")
                connection.execute("insert into c3.t (id) values (200)")
        except psycopg.errors.UniqueViolation as error:
            print("inner", error.diag.constraint_name)
    with connection.cursor(name="served") as cursor:
        cursor.itersize = 3
        cursor.execute("select generate_series(1, %s)", (10,))
        print(cursor.fetchmany(2), [row[0] for row in cursor])
    with connection.cursor(name="scrolled", scrollable=True, withhold=True) as cursor:
        cursor.execute("select generate_series(1, 5)")
        connection.commit()
        cursor.scroll(3)
        print(cursor.fetchone())
    connection.rollback()
    print(list(connection.cursor().stream("select generate_series(1, %s)", (4,))))
    connection.rollback()

# Pipelines.
with psycopg.connect(autocommit=True) as connection:
    with connection.pipeline():
        first = connection.execute("insert into c3.t (id) values (300) returning id")
        second = connection.execute("select count(*) from c3.t where id = %s", (300,))
        print(first.fetchone(), second.fetchone())
        third = connection.execute("select 3")
    print(third.fetchone())

    def fails():
        with connection.pipeline():
            connection.execute("insert into c3.t (id) values (301)")
            connection.execute("insert into c3.t (id) values (301)")
            connection.execute("insert into c3.t (id) values (302)")

    failing("pipeline", fails)

    def synced():
        with connection.pipeline() as pipeline:
            connection.execute("insert into c3.t (id) values (303)")
            pipeline.sync()
            connection.execute("insert into c3.t (id) values (303)")

    failing("synced pipeline", synced)
    print(connection.execute("select id from c3.t where id between 300 and 310 order by id").fetchall())
    with connection.pipeline(), connection.transaction():
        cursor = connection.cursor()
        cursor.executemany("insert into c3.t (id) values (%s)", [(at,) for at in range(400, 450)])
    print(connection.execute("select count(*) from c3.t where id between 400 and 449").fetchone())
    # A deferred constraint fails with the statement that is alone.
    connection.execute("create table c3.d (a int unique deferrable initially deferred)")
    failing("deferred alone", lambda: connection.execute("insert into c3.d values (1), (1)"))
    failing("deferred with values", lambda: connection.execute("insert into c3.d values (%s), (1)", (1,)))

# At a pipeline's end it leaves psycopg's connection in the pipeline.
connection = psycopg.connect(autocommit=True)


def deferred():
    with connection.pipeline():
        connection.execute("insert into c3.d values (1)")
        connection.execute("insert into c3.d values (1)")


try:
    deferred()
except (psycopg.Error, IndexError):
    # The error comes with the pipeline's end; where it comes late, psycopg 3.3 has no command left that it could be of.
    print("deferred in a pipeline")
connection.close()

# Bound by the client, and raw.
with psycopg.connect(cursor_factory=psycopg.ClientCursor, autocommit=True) as connection:
    print(connection.execute("select %s, %s; select %s", (1, "it's", 2)).fetchall())
    print(connection.execute(sql.SQL("select {}").format(sql.Literal("é"))).fetchall())
with psycopg.connect(cursor_factory=psycopg.RawCursor, autocommit=True) as connection:
    print(connection.execute("select $1::int", (5,)).fetchall())

# Notifications.
with psycopg.connect(autocommit=True) as connection:
    connection.execute("listen tide")
    connection.execute("select pg_notify('tide', 'one')")
    connection.execute("notify tide, 'two'")
    print([(notify.channel, notify.payload) for notify in connection.notifies(timeout=10, stop_after=2)])
    # From elsewhere, while nothing is asked.
    with psycopg.connect(autocommit=True) as other:
        other.execute("notify tide, 'three'")
    print([notify.payload for notify in connection.notifies(timeout=10, stop_after=1)])

# Cancelled by the client's own request.
with psycopg.connect(autocommit=True) as connection:
    pid = connection.info.backend_pid

    async def cancelled():
        running = await psycopg.AsyncConnection.connect(autocommit=True)
        task = asyncio.create_task(running.execute("select pg_sleep(60)"))
        query = "select 1 from pg_stat_activity where pid = %s and state = 'active' and query like '%%pg_sleep%%'"
        while connection.execute(query, (running.info.backend_pid,)).fetchone() is None:
            await asyncio.sleep(0.05)
        await running.cancel_safe()
        try:
            await task
        except psycopg.Error as error:
            print("cancelled", error.sqlstate)
        print((await (await running.execute("select 1")).fetchone()))
        await running.close()

    asyncio.run(cancelled())

# What the server ends.
with psycopg.connect(autocommit=True) as connection, psycopg.connect(autocommit=True) as other:
    other.execute("select pg_terminate_backend(%s, 10000)", (connection.info.backend_pid,))
    try:
        connection.execute("select 1")
    except psycopg.OperationalError as error:
        print("terminated", type(error).__name__, error.sqlstate)
