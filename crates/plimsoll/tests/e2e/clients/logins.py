"""One login by libpq as psycopg has it, which has TLS, with and without a wish for channel binding, and one by asyncpg."""

import asyncio
import os

import asyncpg
import psycopg

for binding in ["prefer", "require"]:
    print("psycopg", os.environ["PGUSER"], os.environ["PGPASSWORD"], binding)
    try:
        with psycopg.connect(channel_binding=binding) as connection:
            print(connection.execute("select current_user").fetchone()[0])
    except psycopg.OperationalError as error:
        print(str(error).split("failed: ")[-1].strip())


async def asynchronously():
    try:
        connection = await asyncpg.connect()
        print("asyncpg", await connection.fetchval("select current_user"))
        await connection.close()
    except asyncpg.PostgresError as error:
        print("asyncpg", error)


asyncio.run(asynchronously())
