"""psycopg 2: simple queries only."""

import io

import psycopg2
import psycopg2.extras

connection = psycopg2.connect("")
with connection, connection.cursor() as cursor:
    cursor.execute("create schema c2; create table c2.t (id serial primary key, name text)")
    cursor.execute("insert into c2.t (name) values (%s), (%s) returning id", ("é'", None))
    print(cursor.fetchall(), cursor.statusmessage)
    psycopg2.extras.execute_values(cursor, "insert into c2.t (name) values %s", [(f"v{at}",) for at in range(250)])
    psycopg2.extras.execute_batch(cursor, "update c2.t set name = %s where id = %s", [("b", 1), ("c", 2)])
    cursor.copy_expert("copy c2.t (name) from stdin", io.StringIO("x\ny\n"))
    out = io.StringIO()
    cursor.copy_expert("copy (select * from c2.t order by id limit 5) to stdout", out)
    print(repr(out.getvalue()))
    print(connection.notices)
with connection.cursor() as cursor:
    try:
        cursor.execute("select 1; select 1/0; select 2")
    except psycopg2.Error as error:
        print(error.pgcode, error.pgerror)
    connection.rollback()
with connection.cursor("named") as cursor:
    cursor.itersize = 7
    cursor.execute("select id from c2.t order by id")
    print(sum(row[0] for row in cursor))
connection.commit()
connection.set_session(autocommit=True, isolation_level="SERIALIZABLE", readonly=False)
with connection.cursor() as cursor:
    cursor.execute("show transaction_isolation")
    print(cursor.fetchone())
    cursor.execute("create index concurrently t_name on c2.t (name)")
    cursor.execute("select count(*) from c2.t")
    print(cursor.fetchone())
connection.close()
