-- Functions and procedures, their bodies left out.
select format('create or replace %s %I.%I(%s)%s language %I%s%s%s as '''';',
    case p.prokind when 'p' then 'procedure' else 'function' end, n.nspname, p.proname, pg_get_function_arguments(p.oid),
    coalesce(' returns ' || pg_get_function_result(p.oid), ''), l.lanname,
    case when p.prokind = 'p' or p.provolatile = 'v' then '' when p.provolatile = 'i' then ' immutable' else ' stable' end,
    case when p.prosecdef then ' security definer' else '' end,
    coalesce((
      select string_agg(format(' set %s to %s', split_part(one, '=', 1),
          -- Lists are kept quoted as they are written.
          case when split_part(one, '=', 1) in ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries')
               then substr(one, strpos(one, '=') + 1) else quote_literal(substr(one, strpos(one, '=') + 1)) end), '' order by one collate "C")
      from unnest(p.proconfig) as one), ''))
  || chr(10) || format('alter %s %I.%I(%s) owner to %I;', case p.prokind when 'p' then 'procedure' else 'function' end,
       n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), pg_get_userbyid(p.proowner))
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where p.prokind in ('f', 'p', 'w') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
order by n.nspname collate "C", p.proname collate "C", pg_get_function_identity_arguments(p.oid) collate "C"
