SELECT p.oid::pg_catalog.regprocedure::text,
       pg_catalog.format(
         '%s, owner %s, privileges %s',
         CASE WHEN p.prokind = 'a' THEN (SELECT ROW(a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggtranstype::pg_catalog.regtype, a.agginitval, a.aggkind)::text
                                         FROM pg_catalog.pg_aggregate a WHERE a.aggfnoid = p.oid)
              ELSE pg_catalog.pg_get_functiondef(p.oid) END,
         pg_catalog.pg_get_userbyid(p.proowner), p.proacl)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
