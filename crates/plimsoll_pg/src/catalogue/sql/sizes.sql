-- Sizes and counters; no value of any row. `expected_bytes` is what the rows would take without gaps: each the average width
-- of its columns behind a header of 24 bytes and 4 of line pointer, both rounded up to 8 (documentation, "Database Page
-- Layout"), pages filled to the fillfactor. Left out where the statistics aren't there or aren't to be seen.
select '--: ' || json_build_object('table', json_build_array(n.nspname, c.relname),
    'bytes', pg_relation_size(c.oid) + coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0),
    'main_bytes', pg_relation_size(c.oid),
    'index_bytes', pg_indexes_size(c.oid),
    'rows', c.reltuples::bigint,
    'live_rows', s.n_live_tup,
    'dead_rows', s.n_dead_tup,
    'vacuumed', to_char(greatest(s.last_vacuum, s.last_autovacuum), 'YYYY-MM-DD'),
    'analyzed', to_char(greatest(s.last_analyze, s.last_autoanalyze), 'YYYY-MM-DD'),
    'expected_bytes', case when w.columns = w.known and c.reltuples > 0 then
      ceil(c.reltuples / greatest(1, floor((b.size - 24) * b.fill / 100 / (24 + 8 * ceil(w.width / 8) + 4)))) * b.size end)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_stat_user_tables s on s.relid = c.oid
cross join lateral (
  select current_setting('block_size')::numeric as size,
    coalesce((select option_value::numeric from pg_options_to_table(c.reloptions) where option_name = 'fillfactor'), 100) as fill) b
cross join lateral (
  select count(*) as columns, count(st.avg_width) as known, sum((1 - st.null_frac::numeric) * st.avg_width) as width
  from pg_catalog.pg_attribute a
  left join pg_catalog.pg_stats st on st.schemaname = n.nspname and st.tablename = c.relname and st.attname = a.attname and not st.inherited
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) w
where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by n.nspname collate "C", c.relname collate "C"
