-- Publications.
select format('create publication %I%s;', p.pubname, case when p.puballtables then ' for all tables' else coalesce((
    select ' for table ' || string_agg(format('%I.%I', t.schemaname, t.tablename), ', ' order by t.schemaname collate "C", t.tablename collate "C")
    from pg_catalog.pg_publication_tables t where t.pubname = p.pubname), '') end)
from pg_catalog.pg_publication p
order by p.pubname collate "C"
