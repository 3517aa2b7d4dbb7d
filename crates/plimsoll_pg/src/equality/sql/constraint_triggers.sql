SELECT t.tgrelid::pg_catalog.regclass::text || ' ' || pg_catalog.quote_ident(k.conname),
       pg_catalog.string_agg(t.tgfoid::pg_catalog.regproc::text || ' fires ' || t.tgenabled::text, ', ' ORDER BY t.tgfoid, t.tgenabled)
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
WHERE t.tgisinternal AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
GROUP BY t.tgrelid, k.conname
