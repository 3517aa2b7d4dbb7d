create table "Ships" (id serial primary key, name varchar(50) not null default upper('x') check (name <> ''),
  n int generated always as (id + 1) stored, berth int constraint b references berths (id), unique (name, n),
  like berths including all) partition by range (id);
create table ships_1 partition of "Ships" for values from (1) to (9);
alter table if exists only app.calls add column if not exists x numeric(10,2)[] default random(), drop column y cascade,
  alter column z type timestamp(3) with time zone using z::timestamptz, alter w set not null, alter w drop not null,
  add constraint c check (a is not null and (b IS NOT NULL)) not valid, validate constraint c, drop constraint d,
  add constraint u unique using index i, alter v set statistics 100, disable trigger all;
alter table a rename to b; alter table b rename c to d; alter table b rename constraint e to f; alter table b set schema g;
alter table p attach partition q default; alter table p detach partition q concurrently;
create unique index concurrently if not exists i on only t using gin (lower(a) desc, b) where c > 0;
alter index i rename to j; drop index concurrently if exists j, s.k; reindex (concurrently) table t; refresh materialized view concurrently v;
begin; savepoint s; rollback to s; release s; commit and chain; rollback; truncate a, b; lock table a in share mode; vacuum full a; cluster;
set local lock_timeout to '2s'; reset all; select set_config('search_path', 'a,b', false); select 1 as x into copied;
create trigger g before update on t for each row execute function touch(); create policy y on t; create domain m as text; create type e as enum ('a');
insert into a values (1); update a set b = 1; delete from a; merge into a using b on true when matched then delete; alter system set x = 1;
