SELECT n.nspname, pg_catalog.format('owner %s, privileges %s', pg_catalog.pg_get_userbyid(n.nspowner), n.nspacl)
FROM pg_catalog.pg_namespace n
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
