SELECT o.type || ' ' || o.identity, d.description
FROM pg_catalog.pg_description d, pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) o
WHERE d.objoid >= 16384
