-- A foreign key is never inherited: whether it is marked so depends on how it came to be, and no dump shows it.
SELECT COALESCE(NULLIF(k.conrelid, 0)::pg_catalog.regclass::text, k.contypid::pg_catalog.regtype::text) || ' ' || pg_catalog.quote_ident(k.conname),
       pg_catalog.format(
         '%s, validated %s, deferrable %s, initially deferred %s, no inherit %s, own %s, inherited %s times, of %s, index %s',
         pg_catalog.pg_get_constraintdef(k.oid), k.convalidated, k.condeferrable, k.condeferred, CASE WHEN k.contype <> 'f' THEN k.connoinherit END, k.conislocal,
         k.coninhcount,
         (SELECT p.conrelid::pg_catalog.regclass::text || ' ' || p.conname FROM pg_catalog.pg_constraint p WHERE p.oid = k.conparentid),
         CASE WHEN k.conindid <> 0 THEN k.conindid::pg_catalog.regclass::text END)
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
