// node-postgres: text format, unnamed and named statements, queries sent before the last is answered, a pool, cursors, COPY.

const { once } = require("node:events");
const { Readable } = require("node:stream");
const { pipeline } = require("node:stream/promises");
const { text } = require("node:stream/consumers");
const { Client, Pool, Query } = require("pg");
const copy = require("pg-copy-streams");
const Cursor = require("pg-cursor");

async function refused(promise) {
    const error = await promise.then(() => ({}), (error) => error);
    console.log(error.severity, error.code, error.constraint, error.message);
}

async function talk(client) {
    const notices = [];
    client.on("notice", (notice) => notices.push(notice.message));
    await client.query("create schema n; create table n.t (id int primary key, name text, a int[], at timestamptz, j jsonb)");
    await client.query("create table if not exists n.t ()");
    const insert = "insert into n.t values ($1, $2, $3, $4, $5)";
    console.log((await client.query(insert, [1, "é'\\", [1, null], new Date(0), { a: [1, "x"] }])).rowCount);
    for (let id = 2; id < 9; id++) {
        await client.query({ name: "insert", text: insert, values: [id, null, null, null, null] });
    }
    const named = { name: "by-id", text: "select * from n.t where id = $1" };
    for (const id of [1, 2, 99]) {
        console.log(JSON.stringify((await client.query({ ...named, values: [id] })).rows));
    }
    console.log((await client.query({ text: "select id, name from n.t where id < $1", values: [3], rowMode: "array" })).rows);
    console.log((await client.query({ text: "select id, a from n.t where id = $1", values: [1], binary: true })).rows);
    const several = await client.query("select 1 as one; insert into n.t (id) values (20); select count(*) from n.t");
    console.log(several.map((result) => [result.command, result.rowCount, result.rows]));
    // Sent at once, answered one after the other.
    const many = Array.from({ length: 30 }, (_, at) => client.query("select $1::int * 2 as twice", [at]));
    console.log((await Promise.all(many)).map((result) => result.rows[0].twice).join(" "));
    await refused(client.query("insert into n.t (id) values ($1)", [1]));
    await refused(client.query("selec 1"));
    await refused(client.query("select 1; select 1 / 0; select 2"));
    await refused(client.query({ ...named, values: ["no number"] }));
    console.log((await client.query({ ...named, values: [2] })).rowCount);

    await client.query("begin isolation level serializable");
    await client.query("savepoint s");
    await refused(client.query("insert into n.t (id) values (1)"));
    await refused(client.query("select 1"));
    await client.query("rollback to s");
    await client.query("update n.t set name = $1 where id > $2", ["u", 5]);
    const cursor = client.query(new Cursor("select id from n.t where id > $1 order by id", [2]));
    console.log((await cursor.read(2)).map((row) => row.id), (await cursor.read(100)).map((row) => row.id));
    await cursor.close();
    const left = client.query(new Cursor("select generate_series(1, 1000) as n"));
    console.log((await left.read(3)).map((row) => row.n));
    await left.close();
    await client.query("commit");

    const lines = Array.from({ length: 5000 }, (_, at) => `${at + 100}\tcopied ${at}\n`);
    const into = client.query(copy.from("copy n.t (id, name) from stdin"));
    await pipeline(Readable.from(lines), into);
    console.log(into.rowCount);
    await refused(pipeline(Readable.from(["1\ttwice\n"]), client.query(copy.from("copy n.t (id, name) from stdin"))));
    const out = await text(client.query(copy.to("copy (select id, name from n.t order by id desc limit 3) to stdout with (format csv)")));
    console.log(JSON.stringify(out));
    await client.query("create index concurrently on n.t (name)");

    await client.query("listen wave");
    const heard = once(client, "notification");
    await client.query("select pg_notify('wave', $1)", ["hi"]);
    const [notification] = await heard;
    console.log(notification.channel, notification.payload);
    console.log(notices);
}

async function cancelled() {
    const [sleeper, other] = [new Client(), new Client()];
    await Promise.all([sleeper.connect(), other.connect()]);
    const query = new Query("select pg_sleep(60)");
    const sleeping = refused(once(query, "end"));
    sleeper.query(query);
    const asleep = "select count(*)::int as n from pg_stat_activity where state = 'active' and query = 'select pg_sleep(60)'";
    while ((await other.query(asleep)).rows[0].n === 0);
    // By a connection of its own.
    new Client().cancel(sleeper, query);
    await sleeping;
    console.log((await sleeper.query("select 'usable' as still")).rows[0].still);
    await Promise.all([sleeper.end(), other.end()]);
}

async function pooled() {
    const pool = new Pool({ max: 3, application_name: "pooled" });
    const results = await Promise.all(Array.from({ length: 20 }, (_, at) => pool.query("select $1::int + 1 as next", [at])));
    console.log(results.map((result) => result.rows[0].next).join(" "));
    await pool.end();
}

async function all() {
    const client = new Client({ application_name: "node" });
    await client.connect();
    await talk(client);
    await client.end();
    await cancelled();
    await pooled();
}

all().catch((error) => {
    console.log(error);
    process.exitCode = 1;
});
