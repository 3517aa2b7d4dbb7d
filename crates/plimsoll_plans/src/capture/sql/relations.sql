select n.nspname, c.relname, c.relkind, c.relpages, c.reltuples, c.relallvisible,
  case when c.relkind in ('r', 'm', 'i') then coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::int else 0 end,
  case when c.reltoastrelid <> 0 then coalesce(pg_relation_size(c.reltoastrelid), 0) / current_setting('block_size')::int else 0 end,
  t.relname, am.amname,
  case when am.amname = 'btree' and i.indpred is null and i.indkey[0] > 0 and opc.opcdefault
    and i.indcollation[0] = lead.attcollation and lead.attgenerated = '' then lead.attname end,
  case when am.amname = 'btree' then (
    select json_agg(json_build_array(coalesce(ta.attname, ''), ia.attlen) order by ia.attnum)
    from pg_attribute ia left join pg_attribute ta on ta.attrelid = i.indrelid and ta.attnum = i.indkey[ia.attnum - 1] and ta.attnum > 0
    where ia.attrelid = c.oid and ia.attnum <= i.indnkeyatts)::text end,
  c.oid, format_type(coalesce(nullif(lt.typbasetype, 0), lt.oid), null)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_index i on i.indexrelid = c.oid
left join pg_class t on t.oid = i.indrelid
left join pg_am am on am.oid = c.relam and c.relkind in ('i', 'I')
left join pg_opclass opc on opc.oid = i.indclass[0]
left join pg_attribute lead on lead.attrelid = i.indrelid and lead.attnum = i.indkey[0] and lead.attnum > 0
left join pg_type lt on lt.oid = lead.atttypid
where c.relkind in ('r', 'm', 'i', 'p', 'I', 'f') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by c.oid
