SELECT 'extension ' || e.extname, pg_catalog.format('version %s in %s', e.extversion, e.extnamespace::pg_catalog.regnamespace)
FROM pg_catalog.pg_extension e
UNION ALL
SELECT 'publication ' || p.pubname,
       pg_catalog.format('%s, tables %s', pg_catalog.to_jsonb(p) - 'oid' - 'pubowner',
         (SELECT pg_catalog.array_agg(r.prrelid::pg_catalog.regclass::text ORDER BY 1) FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid))
FROM pg_catalog.pg_publication p
UNION ALL
SELECT 'statistics ' || o.identity, pg_catalog.pg_get_statisticsobjdef(s.oid)
FROM pg_catalog.pg_statistic_ext s, pg_catalog.pg_identify_object('pg_catalog.pg_statistic_ext'::pg_catalog.regclass, s.oid, 0) o
UNION ALL
SELECT 'event trigger ' || e.evtname, pg_catalog.format('%s %s %s %s', e.evtevent, e.evtfoid::pg_catalog.regproc, e.evtenabled, e.evttags)
FROM pg_catalog.pg_event_trigger e
UNION ALL
SELECT pg_catalog.format('default privileges of %s in %s on %s', pg_catalog.pg_get_userbyid(a.defaclrole), NULLIF(a.defaclnamespace, 0)::pg_catalog.regnamespace, a.defaclobjtype),
       a.defaclacl::text
FROM pg_catalog.pg_default_acl a
UNION ALL
SELECT pg_catalog.format('settings of %s', COALESCE(pg_catalog.pg_get_userbyid(NULLIF(s.setrole, 0))::text, 'the database')), s.setconfig::text
FROM pg_catalog.pg_db_role_setting s
WHERE s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
UNION ALL
SELECT o.type || ' ' || o.identity, ''
FROM (
  SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass AS class, oid FROM pg_catalog.pg_operator
  UNION ALL SELECT 'pg_catalog.pg_cast'::pg_catalog.regclass, oid FROM pg_catalog.pg_cast
  UNION ALL SELECT 'pg_catalog.pg_collation'::pg_catalog.regclass, oid FROM pg_catalog.pg_collation
  UNION ALL SELECT 'pg_catalog.pg_opclass'::pg_catalog.regclass, oid FROM pg_catalog.pg_opclass
  UNION ALL SELECT 'pg_catalog.pg_opfamily'::pg_catalog.regclass, oid FROM pg_catalog.pg_opfamily
  UNION ALL SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, oid FROM pg_catalog.pg_language
  UNION ALL SELECT 'pg_catalog.pg_ts_config'::pg_catalog.regclass, oid FROM pg_catalog.pg_ts_config
  UNION ALL SELECT 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, oid FROM pg_catalog.pg_ts_dict
  UNION ALL SELECT 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, oid FROM pg_catalog.pg_foreign_server
  UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid FROM pg_catalog.pg_foreign_data_wrapper
) AS object, pg_catalog.pg_identify_object(object.class, object.oid, 0) o
WHERE object.oid >= 16384
