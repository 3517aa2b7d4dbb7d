-- Sequences that are no identity column's.
select format('create sequence %I.%I as %s increment by %s minvalue %s maxvalue %s start with %s cache %s%s;', n.nspname, c.relname,
    format_type(s.seqtypid, null), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, case when s.seqcycle then ' cycle' else '' end)
  || chr(10) || format('alter sequence %I.%I owner to %I;', n.nspname, c.relname, pg_get_userbyid(c.relowner))
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_sequence s on s.seqrelid = c.oid
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('e', 'i'))
order by n.nspname collate "C", c.relname collate "C"
