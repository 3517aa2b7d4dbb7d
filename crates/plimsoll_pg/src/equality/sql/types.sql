SELECT t.oid::pg_catalog.regtype::text,
       pg_catalog.format('kind %s, owner %s, privileges %s, values %s, base %s, not null %s, default %s, collation %s, subtype %s',
         t.typtype, pg_catalog.pg_get_userbyid(t.typowner), t.typacl,
         (SELECT pg_catalog.array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
         CASE WHEN t.typbasetype <> 0 THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END, t.typnotnull, t.typdefault,
         CASE WHEN t.typcollation <> 0 THEN t.typcollation::pg_catalog.regcollation::text END,
         (SELECT r.rngsubtype::pg_catalog.regtype::text FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid))
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
