# psql and PostgreSQL's other programs: what they print goes to $OUT, one file each.
set -u
export PGCLIENTENCODING=UTF8
run() { psql -X -v VERBOSITY=verbose -v SHOW_CONTEXT=always "$@" 2>&1 | sed -E 's/^LOCATION: .*//; s/(server process with PID|process with PID) [0-9]+/\1 N/'; }

run -c 'create schema p' -c 'create table p.t (id int primary key, name text default $$é;$$)' >"$OUT/psql-several" 
run -c "insert into p.t values (1), (2); select * from p.t; select 1/0; insert into p.t values (3)" >>"$OUT/psql-several"
run -c "select 'a;b', 2; ; select E'\\\\'';', \$x\$;\$x\$" >>"$OUT/psql-several"
run -c '' -c ';' -c '-- nothing' -c 'select' >>"$OUT/psql-several"
run -1 -c 'create table p.one (a int)' -c 'insert into p.one values (1)' -c 'select nothing' >>"$OUT/psql-several"
run -c 'insert into p.t values (7); begin; insert into p.t values (8); rollback' -c 'select id from p.t order by 1' >>"$OUT/psql-several"
run -c 'declare c cursor for select 1' -c 'lock table p.t' -c 'savepoint s' -c 'set local lock_timeout = 1' -c 'release s' >>"$OUT/psql-several"
run -c 'insert into p.t values (9); commit; insert into p.t values (10); rollback' -c 'select id from p.t order by 1' >>"$OUT/psql-several"
run -c "begin; declare c cursor for select generate_series(1, 5); fetch 2 from c; fetch all from c; commit" >>"$OUT/psql-several"
run -c "declare h cursor with hold for select 7; fetch h; close h" >>"$OUT/psql-several"

cat >"$OUT.sql" <<'SQL'
\set ON_ERROR_STOP 0
\timing off
set client_min_messages = debug1;
create table p.noisy (id serial primary key, a int unique);
reset client_min_messages;
create table if not exists p.noisy (id int);
do $$ begin raise notice 'n%', 1; raise warning 'w'; raise info 'i'; raise debug 'd'; raise log 'l'; end $$;
do $$ begin raise exception 'x' using errcode = 'P0099', detail = 'd', hint = 'h', table = 't'; end $$;
set client_min_messages = error;
do $$ begin raise warning 'unheard'; end $$;
show client_min_messages;
begin; set local client_min_messages = warning; do $$ begin raise notice 'unheard'; end $$; commit;
do $$ begin raise warning 'still unheard'; end $$;
set client_min_messages to default;
do $$ begin raise notice 'heard'; end $$;
begin; set client_min_messages = error; rollback;
do $$ begin raise notice 'heard again'; end $$;
show client_min_messages;
select * from p.nowhere;
selec 1;
insert into p.noisy (a) values (1), (2) returning *;
insert into p.noisy (a) values (1);
update p.noisy set a = a + 10 returning id, a;
\copy p.noisy (a) from stdin
100
101
\.
\copy p.noisy (a) from stdin
102
x
\.
\copy (select a from p.noisy order by 1) to stdout
copy p.noisy (a) from stdin with (format csv);
200
201
\.
select count(*) from p.noisy;
copy p.noisy to stdout with (format csv, header);
listen harbour;
notify harbour, 'one';
select pg_notify('harbour', 'two');
begin; notify harbour, 'three'; commit;
unlisten *;
select 1 as a \gset
\echo :a
select 'x' \g
select generate_series(1, 3) \g (format=unaligned)
\set FETCH_COUNT 2
select generate_series(1, 5);
\unset FETCH_COUNT
select $1::int + $2 \bind 1 2 \g
\d p.noisy
\dt p.*
begin;
insert into p.noisy (a) values (300);
savepoint s;
insert into p.noisy (a) values (300);
rollback to s;
select 5/0;
select 1;
rollback;
prepare q (int) as select $1 * 2;
execute q(21);
deallocate q;
create procedure p.commits() language plpgsql as $$ begin insert into p.t values (1000); commit; insert into p.t values (1001); rollback; end $$;
call p.commits();
select max(id) from p.t;
create index concurrently i on p.t (name);
vacuum p.t;
reindex table concurrently p.t;
create database other;
\c other
create table elsewhere (a int);
insert into elsewhere values (1);
select * from elsewhere;
SQL
run <"$OUT.sql" | sed -E 's/ from server process with PID [0-9N]+//' >"$OUT/psql-script"
run -c 'drop database other' >>"$OUT/psql-script"
PGCLIENTENCODING=LATIN1 run -c "$(printf "select '\351' = U&'\\\\00e9', length('\351'), '\351'")" >"$OUT/psql-latin1"
run -c "create table p.waits (a int)" -c "set statement_timeout = 50" -c "select pg_sleep(30)" >"$OUT/psql-timeout"

# A cancel request in the middle.
psql -X -c 'select pg_sleep(60)' >"$OUT/psql-cancel" 2>&1 &
waiting=$!
until psql -X -A -t -c "select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'" | grep -q 1; do sleep 0.1; done
kill -INT $waiting
wait $waiting
echo "ended with $?" >>"$OUT/psql-cancel"
PGSSLMODE=prefer run -c 'select 1' >"$OUT/psql-prefer"

# pgbench, in all query modes.
pgbench -i -q -s 1 >/dev/null 2>&1
for mode in simple extended prepared; do
    pgbench -n -M $mode -c 2 -t 20 2>&1 | grep -E 'processed|failed|mode' >>"$OUT/pgbench"
done
pgbench -n -C -c 2 -t 5 -S 2>&1 | grep -E 'processed|failed' >>"$OUT/pgbench"
pgbench -n -R 200 -c 2 -t 10 -S 2>&1 | grep -E 'processed|failed' >>"$OUT/pgbench"
psql -X -c 'select count(*), sum(bid) from pgbench_history' -c 'drop table pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers' >>"$OUT/pgbench"

# Dumps of all kinds, and back.
for format in custom directory plain; do
    jobs=
    [ $format = directory ] && jobs='-j 2'
    pg_dump -F $format $jobs -n p -f "$OUT.$format" >"$OUT/dump-$format" 2>&1
    psql -X -c "create database d_$format" >>"$OUT/dump-$format" 2>&1
    if [ $format = plain ]; then
        psql -X -q -d d_$format -f "$OUT.$format" >>"$OUT/dump-$format" 2>&1
    else
        pg_restore $jobs -d d_$format "$OUT.$format" >>"$OUT/dump-$format" 2>&1
    fi
    pg_dump -d d_$format | grep -v '^.\(un\)\?restrict ' >>"$OUT/dump-$format"
    psql -X -q -c "drop database d_$format"
done
# Into the database that is looked at.
psql -X -q -c 'drop schema p cascade' 2>/dev/null
pg_restore -j 2 -d "$PGDATABASE" "$OUT.directory" >"$OUT/restore" 2>&1
