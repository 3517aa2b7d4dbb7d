-- Indexes of every kind, partitions, extended statistics, a materialised view; and pgbench's tables.
create type mood as enum ('calm', 'rough', 'storm');
create domain code as text check (value ~ '^[A-Z]');
create table visits (id bigint generated always as identity primary key, port int not null, berth int not null, code code not null, email text, mood mood not null,
  arrived timestamptz not null, stay tstzrange, tags text[], words tsvector, spot point, fee numeric(12, 2), uid uuid not null, payload jsonb, dropped int, note text,
  total numeric generated always as (fee * 2) stored, constraint fees check (fee >= 0));
insert into visits (port, berth, code, email, mood, arrived, stay, tags, words, spot, fee, uid, payload, dropped, note)
select h(i, 1, 50) * h(i, 2, 40), h(i, 1, 50) * 10 + h(i, 3, 3), chr(65 + h(i, 4, 26)) || h(i, 5, 400), case when h(i, 6, 10) > 0 then 'sailor' || i || '@example.org' end,
  (array['calm', 'calm', 'calm', 'rough', 'storm'])[h(i, 7, 5) + 1]::mood, timestamptz '2020-01-01 00:00+00' + i * interval '37 minutes',
  tstzrange(timestamptz '2020-01-01 00:00+00' + i * interval '37 minutes', timestamptz '2020-01-01 00:00+00' + i * interval '37 minutes' + h(i, 8, 90) * interval '1 hour'),
  array['tag' || h(i, 9, 8), 'tag' || h(i, 10, 60)], to_tsvector('simple', 'word' || h(i, 11, 30) || ' word' || h(i, 12, 900)), point(h(i, 13, 1000), h(i, 14, 1000)),
  h(i, 15, 100000) / 7.0, md5(i::text)::uuid, jsonb_build_object('k', h(i, 16, 20), 'v', i), i, md5(i::text || 'n')
from generate_series(1, 20000) i;
-- What comes after a dropped column has another number in a dump.
alter table visits drop column dropped;
alter table visits add column grade smallint default 3;
update visits set grade = h(id, 17, 6) where id % 3 = 0;
create index visits_port_arrived on visits (port, arrived desc);
create index visits_covering on visits (berth) include (fee);
create index visits_storm on visits (arrived) where mood = 'storm';
create index visits_email on visits (lower(email));
create index visits_email_pattern on visits (email text_pattern_ops);
create index visits_hash on visits using hash (code);
create unique index visits_uid on visits (uid);
create index visits_tags on visits using gin (tags);
create index visits_words on visits using gin (words);
create index visits_payload on visits using gin (payload);
create index visits_stay on visits using gist (stay);
create index visits_spot on visits using spgist (spot);
create index visits_brin on visits using brin (arrived);
-- Equal to the first but for its name: the older one is taken.
create index a_twin on visits (port, arrived desc);
create statistics visits_pairs (ndistinct, dependencies, mcv) on port, berth from visits;
create statistics visits_expression on (port % 7), (lower(code)) from visits;

create table events (at date not null, kind int not null, port int, amount numeric) partition by range (at);
create table events_2023 partition of events for values from ('2023-01-01') to ('2024-01-01');
create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01');
create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
insert into events select date '2023-01-01' + i * 1095 / 20000, h(i, 71, 9), h(i, 72, 300), i / 3.0 from generate_series(0, 19999) i;
create index events_port on events (port);
create table crews (id int not null, port int not null, name text) partition by hash (id);
create table crews_0 partition of crews for values with (modulus 2, remainder 0);
create table crews_1 partition of crews for values with (modulus 2, remainder 1);
insert into crews select i, h(i, 73, 300), 'crew' || h(i, 74, 700) from generate_series(1, 8000) i;
alter table crews add primary key (id);
create table duties (id int not null, crew int not null, hours int) partition by hash (id);
create table duties_0 partition of duties for values with (modulus 2, remainder 0);
create table duties_1 partition of duties for values with (modulus 2, remainder 1);
insert into duties select i, h(i, 75, 8000), h(i, 76, 24) from generate_series(1, 8000) i;
alter table duties add primary key (id);
create table moods (mood mood not null, seen int) partition by list (mood);
create table moods_calm partition of moods for values in ('calm');
create table moods_other partition of moods for values in ('rough', 'storm');
insert into moods select (array['calm', 'rough', 'storm'])[h(i, 77, 3) + 1]::mood, i from generate_series(1, 4000) i;
create materialized view port_fees as select port, sum(fee) as fees, count(*) as visits from visits group by port;
create unique index port_fees_port on port_fees (port);
create table base (id int, at date); create table derived (extra int) inherits (base);
insert into base select i, date '2024-01-01' + i % 300 from generate_series(1, 1000) i;
insert into derived select i, date '2025-01-01' + i % 300, i from generate_series(1, 3000) i;
create index on base (at); create index on derived (at);
create table empty_table (id int primary key, name text);
create view storms as select * from visits where mood = 'storm';

create table pgbench_branches (bid int not null primary key, bbalance int, filler char(88)) with (fillfactor = 100);
create table pgbench_tellers (tid int not null primary key, bid int, tbalance int, filler char(84)) with (fillfactor = 100);
create table pgbench_accounts (aid int not null primary key, bid int, abalance int, filler char(84)) with (fillfactor = 100);
create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
insert into pgbench_branches select 1, 0; insert into pgbench_tellers select i, 1, 0 from generate_series(1, 10) i;
insert into pgbench_accounts select i, 1, 0, '' from generate_series(1, 50000) i;

-- Only in the catalogue, so that every table's sample is the whole table, and the same on every server.
set default_statistics_target = 300;
vacuum (analyze);
