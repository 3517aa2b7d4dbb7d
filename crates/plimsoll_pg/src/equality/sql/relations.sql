SELECT c.oid::pg_catalog.regclass::text,
       pg_catalog.format(
         'kind %s, persistence %s, owner %s, privileges %s, options %s, tablespace %s, access method %s, row security %s %s, replica identity %s, partition key %s, bound %s, parents %s, of type %s, clustered on %s',
         c.relkind, c.relpersistence, pg_catalog.pg_get_userbyid(c.relowner), c.relacl, c.reloptions,
         (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = c.reltablespace),
         (SELECT amname FROM pg_catalog.pg_am WHERE oid = c.relam),
         c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
         CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
         pg_catalog.pg_get_expr(c.relpartbound, c.oid),
         (SELECT pg_catalog.string_agg(i.inhparent::pg_catalog.regclass::text || CASE WHEN i.inhdetachpending THEN ' (being detached)' ELSE '' END, ', ' ORDER BY i.inhseqno)
          FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid),
         CASE WHEN c.reloftype <> 0 THEN c.reloftype::pg_catalog.regtype::text END,
         (SELECT i.indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisclustered))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind NOT IN ('i', 'I', 't') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
