-- What this role may not see.
select '--: ' || json_build_object('unseen', kind, 'count', number)
from (
  select 'sequence positions' as kind, count(*) as number
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'S' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not (has_schema_privilege(n.oid, 'usage') and has_sequence_privilege(c.oid, 'select'))
  union all
  select 'column statistics of tables', count(*)
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not has_table_privilege(c.oid, 'select')
) counted
where number > 0
order by kind
