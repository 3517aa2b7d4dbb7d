-- Privileges of others than owners.
with granted as (
  select 1 as rank, format('schema %I', n.nspname) as object, n.nspowner as owner, '' as of_column, a.*
  from pg_catalog.pg_namespace n, aclexplode(n.nspacl) a
  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  union all
  select 2, format('%s %I.%I', case when c.relkind = 'S' then 'sequence' else 'table' end, n.nspname, c.relname), c.relowner, '', a.*
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('e', 'i'))
  union all
  select 3, format('table %I.%I', n.nspname, c.relname), c.relowner, format(' (%I)', t.attname), a.*
  from pg_catalog.pg_attribute t join pg_catalog.pg_class c on c.oid = t.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace, aclexplode(t.attacl) a
  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not t.attisdropped
  union all
  select 4, format('%s %I.%I(%s)', case p.prokind when 'p' then 'procedure' else 'function' end, n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner, '', a.*
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace, aclexplode(p.proacl) a
  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and p.prokind in ('f', 'p', 'w')
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
), revoked as (
  select 0 as rank, format('%s %I.%I(%s)', case p.prokind when 'p' then 'procedure' else 'function' end, n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as object
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and p.prokind in ('f', 'p', 'w')
    and p.proacl is not null and not exists (select from aclexplode(p.proacl) a where a.grantee = 0)
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
)
select made from (
  select rank, object, '' as role, format('revoke all on %s from public;', object) as made from revoked
  union all
  select rank, object, role, format('grant %s on %s to %s%s;', string_agg(lower(privilege_type) || of_column, ', ' order by privilege_type, of_column collate "C"), object, role,
    case when is_grantable then ' with grant option' else '' end)
  from (
    select g.*, case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as role
    from (select distinct rank, object, owner, of_column, grantee, privilege_type, is_grantable from granted) g
    where grantee <> owner) named
  group by rank, object, role, is_grantable
) all_of_them
order by rank, object collate "C", role collate "C", made collate "C"
