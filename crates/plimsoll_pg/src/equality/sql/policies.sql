SELECT p.polrelid::pg_catalog.regclass::text || ' ' || pg_catalog.quote_ident(p.polname),
       pg_catalog.format('for %s, permissive %s, to %s, using %s, with check %s', p.polcmd, p.polpermissive,
         (SELECT pg_catalog.array_agg(CASE WHEN role = 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(role)::text END ORDER BY 1) FROM pg_catalog.unnest(p.polroles) role),
         pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
