-- Schemas.
select format('create schema %I authorization %I;', n.nspname, pg_get_userbyid(n.nspowner))
from pg_catalog.pg_namespace n
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e')
order by n.nspname collate "C"
