-- Indexes that are no constraint's.
select pg_get_indexdef(i.indexrelid) || ';'
  || case when i.indisclustered then format(chr(10) || 'alter table %I.%I cluster on %I;', tn.nspname, t.relname, c.relname) else '' end
  || case when i.indisreplident then format(chr(10) || 'alter table only %I.%I replica identity using index %I;', tn.nspname, t.relname, c.relname) else '' end
  || case when i.indisvalid then '' else
       chr(10) || '--: ' || json_build_object('index', json_build_array(n.nspname, c.relname), 'valid', false) end
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_class t on t.oid = i.indrelid
join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
where t.relkind in ('r', 'p', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_constraint con where con.conindid = i.indexrelid and con.contype in ('p', 'u', 'x'))
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_class'::regclass and d.objid = t.oid and d.deptype = 'e')
order by n.nspname collate "C", c.relname collate "C"
