-- Sizes and uses of indexes that are no constraint's.
select '--: ' || json_build_object('index_use', json_build_array(n.nspname, c.relname), 'bytes', pg_relation_size(c.oid), 'scans', s.idx_scan)
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_stat_user_indexes s on s.indexrelid = c.oid
where c.relkind = 'i' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_constraint con where con.conindid = i.indexrelid and con.contype in ('p', 'u', 'x'))
order by n.nspname collate "C", c.relname collate "C"
