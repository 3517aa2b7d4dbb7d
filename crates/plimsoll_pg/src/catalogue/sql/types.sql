-- Enums, domains, composite types, ranges.
with named as (
  select t.*, format('%I.%I', n.nspname, t.typname) as name
  from pg_catalog.pg_type t
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
)
select made from (
  select 1 as rank, name, format('create type %s as enum (%s);', name, (
    select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_catalog.pg_enum where enumtypid = t.oid)) as made
  from named t where typtype = 'e'
  union all
  select 2, name, format('create type %s as (%s);', name, (
    select string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum)
    from pg_catalog.pg_attribute where attrelid = t.typrelid and attnum > 0 and not attisdropped))
  from named t
  where typtype = 'c' and (select relkind from pg_catalog.pg_class where oid = t.typrelid) = 'c'
  union all
  select 3, name, format('create type %s as range (subtype = %s);', name, format_type(r.rngsubtype, null))
  from named t join pg_catalog.pg_range r on r.rngtypid = t.oid
  union all
  select 4, name, format('create domain %s as %s%s%s%s;', name, format_type(t.typbasetype, t.typtypmod),
    coalesce(' default ' || t.typdefault, ''), case when t.typnotnull then ' not null' else '' end, coalesce((
      select string_agg(format(' constraint %I %s', conname, pg_get_constraintdef(c.oid)), '' order by conname collate "C")
      from pg_catalog.pg_constraint c where c.contypid = t.oid and contype = 'c' and convalidated), ''))
    || coalesce((
      select string_agg(format(chr(10) || 'alter domain %s add constraint %I %s;', name, conname, pg_get_constraintdef(c.oid)), '' order by conname collate "C")
      from pg_catalog.pg_constraint c where c.contypid = t.oid and contype = 'c' and not convalidated), '')
  from named t where typtype = 'd'
) all_of_them
order by rank, name collate "C"
