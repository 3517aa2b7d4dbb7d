do $$ begin for t in 1..500 loop
  execute format('create table table_%s (id bigint primary key, parent bigint, email text, born date, fee numeric(12, 2), done boolean, at timestamptz, note text)', t)
  ; execute format('insert into table_%s select i, (i + 1) / 2, ''sailor'' || i || ''@example.org'', date ''1950-01-01'' + i * 37 %% 20000, i * 1.25, i %% 2 = 0, timestamptz ''2024-01-01'' + i * interval ''1 hour'', md5(i::text) from generate_series(1, 200) i', t)
  ; execute format('create index on table_%s (email)', t)
  ; execute format('create index on table_%s (at, fee)', t)
  ; execute format('alter table table_%s add foreign key (parent) references table_%s', t, greatest(t - 1, 1))
  ; end loop; end $$;
analyze
