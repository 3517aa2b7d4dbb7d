-- Triggers and rules.
select made from (
  select n.nspname, c.relname, t.tgname as name, pg_get_triggerdef(t.oid) || ';'
    || case t.tgenabled when 'D' then format(chr(10) || 'alter table %I.%I disable trigger %I;', n.nspname, c.relname, t.tgname)
                        when 'A' then format(chr(10) || 'alter table %I.%I enable always trigger %I;', n.nspname, c.relname, t.tgname)
                        when 'R' then format(chr(10) || 'alter table %I.%I enable replica trigger %I;', n.nspname, c.relname, t.tgname)
                        else '' end as made
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where not t.tgisinternal
  union all
  select n.nspname, c.relname, r.rulename, pg_get_ruledef(r.oid)
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_class c on c.oid = r.ev_class
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where r.rulename <> '_RETURN'
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
) all_of_them
where nspname !~ '^pg_' and nspname <> 'information_schema'
order by nspname collate "C", relname collate "C", name collate "C"
