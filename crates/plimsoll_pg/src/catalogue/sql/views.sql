-- Views and materialized views.
select format('create %sview %I.%I%s as%s%s', case c.relkind when 'm' then 'materialized ' else '' end, n.nspname, c.relname,
    coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', ''), chr(10), pg_get_viewdef(c.oid))
  || chr(10) || format('alter %sview %I.%I owner to %I;', case c.relkind when 'm' then 'materialized ' else '' end, n.nspname, c.relname,
    pg_get_userbyid(c.relowner))
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname collate "C", c.relname collate "C"
