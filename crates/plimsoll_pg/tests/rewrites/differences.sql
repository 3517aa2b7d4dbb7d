create schema app
create table t (id int)
alter table ships add column x int
alter table ships alter name set default 'x'
alter table ships alter name set not null
alter table ships alter flag type varchar(99)
alter table ships alter name set storage external
alter table ships alter name set statistics 7
alter table ships add constraint c check (id > 0) not valid
alter table owners add constraint c unique (name)
create index on ships (name)
alter index ships_flag set (fillfactor = 50)
alter table ships cluster on ships_flag
alter table ships replica identity full
alter table ships enable row level security
alter table ships set (fillfactor = 50)
alter table ships set unlogged
create trigger t before update on ships for each row execute function suppress_redundant_updates_trigger()
create policy p on ships using (true)
create rule r as on delete to ships do instead nothing
create sequence s
create view v as select 1 as one
create function f() returns int language sql as 'select 1'
create type mood as enum ('sad')
alter domain code set default 'x'
comment on table ships is 'x'
comment on column ships.name is 'x'
grant select on ships to public
grant select (name) on ships to public
alter table ships owner to pg_monitor
alter default privileges grant select on tables to public
create publication p for table ships
create statistics st on name, flag from ships
create aggregate total (int) (sfunc = int4pl, stype = int)
create collation c from "C"
alter table voyages detach partition voyages_1
refresh materialized view fleet with no data
update ships set note = 'other' where id = 5
insert into owners values (1000, 'x')
update pairs set c = case a when 1 then 'c2' when 2 then 'c1' end where a < 3
