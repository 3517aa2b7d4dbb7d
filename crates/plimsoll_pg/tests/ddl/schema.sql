-- The schema that every kind of statement in kinds.sql starts from: a harbour. It runs on PostgreSQL 15 and later. Tables
-- hold some hundred rows, so that a scan can be told from none.

-- What the whole server shares.
create role harbour_master;
create role clerk;
create role nobody;
set allow_in_place_tablespaces = on;
create tablespace attic location '';
create database annex;

create access method heap_again type table handler heap_tableam_handler;
create schema archive;
create schema "Odd Schema";

-- Functions.
create function always_five() returns int language plpgsql immutable as 'begin return 5; end';
create function steady_five() returns int language plpgsql stable as 'begin return 5; end';
create function any_five() returns int language plpgsql volatile as 'begin return 5; end';
create function inlined_five() returns int language sql volatile as 'select 5';
create function inlined_random() returns float8 language sql volatile as 'select random()';
create function is_positive(n int) returns boolean language sql immutable as 'select n > 0';
create function note_change() returns trigger language plpgsql as 'begin return new; end';
create function note_command() returns event_trigger language plpgsql as 'begin end';
create function add_column_to_ships() returns void language plpgsql as 'begin alter table ships add column by_function int; end';
create procedure add_check_to_ships() language plpgsql as 'begin alter table ships add check (id > 0); end';
create procedure commit_midway() language plpgsql as 'begin alter table ships add column by_procedure int; commit; end';

-- Types.
create type signal as enum ('red', 'green', 'white');
create type spot as (latitude float8, longitude float8);
create type lonely_pair as (a int, b int);
create type berth as (number int, length numeric, note text);
create type lonely_enum as enum ('only');
create domain free_text as text;
create domain tonnage as int check (value >= 0);
create domain depth as int;
create domain lonely_domain as int;
create domain must_have as text not null;
create domain old_code as int;
alter domain old_code add constraint old_code_is_short check (value < 100000) not valid;
create collation harbour_order (provider = libc, locale = 'C');

-- Ports, ships, calls: keys between them, both ways.
create table ports (
    id int primary key,
    name text not null,
    country char(2),
    code varchar(5) unique,
    depth_m int,
    position point
);

create table ships (
    id int primary key,
    name varchar(50) not null,
    flag text,
    imo varchar(10),
    tons int,
    home_port int references ports,
    built date,
    notes text,
    constraint ships_flag_known check (flag is not null),
    constraint ships_tons_positive check (tons > 0)
);
alter table ships add constraint ships_imo_long check (length(imo) >= 3) not valid;
create index ships_flag on ships (flag);
create index ships_lower_name on ships (lower(name));
create index ships_heavy on ships (tons) where tons > 100;
create unique index ships_imo on ships (imo);
create unique index ships_name_id on ships (name, id);

create table calls (
    id bigint primary key,
    ship_id int not null,
    port_id int,
    note text,
    arrived timestamp,
    left_at timestamptz,
    stay int4range,
    slot int4range,
    weight int,
    constraint calls_ship foreign key (ship_id) references ships,
    constraint calls_note_once unique (id, note)
);
alter table calls add constraint calls_port foreign key (port_id) references ports on delete cascade deferrable not valid;
alter table calls add constraint calls_weight check (weight > 0) not valid;
create index calls_by_ship on calls (ship_id);
create index calls_by_note on calls (note);
create index calls_by_arrival on calls (arrived);
create index calls_broken on calls (weight);
update pg_index set indisvalid = false where indexrelid = 'calls_broken'::regclass;

create table ensigns (code varchar(5) primary key, name text);
create table flown (id int primary key, code varchar(5) references ensigns);
create table pilots (id int primary key, chief int references pilots, name text);
create table trash (id int, name text);
create table leaf (id int primary key, ship_id int references ships, port_id int references ports);
create table root (id int primary key, name text);
create table branch (id int primary key, root_id int references root);
create table twig (id int primary key, branch_id int references branch);

-- A column of each type, not indexed and not checked.
create table things (
    id int primary key,
    small smallint,
    number int,
    big bigint,
    single real,
    double float8,
    price numeric(10, 2),
    amount numeric,
    fixed char(4),
    short varchar(20),
    unlimited varchar,
    words text,
    label name,
    at timestamp,
    at_3 timestamp(3),
    at_zone timestamptz,
    at_zone_3 timestamptz(3),
    clock time,
    clock_3 time(3),
    day date,
    span interval,
    span_3 interval(3),
    span_day interval day to second,
    span_month interval year to month,
    bits bit(8),
    some_bits bit varying(8),
    host inet,
    net cidr,
    mac macaddr,
    doc json,
    docb jsonb,
    tags text[],
    short_tags varchar(20)[],
    numbers int[],
    state signal,
    place spot,
    places spot[],
    key uuid,
    raw bytea,
    object oid,
    relation regclass,
    flag boolean,
    cash money,
    range int4range,
    load tonnage,
    keel depth,
    code old_code,
    plain free_text
);

-- Columns on which other things depend.
create table bound (
    id int primary key,
    short varchar(20) collate "C",
    words text,
    checked varchar(20),
    sized numeric(10, 2),
    expressed varchar(20),
    partial int,
    partial_word varchar(20),
    object int,
    at timestamp,
    net cidr,
    unique_word varchar(20) unique,
    viewed varchar(20),
    ruled varchar(20),
    triggered varchar(20),
    counted varchar(20),
    generator int,
    double_it int generated always as (generator * 2) stored,
    keyed int,
    counter_id int unique,
    load tonnage,
    code int4,
    ordered varchar(20),
    constraint bound_checked check (checked <> ''),
    constraint bound_sized check (sized >= 0),
    constraint bound_apart exclude using btree (keyed with =),
    constraint bound_words check (words is not null)
);
create index bound_short on bound (short);
create index bound_words_fast on bound (words text_pattern_ops);
create index bound_expressed on bound (upper(expressed));
create index bound_partial on bound (partial) where partial > 10;
create index bound_partial_word on bound (id) where partial_word <> '';
create index bound_object on bound (object);
create index bound_at on bound (at);
create index bound_net on bound (net);
create index bound_ordered on bound (ordered);
create index bound_brin on bound using brin (code);
create index bound_hash on bound using hash (ruled);
create view bound_view as select id, viewed from bound;
create trigger bound_changes before update of triggered on bound for each row execute function note_change();
create statistics bound_counts (ndistinct) on counted, partial from bound;
alter table bound enable row level security;
create policy bound_readers on bound for select using (ruled <> 'secret');
create table bound_child (id int primary key, counter_id int references bound (counter_id));

-- Identity, serial, generated, storage, persistence, typed.
create table bookings (id bigint generated always as identity primary key, number int not null default 7, note text default 'none', plain int not null);
create table receipts (id serial primary key, amount numeric, total numeric generated always as (amount * 2) stored);
create sequence tickets;
create sequence tickets_cached cache 10;
create table ticket_stubs (id int default nextval('tickets'), note text);
create unlogged table scratch (id int primary key, note text);
create table logged (id int primary key, note text);
create table replica (id int primary key, code text not null, note text);
create unique index replica_code on replica (code);
alter table replica replica identity using index replica_code;
create table berths of berth (primary key (number));
create table berths_free (number int, length numeric, note text);
create table clustered (id int primary key, note text);
create index clustered_by_note on clustered (note);
alter table clustered cluster on clustered_by_note;
create table nameless (id int, note text);
create table optioned (id int primary key, note text) with (fillfactor = 70);
create table stowed (id int primary key, note text);
create table owned (id int primary key, note text);
alter table owned owner to harbour_master;
create table archive.letters (id int primary key, ship_id int references public.ships, body text);
create table "Odd Schema"."Odd Table" ("Id" int primary key, "Odd Column" varchar(10), "select" text);
create index "Odd Index" on "Odd Schema"."Odd Table" ("Odd Column");

-- Inheritance.
create table vessels (id int not null, name text, constraint vessels_id_positive check (id > 0));
create table tugs (power int) inherits (vessels);
create table barges (id int not null, name text, constraint vessels_id_positive check (id > 0));

-- Partitions: by range with a default; by list without; by hash; below another.
create table visits (id int not null, day date not null, ship_id int references ships, note text) partition by range (day);
create table visits_2024 partition of visits for values from ('2024-01-01') to ('2025-01-01');
create table visits_2025 partition of visits for values from ('2025-01-01') to ('2026-01-01');
create table visits_rest partition of visits default;
create index visits_by_day on visits (day);
create index visits_by_note on only visits (note);
create index visits_2024_by_note on visits_2024 (note);
alter index visits_by_note attach partition visits_2024_by_note;
create index visits_2025_by_note on visits_2025 (note);
create table visits_2026 (id int not null, day date not null, ship_id int, note text);
create table visits_2027 (like visits_2026, constraint visits_2027_day check (day >= '2027-01-01' and day < '2028-01-01'));
create index visits_2027_by_day on visits_2027 (day);
alter table visits_2027 add constraint visits_2027_ship foreign key (ship_id) references ships;

create table tides (id int, day date not null) partition by range (day);
create table tides_2025 partition of tides for values from ('2025-01-01') to ('2026-01-01');
create table tides_rest partition of tides default;
create table tides_2026 (id int, day date not null);
create table tides_2027 (id int, day date not null, constraint tides_2027_day check (day >= '2027-01-01' and day < '2028-01-01'));
create table tides_2028 (id int, day date not null);
alter table tides_2028 add constraint tides_2028_day check (day >= '2028-01-01' and day < '2029-01-01') not valid;

create table cargo (id int not null, kind text not null, weight int) partition by list (kind);
create table cargo_oil partition of cargo for values in ('oil');
create table cargo_box partition of cargo for values in ('box') partition by range (id);
create table cargo_box_low partition of cargo_box for values from (0) to (200);
create table cargo_box_high partition of cargo_box for values from (200) to (1000000);
create table cargo_grain (id int not null, kind text not null, weight int);
create table cargo_sand (id int not null, kind text not null, weight int, constraint cargo_sand_kind check (kind = 'sand'));
create table cargo_salt (id int not null, kind text, weight int, constraint cargo_salt_kind check (kind = 'salt'));
create table cargo_coal (weight int, id int not null, kind text not null);
create index cargo_coal_id on cargo_coal (id);

create table logs (id int not null, line text) partition by hash (id);
create table logs_0 partition of logs for values with (modulus 3, remainder 0);
create table logs_1 partition of logs for values with (modulus 3, remainder 1);
create table logs_2 (id int not null, line text);

create table voyages (id int primary key, name text, ship_id int) partition by range (id);
create table voyages_low partition of voyages for values from (0) to (200);
create table voyages_high partition of voyages for values from (200) to (1000000);
create table stages (id int primary key, voyage_id int references voyages, place text);
create table stages_loose (id int primary key, voyage_id int, place text);

-- Views, materialized views.
create view ship_names as select id, name from ships;
create view ship_calls as select s.name, c.note from ships s join calls c on c.ship_id = s.id;
create view plain_view as select 1 as one;
create materialized view flags as select flag, count(*) as ships from ships group by flag;
create index flags_by_flag on flags (flag);
create materialized view notes as select id, note from calls;
create unique index notes_id on notes (id);
create materialized view empty_view as select id from ports with no data;

-- Triggers, rules, policies.
create trigger calls_change before update on calls for each row execute function note_change();
create constraint trigger calls_late after insert on calls deferrable initially deferred for each row execute function note_change();
alter table calls disable trigger calls_change;
create trigger ports_change after update on ports for each row execute function note_change();
create table ledger (id int primary key, note text);
create rule ledger_keeps as on delete to ledger do instead nothing;
create table secrets (id int primary key, owner text, note text);
alter table secrets enable row level security;
create policy secrets_own on secrets using (owner = current_user);

-- All the rest.
create publication ship_news for table ships;
create publication pilot_names for table pilots (id, name);
create statistics ships_counts (dependencies) on flag, tons from ships;
create foreign data wrapper nowhere;
create server far foreign data wrapper nowhere;
create foreign table far_ships (id int, name text) server far;
create aggregate total(int) (sfunc = int4pl, stype = int);
create cast (signal as int) with inout;
create operator <<>> (leftarg = int, rightarg = int, function = int4ne);
create text search configuration plain_words (copy = simple);
comment on table ships is 'afloat';
grant select on ships to clerk;
create event trigger watch on ddl_command_end when tag in ('COMMENT') execute function note_command();
alter event trigger watch disable;

-- Rows.
insert into ports select n, 'port ' || n, 'NO', 'P' || n, n, point(n, n) from generate_series(1, 200) n;
insert into ships select n, 'ship ' || n, 'LR', 'imo' || n, n, n % 200 + 1, date '2001-01-01' + n, 'x' from generate_series(1, 400) n;
insert into calls select n, n % 400 + 1, n % 200 + 1, 'note ' || n, timestamp '2025-01-01' + n * interval '1 hour',
    timestamptz '2025-01-01 UTC' + n * interval '1 hour', int4range(n * 10, n * 10 + 5), '[1,2)', n from generate_series(1, 600) n;
insert into ensigns select 'e' || n, 'x' from generate_series(1, 300) n;
insert into flown select n, 'e' || n from generate_series(1, 300) n;
insert into pilots select n, 1, 'pilot ' || n from generate_series(1, 300) n;
insert into trash select n, 'old' from generate_series(1, 300) n;
insert into leaf select n, n, n from generate_series(1, 200) n;
insert into root select n, 'root' from generate_series(1, 300) n;
insert into branch select n, n from generate_series(1, 300) n;
insert into twig select n, n from generate_series(1, 300) n;
insert into things select n, n, n, n, n, n, n, n, 'abcd', 'word', 'word', 'word', 'word', '2025-01-01', '2025-01-01', '2025-01-01 UTC',
    '2025-01-01 UTC', '12:00', '12:00', '2025-01-01', '1 day', '1 day', '1 day', '1 month', '10101010', '101', '10.0.0.1', '10.0.0.0/8',
    '08:00:2b:01:02:03', '{}', '{}', '{a}', '{a}', '{1}', 'red', '(1,2)', '{}', '00000000-0000-0000-0000-000000000001', 'x', 1, 'pg_class',
    true, 1, '[1,2)', n, n, n, 'word' from generate_series(1, 300) n;
insert into bound (id, short, words, checked, sized, expressed, partial, partial_word, object, at, net, unique_word, viewed, ruled, triggered,
    counted, generator, keyed, counter_id, load, code, ordered) select n, 'word', 'word', 'word', n, 'word', n, 'word', n, '2025-01-01',
    '10.0.0.0/8', 'w' || n, 'word', 'word', 'word', 'word', n, n, n, n, n, 'word' from generate_series(1, 300) n;
insert into bound_child select n, n from generate_series(1, 300) n;
insert into bookings (number, plain) select n, n from generate_series(1, 300) n;
insert into receipts (amount) select n from generate_series(1, 300) n;
insert into ticket_stubs (note) select 'stub' from generate_series(1, 300) n;
insert into scratch select n, 'x' from generate_series(1, 300) n;
insert into logged select n, 'x' from generate_series(1, 300) n;
insert into replica select n, n, 'x' from generate_series(1, 300) n;
insert into berths select n, n, 'x' from generate_series(1, 300) n;
insert into berths_free select n, n, 'x' from generate_series(1, 300) n;
insert into clustered select n, 'x' from generate_series(1, 300) n;
insert into nameless select n, 'x' from generate_series(1, 300) n;
insert into optioned select n, 'x' from generate_series(1, 300) n;
insert into stowed select n, 'x' from generate_series(1, 300) n;
insert into owned select n, 'x' from generate_series(1, 300) n;
insert into archive.letters select n, n, 'x' from generate_series(1, 300) n;
insert into "Odd Schema"."Odd Table" select n, 'x', 'y' from generate_series(1, 300) n;
insert into vessels select n, 'vessel' from generate_series(1, 300) n;
insert into tugs select n, 'tug', n from generate_series(1, 300) n;
insert into barges select n, 'barge' from generate_series(1, 300) n;
insert into visits select n, date '2024-01-01' + n, n, 'x' from generate_series(1, 399) n;
insert into visits select n, date '1999-01-01', n, 'x' from generate_series(1, 300) n;
insert into visits_2026 select n, '2026-06-01', n, 'x' from generate_series(1, 300) n;
insert into visits_2027 select n, '2027-06-01', n, 'x' from generate_series(1, 300) n;
insert into tides select n, date '2025-01-01' + n from generate_series(1, 300) n;
insert into tides select n, '1999-01-01' from generate_series(1, 300) n;
insert into tides_2026 select n, '2026-06-01' from generate_series(1, 300) n;
insert into tides_2027 select n, '2027-06-01' from generate_series(1, 300) n;
insert into tides_2028 select n, '2028-06-01' from generate_series(1, 300) n;
insert into cargo select n, 'oil', n from generate_series(1, 300) n;
insert into cargo select n, 'box', n from generate_series(1, 399) n;
insert into cargo_grain select n, 'grain', n from generate_series(1, 300) n;
insert into cargo_sand select n, 'sand', n from generate_series(1, 300) n;
insert into cargo_salt select n, 'salt', n from generate_series(1, 300) n;
insert into cargo_coal select n, n, 'coal' from generate_series(1, 300) n;
insert into logs select n, 'x' from generate_series(1, 2000) n
    where satisfies_hash_partition('logs'::regclass, 3, 0, n) or satisfies_hash_partition('logs'::regclass, 3, 1, n);
insert into logs_2 select n, 'x' from generate_series(1, 2000) n where satisfies_hash_partition('logs'::regclass, 3, 2, n);
insert into voyages select n, 'x', n from generate_series(1, 399) n;
insert into stages select n, n, 'x' from generate_series(1, 300) n;
insert into stages_loose select n, n, 'x' from generate_series(1, 300) n;
insert into ledger select n, 'x' from generate_series(1, 300) n;
insert into secrets select n, 'x', 'x' from generate_series(1, 300) n;
refresh materialized view flags;
refresh materialized view notes;
