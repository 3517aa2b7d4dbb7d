-- Extensions. What they hold is theirs, and left out below.
select format('create extension if not exists %I with schema %I version %L;', e.extname, n.nspname, e.extversion)
  || coalesce(chr(10) || '--: ' || json_build_object('extension', e.extname, 'version', e.extversion, 'newest', a.default_version), '')
from pg_catalog.pg_extension e
join pg_catalog.pg_namespace n on n.oid = e.extnamespace
left join pg_catalog.pg_available_extensions() a on a.name = e.extname
where e.extname <> 'plpgsql'
order by e.extname collate "C"
