-- Row-level security.
select made from (
  select n.nspname, c.relname, '' as name, case when c.relrowsecurity then format('alter table %I.%I enable row level security;', n.nspname, c.relname) else '' end
    || case when c.relforcerowsecurity then case when c.relrowsecurity then chr(10) else '' end || format('alter table %I.%I force row level security;', n.nspname, c.relname) else '' end as made
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relrowsecurity or c.relforcerowsecurity
  union all
  select n.nspname, c.relname, p.polname, format('create policy %I on %I.%I as %s for %s to %s%s%s;', p.polname, n.nspname, c.relname,
    case when p.polpermissive then 'permissive' else 'restrictive' end,
    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    (select string_agg(case when role = 0 then 'public' else quote_ident(pg_get_userbyid(role)) end, ', ' order by role = 0 desc, pg_get_userbyid(role) collate "C") from unnest(p.polroles) as role),
    coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ''),
    coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''))
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
) all_of_them
where nspname !~ '^pg_' and nspname <> 'information_schema'
order by nspname collate "C", relname collate "C", name collate "C"
