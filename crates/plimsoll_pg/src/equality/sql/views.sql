SELECT c.oid::pg_catalog.regclass::text, pg_catalog.pg_get_viewdef(c.oid) || pg_catalog.format(', filled %s', c.relispopulated)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
