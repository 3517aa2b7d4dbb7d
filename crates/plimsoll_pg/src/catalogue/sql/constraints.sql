-- Constraints; foreign keys last. Each table's own row, with no recursion to partitions and children.
select format('alter table only %I.%I add constraint %I %s%s;', n.nspname, c.relname, con.conname, pg_get_constraintdef(con.oid),
  case when con.contype in ('c', 'f', 'n') and not con.convalidated
            and pg_get_constraintdef(con.oid) !~ ' NOT (VALID|ENFORCED)$' then ' not valid' else '' end)
from pg_catalog.pg_constraint con
join pg_catalog.pg_class c on c.oid = con.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where con.contype in ('p', 'u', 'x', 'c', 'f', 'n') and (con.contype <> 'n' or not con.convalidated)
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  -- A key that references a partitioned table has a row for each partition, too.
  and not exists (select from pg_catalog.pg_constraint up where up.oid = con.conparentid and up.conrelid = con.conrelid)
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by con.contype = 'f', n.nspname collate "C", c.relname collate "C", con.conname collate "C"
