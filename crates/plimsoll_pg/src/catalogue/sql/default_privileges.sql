-- Privileges that new objects get.
with entries as (
  select d.*, case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else '' end as kind,
    format('alter default privileges for role %I%s', pg_get_userbyid(d.defaclrole), coalesce(' in schema ' || quote_ident(n.nspname), '')) as head
  from pg_catalog.pg_default_acl d left join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace
)
select made from (
  select head, kind, '' as role, format('%s revoke all on %s from public;', head, kind) as made
  from entries e
  where defaclnamespace = 0 and defaclobjtype in ('f', 'T') and not exists (select from aclexplode(e.defaclacl) a where a.grantee = 0)
  union all
  select head, kind, role, format('%s grant %s on %s to %s%s;', head, string_agg(lower(privilege_type), ', ' order by privilege_type), kind, role, case when is_grantable then ' with grant option' else '' end)
  from (
    select e.head, e.kind, a.privilege_type, a.is_grantable, case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as role
    from entries e, aclexplode(e.defaclacl) a
    where a.grantee <> e.defaclrole and e.kind <> '') named
  group by head, kind, role, is_grantable
) all_of_them
order by head collate "C", kind collate "C", role collate "C", made collate "C"
