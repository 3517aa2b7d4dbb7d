-- Makes the queries that read how far the sequences are: their own rows, as far as this role may read them.
select string_agg(format(
    'select %L || json_build_object(''sequence'', %s, ''last'', last_value, ''least'', %s, ''most'', %s, ''step'', %s, ''cycles'', %s, ''column'', %s)::text from %I.%I',
    '--: ', quote_literal(json_build_array(n.nspname, c.relname)) || '::json', s.seqmin || '::bigint', s.seqmax || '::bigint', s.seqincrement || '::bigint', s.seqcycle::text,
    case when t.oid is null then 'null::json' else quote_literal(json_build_array(tn.nspname, t.relname, a.attname)) || '::json' end, n.nspname, c.relname),
  ' union all ' order by n.nspname collate "C", c.relname collate "C")
from (
  select c.*, row_number() over (order by c.oid) as number from pg_catalog.pg_class c where c.relkind = 'S') c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_sequence s on s.seqrelid = c.oid
left join pg_catalog.pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
left join pg_catalog.pg_class t on t.oid = d.refobjid
left join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
left join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and has_schema_privilege(n.oid, 'usage') and has_sequence_privilege(c.oid, 'select')
group by c.number / 100
order by min(c.number)
