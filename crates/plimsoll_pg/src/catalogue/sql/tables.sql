-- Tables with their columns.
select format('create %stable %I.%I (%s)%s%s%s%s%s;',
    case when c.relkind = 'f' then 'foreign ' when c.relpersistence = 'u' then 'unlogged ' else '' end, n.nspname, c.relname,
    (select string_agg(format(E'\n  %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
        case when a.attcollation <> t.typcollation then format(' collate %I.%I', cn.nspname, co.collname) else '' end,
        case when a.attgenerated <> '' then format(' generated always as (%s) %s', pg_get_expr(d.adbin, d.adrelid), case a.attgenerated when 's' then 'stored' else 'virtual' end)
             when a.attidentity <> '' then format(' generated %s as identity', case a.attidentity when 'a' then 'always' else 'by default' end)
             else coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') end,
        case when a.attnotnull and not exists (
          select from pg_catalog.pg_constraint nn
          where nn.conrelid = c.oid and nn.contype = 'n' and not nn.convalidated and nn.conkey[1] = a.attnum) then ' not null' else '' end),
      ',' order by a.attnum) || chr(10)
     from pg_catalog.pg_attribute a
     join pg_catalog.pg_type t on t.oid = a.atttypid
     left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     left join pg_catalog.pg_collation co on co.oid = a.attcollation
     left join pg_catalog.pg_namespace cn on cn.oid = co.collnamespace
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    case when c.relkind = 'p' then ' partition by ' || pg_get_partkeydef(c.oid) else '' end,
    case when am.amname <> 'heap' then format(' using %I', am.amname) else '' end,
    coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', ''),
    coalesce(' tablespace ' || quote_ident(ts.spcname), ''),
    coalesce(' server ' || quote_ident(fs.srvname), ''))
  || chr(10) || format('alter table %I.%I owner to %I;', n.nspname, c.relname, pg_get_userbyid(c.relowner))
  || case c.relreplident when 'f' then format(chr(10) || 'alter table only %I.%I replica identity full;', n.nspname, c.relname)
                         when 'n' then format(chr(10) || 'alter table only %I.%I replica identity nothing;', n.nspname, c.relname)
                         else '' end
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_am am on am.oid = c.relam
left join pg_catalog.pg_tablespace ts on ts.oid = c.reltablespace
left join pg_catalog.pg_foreign_table ft on ft.ftrelid = c.oid
left join pg_catalog.pg_foreign_server fs on fs.oid = ft.ftserver
where c.relkind in ('r', 'p', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname collate "C", c.relname collate "C"
