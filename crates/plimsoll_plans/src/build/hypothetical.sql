-- A plan branch keeps its sizes: indexes that are made on it get those that they would have in production, and what a rewrite
-- made small gets its own back. The planner sees both at once. Called by an event trigger; by hand after VACUUM FULL or CLUSTER.
create schema plimsoll;
create table plimsoll.relation (relation oid primary key, pages int not null, relpages int not null, reltuples real not null,
  relallvisible int not null, height int not null);
-- Pages behind the first two of a B-tree, and the words of its metapage, by its height.
create table plimsoll.height (height int primary key, words bytea not null, tail bytea not null, leaf bytea not null);

-- A number of the plan of a query.
create function plimsoll.planned(query text, what text) returns double precision language plpgsql set search_path = pg_catalog as $$
declare plan json;
begin
  execute 'explain (format json) ' || query into plan;
  return plan->0->'Plan'->>what;
end $$;

-- Pages, rows and height of an index, were the rows there.
create function plimsoll.estimate(index oid, out pages int, out tuples real, out height int) language plpgsql
  set search_path = pg_catalog set enable_partition_pruning = on as $$
declare
  i pg_index; am name; rows_from text; key text; lead text; attributes int; width int; lead_width int; n float8; distinct_keys float8;
  duplicates float8; tuple float8; fill float8; heap_pages int; deduplicates bool; level float8; fan_out float8; options text[];
begin
  select * into strict i from pg_index where indexrelid = index;
  select amname, reloptions into am, options from pg_class c join pg_am a on a.oid = c.relam where c.oid = index;
  select r.pages, greatest(r.reltuples, 0) into heap_pages, n from plimsoll.relation r where relation = i.indrelid;
  rows_from := ' from only ' || i.indrelid::regclass || coalesce(' where ' || pg_get_expr(i.indpred, i.indrelid), '');
  if i.indpred is not null then
    n := least(n, plimsoll.planned('select 1' || rows_from, 'Plan Rows'));
  end if;
  select string_agg(pg_get_indexdef(index, a, true), ', ' order by a) into key from generate_series(1, i.indnkeyatts) a;
  select string_agg(pg_get_indexdef(index, a, true), ', ' order by a) into lead from generate_series(1, i.indnatts) a;
  -- The planner's widths of what varies are rounded down.
  width := ceil(plimsoll.planned('select ' || lead || rows_from, 'Plan Width')
    + (select count(*) / 2.0 from pg_attribute where attrelid = index and attlen < 0));
  lead := pg_get_indexdef(index, 1, true);
  tuples := n;
  height := 0;
  tuple := (8 + width + 7) / 8 * 8 + 4;
  if am = 'btree' then
    fill := coalesce((select split_part(o, '=', 2) from unnest(options) o where o like 'fillfactor=%')::float8, 90);
    deduplicates := not i.indisunique and i.indnatts = i.indnkeyatts and not coalesce('deduplicate_items=off' = any(options), false)
      and not exists (select from unnest(i.indclass) k join pg_opclass o on o.oid = k where not exists (select from pg_amproc p
        where p.amprocfamily = o.opcfamily and p.amproclefttype = o.opcintype and p.amprocrighttype = o.opcintype and p.amprocnum = 4));
    if deduplicates and n > 0 then
      distinct_keys := greatest(plimsoll.planned('select 1' || rows_from || ' group by ' || key, 'Plan Rows'), 1);
      duplicates := least(greatest(n / distinct_keys, 1), (812 - tuple) / 6);
      if duplicates >= 2 then
        -- One key with a list of rows, of six bytes each.
        tuple := ceil((tuple - 4 + 6 * duplicates) / 8) * 8 + 4;
        n := n / duplicates;
      end if;
    end if;
    level := ceil(n / greatest(floor((8152 - 8192 * (100 - fill) / 100) / tuple), 1));
    pages := 1 + level;
    lead_width := width;
    if i.indnkeyatts > 1 and plimsoll.planned('select 1' || rows_from || ' group by ' || lead, 'Plan Rows') >= level then
      lead_width := plimsoll.planned('select ' || lead || rows_from, 'Plan Width');
    end if;
    fan_out := floor(5706 / (12 + (lead_width + 7) / 8 * 8));
    while level > 1 loop
      level := ceil(level / fan_out);
      pages := pages + level;
      height := height + 1;
    end loop;
  else
    pages := case am
      when 'hash' then 3 + ceil(n * 20 / (8152 * 0.75))
      when 'brin' then 3 + ceil(heap_pages / 128.0 / 200)
      when 'gin' then 2 + ceil(n * 3 * coalesce((select elem_count_histogram[array_upper(elem_count_histogram, 1)] from pg_stats s join pg_class c
        on c.relname = s.tablename and c.relnamespace = s.schemaname::regnamespace and c.oid = i.indrelid and not s.inherited
        join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] and a.attname = s.attname), 4) / 8152)
      else 1 + ceil(n * tuple / (8152 * 0.7)) end;
  end if;
end $$;

create function plimsoll.restore_counts() returns void language sql set search_path = pg_catalog as $$
  update pg_class c set relpages = k.relpages, reltuples = k.reltuples, relallvisible = k.relallvisible from plimsoll.relation k
    where k.relation = c.oid and (c.relpages, c.reltuples, c.relallvisible) is distinct from (k.relpages, k.reltuples, k.relallvisible);
$$;

create function plimsoll.settle() returns void language plpgsql security definer
  set search_path = pg_catalog set allow_system_table_mods = on set client_min_messages = error as $$
declare
  r record; made oid[]; lines text[] := '{}'; at int; own int;
begin
  -- Before 18, building an index counts the table's rows.
  perform plimsoll.restore_counts();
  -- The estimates ask the planner, which would look into an index and remember its height.
  select array_agg(indexrelid) into made from pg_index join plimsoll.relation heap on heap.relation = indrelid join pg_class c on c.oid = indexrelid
    where c.relkind = 'i' and indisvalid and not exists (select from plimsoll.relation known where known.relation = indexrelid);
  update pg_index set indisvalid = false where indexrelid = any(made);
  insert into plimsoll.relation select c.oid, e.pages, e.pages, e.tuples, 0, e.height from unnest(made) c(oid), plimsoll.estimate(c.oid) e;
  update pg_index set indisvalid = true where indexrelid = any(made);
  for r in select k.*, pg_relation_filepath(c.oid) as path, pg_relation_size(c.oid) / 8192 as have, h.*
    from plimsoll.relation k join pg_class c on c.oid = k.relation left join plimsoll.height h on h.height = k.height and h.height > 0
    where c.relkind in ('r', 'm', 'i') and pg_relation_size(c.oid) / 8192 < k.pages
  loop
    if r.words is not null then
      lines := lines || format('%s 1 32 %s', r.path, encode(r.words, 'base64'));
      lines := lines || case when r.have < 2 then format('%s 8192 1 %s', r.path, translate(encode(r.leaf, 'base64'), E'\n', ''))
        -- It is no root any more: BTP_LEAF alone.
        else format('%s 1 %s %s', r.path, 8192 + 8176 + 12, encode('\x0100', 'base64')) end;
      lines := lines || format('%s 8192 2 %s', r.path, translate(encode(r.tail, 'base64'), E'\n', ''));
    end if;
    at := 0;
    loop
      own := least(r.pages - at * 131072, 131072);
      exit when own <= 0;
      -- A last byte of zero, behind a hole.
      lines := lines || format('%s 1 %s AA==', r.path || case when at > 0 then '.' || at else '' end, own * 8192::bigint - 1);
      at := at + 1;
    end loop;
  end loop;
  if lines <> '{}' then
    execute format('copy (select unnest(%L::text[])) to program %L', lines,
      'while read -r path unit seek data; do printf %s "$data" | base64 -d | dd of="$path" bs="$unit" seek="$seek" conv=notrunc 2> /dev/null || exit 1; done');
  end if;
  perform plimsoll.restore_counts();
end $$;
comment on function plimsoll.settle() is 'gives relations of a plan branch production''s sizes back, and new indexes those that they would have';

create function plimsoll.settle_after_ddl() returns event_trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  if tg_tag in ('CREATE INDEX', 'ALTER TABLE', 'REINDEX', 'REFRESH MATERIALIZED VIEW') then
    perform plimsoll.settle();
  end if;
end $$;
create event trigger plimsoll_settle on ddl_command_end execute function plimsoll.settle_after_ddl();
