SELECT t.tgrelid::pg_catalog.regclass::text || ' ' || pg_catalog.quote_ident(t.tgname),
       pg_catalog.format('%s, fires %s, of %s', pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled,
                         (SELECT p.tgrelid::pg_catalog.regclass::text FROM pg_catalog.pg_trigger p WHERE p.oid = t.tgparentid))
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
