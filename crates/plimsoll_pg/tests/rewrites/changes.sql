Each change as somebody wrote it.
-- an index without a name
create index on ships (lower(name), built desc) include (flag) where built > 1950;
-- a unique index of another schema's spelling
create unique index if not exists "Odd" on public."Odd names" using btree ("The Value");
-- an index of a table with a long name
create index on a_table_with_a_name_so_long_that_it_is_cut (a_column_with_a_name_just_as_long);
-- several indexes and what leans on them
create index ships_owner on ships (owner_id);
create index on ships (owner_id, built);
comment on index ships_owner is 'by owner';
alter table ships cluster on ships_owner;
-- an index dropped
drop index ships_flag;
-- an index built anew
reindex table ships;
-- a materialized view
insert into ships (id, name) values (99999, 'new');
refresh materialized view fleet;
-- a partitioned index
create index on voyages (ship_id, id);
-- a named partitioned index
create index by_ship on voyages (ship_id) where ship_id > 0;
-- a foreign key
alter table ships add foreign key (owner_id) references owners (id) on delete cascade deferrable initially deferred;
-- two constraints and a column in one statement
alter table ships add column extra text default 'x', add constraint owned foreign key (owner_id) references owners, add check (built > 1800);
-- a foreign key of a partitioned table
alter table stops add foreign key (ship_id) references ships;
-- a check of two columns and its neighbours of the same name
alter table ships add check (built > 0 and id > 0), add check (id > built - 100000);
-- not null
alter table ships alter column owner_id set not null, alter name set not null;
-- not null as a constraint [from 18]
alter table ships add constraint has_name not null name;
-- a unique constraint with all that can be said of it
alter table pairs add unique nulls not distinct (a, b) include (c) with (fillfactor = 80) deferrable initially deferred;
-- a unique constraint of odd names
alter table only "Odd names" add unique ("The Value");
-- a unique constraint of a table with a long name
alter table a_table_with_a_name_so_long_that_it_is_cut add unique (a_column_with_a_name_just_as_long);
-- a primary key whose column may hold nulls
alter table pairs add primary key (a, b);
-- a primary key with an index that is there
create unique index pairs_of_two on pairs (a, b);
alter table pairs add constraint pairs_of_two primary key using index pairs_of_two;
-- a column with a volatile default
alter table ships add column token uuid not null default gen_random_uuid() constraint one_token unique;
-- a column with a check and a unique constraint
alter table ships add column grade int check (grade > 0) unique;
-- a column with a default and a reference
alter table ships add column captain bigint default 5 references owners (id) on delete set null;
-- a serial column
alter table pairs add primary key (b);
alter table pairs add column number serial;
-- a serial column of a table that isn't in the first schema of the search path
create schema side;
set search_path = side, public;
alter table parcels add column number serial;
-- a partition that goes
alter table voyages detach partition voyages_1;
-- a partition that comes
alter table voyages attach partition voyages_3 for values from ('2026-03-01') to ('2026-04-01');
-- a backfill of all rows
update ships set flag = coalesce(flag, 'NO'), note = 'filled';
-- a deletion of all rows
delete from ships;
-- a backfill beside the table's change
begin;
alter table ships add column region text;
update ships set region = 'north' where built > 1950;
alter table ships alter region set default 'south';
commit;
-- a validation beside its constraint
begin;
alter table ships add constraint young check (built > 1000) not valid;
alter table ships validate constraint young;
commit;
-- all within one transaction
begin;
set local statement_timeout = '5min';
create table ports (id bigint primary key, name text);
create index ports_name on ports (name);
create index ships_built on ships (built);
alter table ships add column port_id bigint references ports;
alter table ships alter owner_id set not null;
insert into ports values (1, 'Kiel');
commit;
-- a check and not null of a partitioned table
alter table voyages add check (ship_id > 0), alter column id set not null;
-- an identity of names that need quotes
alter table "Odd names" add constraint "The Check" check ("The Value" <> 'x'), alter "The Value" set not null;
-- not null where it was said of new rows before [from 18]
alter table ships add constraint flag_known not null flag not valid;
update ships set flag = 'NO' where flag is null;
alter table ships alter column flag set not null;
