-- Which role is a member of which.
select distinct format('grant %I to %I%s;', granted.rolname, member.rolname,
  case when exists (
    select from pg_catalog.pg_auth_members a
    where a.roleid = m.roleid and a.member = m.member and a.admin_option) then ' with admin option' else '' end)
  collate "C"
from pg_catalog.pg_auth_members m
join pg_catalog.pg_roles granted on granted.oid = m.roleid
join pg_catalog.pg_roles member on member.oid = m.member
where member.rolname !~ '^pg_'
order by 1
