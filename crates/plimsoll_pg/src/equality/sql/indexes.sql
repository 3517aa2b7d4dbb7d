SELECT i.indexrelid::pg_catalog.regclass::text,
       pg_catalog.format(
         '%s, valid %s, ready %s, live %s, unique %s, primary %s, exclusion %s, immediate %s, replica identity %s, owner %s, options %s, tablespace %s, of %s, statistics %s',
         pg_catalog.pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready, i.indislive, i.indisunique, i.indisprimary,
         i.indisexclusion, i.indimmediate, i.indisreplident, pg_catalog.pg_get_userbyid(c.relowner), c.reloptions,
         (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = c.reltablespace),
         (SELECT h.inhparent::pg_catalog.regclass::text FROM pg_catalog.pg_inherits h WHERE h.inhrelid = i.indexrelid),
         (SELECT pg_catalog.string_agg(a.attname || ' ' || a.attstattarget, ', ' ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0))
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
