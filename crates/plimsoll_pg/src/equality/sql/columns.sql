SELECT a.attrelid::pg_catalog.regclass::text || '.' || pg_catalog.quote_ident(a.attname),
       pg_catalog.format(
         'number %s, type %s, not null %s, default %s, identity %s, generated %s, collation %s, storage %s, compression %s, statistics %s, options %s, foreign options %s, privileges %s, own %s, inherited %s times',
         pg_catalog.row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum),
         pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
         (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum),
         a.attidentity, a.attgenerated,
         CASE WHEN a.attcollation <> 0 THEN a.attcollation::pg_catalog.regcollation::text END,
         a.attstorage, a.attcompression, COALESCE(NULLIF(a.attstattarget, -1)::text, 'default'), a.attoptions, a.attfdwoptions, a.attacl,
         a.attislocal, a.attinhcount)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind NOT IN ('t', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
