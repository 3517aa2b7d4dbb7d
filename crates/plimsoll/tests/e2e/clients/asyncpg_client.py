"""asyncpg: binary, prepared, with and without its cache of statements."""

import asyncio
import io

import asyncpg


async def talk(schema, **options):
    connection = await asyncpg.connect(**options)
    notices = []
    connection.add_log_listener(lambda _, message: notices.append((message.severity, message.message)))
    await connection.execute(f"create schema {schema}; create table {schema}.t (id int primary key, name text, a int[])")
    await connection.execute(f"create table if not exists {schema}.t ()")
    print(await connection.execute(f"insert into {schema}.t values ($1, $2, $3)", 1, "é", [1, None]))
    await connection.executemany(f"insert into {schema}.t (id, name) values ($1, $2)", [(at, "x") for at in range(2, 60)])
    print(await connection.fetchrow(f"select * from {schema}.t where id = $1", 1))
    for at in range(3):
        print(await connection.fetchval(f"select name from {schema}.t where id = $1", at))
    prepared = await connection.prepare(f"select id from {schema}.t where id > $1 order by id")
    print([row["id"] for row in await prepared.fetch(55)], prepared.get_parameters(), prepared.get_attributes())
    try:
        await connection.execute(f"insert into {schema}.t (id) values ($1)", 1)
    except asyncpg.UniqueViolationError as error:
        print(error.constraint_name)
    try:
        await connection.executemany(f"insert into {schema}.t (id) values ($1)", [(900,), (900,)])
    except asyncpg.UniqueViolationError as error:
        print(error.constraint_name)
    try:
        await connection.fetch("select $1::int / 0", 1)
    except asyncpg.DivisionByZeroError as error:
        print(error.sqlstate)
    print(await connection.fetchval(f"select count(*) from {schema}.t where id = 900"))
    async with connection.transaction():
        cursor = await connection.cursor(f"select id from {schema}.t order by id")
        print([row["id"] for row in await cursor.fetch(4)], await cursor.forward(3), (await cursor.fetchrow())["id"])
        total = 0
        async for row in connection.cursor(f"select id from {schema}.t where id > $1", 10, prefetch=7):
            total += row["id"]
        print(total)
        try:
            async with connection.transaction():
                await connection.execute(f"insert into {schema}.t (id) values (1)")
        except asyncpg.UniqueViolationError:
            print("inner failed")
        await connection.execute(f"insert into {schema}.t (id) values (901)")
    try:
        async with connection.transaction(isolation="serializable"):
            await connection.execute(f"delete from {schema}.t")
            raise ValueError
    except ValueError:
        print(await connection.fetchval(f"select count(*) from {schema}.t"))
    print(await connection.copy_records_to_table("t", schema_name=schema, records=[(at, "c", [at]) for at in range(70, 90)]))
    print(await connection.copy_to_table("t", schema_name=schema, source=io.BytesIO(b"95\tq\t\\N\n"), columns=["id", "name", "a"]))
    out = io.BytesIO()
    print(await connection.copy_from_query(f"select id from {schema}.t where id > $1 order by id", 80, output=out), out.getvalue())
    try:
        await connection.copy_to_table("t", schema_name=schema, source=io.BytesIO(b"x\n" * 1000), columns=["id"])
    except asyncpg.PostgresError as error:
        print(error.sqlstate)
    await connection.execute(f"create index concurrently on {schema}.t (name)")
    await connection.execute(f"vacuum {schema}.t")
    heard = asyncio.Queue()
    await connection.add_listener("wave", lambda _, __, channel, payload: heard.put_nowait((channel, payload)))
    await connection.execute("select pg_notify('wave', $1)", "hi")
    print(await asyncio.wait_for(heard.get(), 30))
    # A time limit is a cancel request.
    try:
        await connection.fetch("select pg_sleep(60)", timeout=0.3)
    except asyncio.TimeoutError:
        print("timed out", await connection.fetchval("select 1"))
    print([notice for notice in notices if notice[0] != "DEBUG"])
    await connection.close()


async def pool():
    async with asyncpg.create_pool(min_size=3, max_size=3) as connections:
        results = await asyncio.gather(*(connections.fetchval("select $1::int * 2", at) for at in range(20)))
        print(results)


asyncio.run(talk("ac"))
asyncio.run(talk("au", statement_cache_size=0))
asyncio.run(pool())
