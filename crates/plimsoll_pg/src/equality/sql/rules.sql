SELECT r.ev_class::pg_catalog.regclass::text || ' ' || pg_catalog.quote_ident(r.rulename),
       pg_catalog.pg_get_ruledef(r.oid) || pg_catalog.format(', fires %s', r.ev_enabled)
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
