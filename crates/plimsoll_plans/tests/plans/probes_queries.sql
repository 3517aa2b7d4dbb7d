-- o01 several columns
select * from visits where port = 70 order by arrived desc limit 20
-- o02 range beyond the end
select count(*) from visits where arrived > '2021-05-28 00:00+00'
-- o03 beyond all rows
select * from visits where arrived > '2030-01-01 00:00+00' order by arrived
-- o04 partial
select count(*) from visits where mood = 'storm' and arrived < '2020-03-01 00:00+00'
-- o05 expression
select * from visits where lower(email) = 'sailor77@example.org'
-- o06 pattern
select * from visits where email like 'sailor77%'
-- o07 covering
select sum(fee) from visits where berth between 100 and 140
-- o08 descending merge
select * from visits order by port desc, arrived limit 5
-- o09 hash
select * from visits where code = 'B77'
-- o10 uuid
select * from visits where uid = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b'
-- o11 array
select count(*) from visits where tags @> array['tag3', 'tag50']
-- o12 array overlap
select count(*) from visits where tags && array['tag55', 'tag51']
-- o13 text search
select count(*) from visits where words @@ 'word3 & word40'::tsquery
-- o14 text search of a rare word
select * from visits where words @@ 'word890'::tsquery
-- o15 jsonb
select count(*) from visits where payload @> '{"k": 3}'
-- o16 range overlap
select * from visits where stay && tstzrange('2020-06-01 00:00+00', '2020-06-02 00:00+00')
-- o17 range contains
select count(*) from visits where stay @> timestamptz '2021-05-01 00:00+00'
-- o18 points
select * from visits where spot <@ box(point(10, 10), point(30, 60))
-- o19 nearest
select * from visits order by spot <-> point(1, 1) limit 3
-- o20 brin
select count(*) from visits where arrived between '2020-02-01 00:00+00' and '2020-09-20 00:00+00' and fee > 2
-- o21 columns that depend on each other
select * from visits where port = 0 and berth = 120 order by note
-- o22 groups of several columns
select port, berth, count(*) from visits group by port, berth
-- o23 expressions with statistics
select port % 7, lower(code), count(*) from visits group by 1, 2
-- o24 range partitions
select sum(amount) from events where at >= '2024-12-01' and at < '2025-02-01'
-- o25 partitions by an index
select * from events where port = 17
-- o26 hash partition
select * from crews where id = 77
-- o27 joined by partition
select count(*) from crews join duties using (id) where hours < 4
-- o28 list partitions
select mood, count(*) from moods where mood = 'storm' group by mood
-- o29 materialised view
select * from port_fees join visits using (port) where port_fees.port = 7
-- o30 inheritance
select count(*) from base where at > '2025-09-01'
-- o31 view and join
select s.id, e.amount from storms s join events e on e.port = s.port and e.at = s.arrived::date where s.fee > 13000
-- o32 nulls
select count(*) from visits where email is null
-- o33 empty
select * from empty_table where id > 5
-- o34 enum
select * from visits where mood <> 'calm' order by fee desc limit 10
-- o35 anti join
select * from visits v where not exists (select from events e where e.port = v.port) and grade = 5
-- o36 distinct
select distinct code, grade from visits
-- o37 window
select id, rank() over (partition by port order by fee) from visits where port < 20
-- b1
update pgbench_accounts set abalance = abalance + 1 where aid = 777
-- b2
select abalance from pgbench_accounts where aid = 777
-- b3
update pgbench_tellers set tbalance = tbalance + 1 where tid = 7
-- b4
update pgbench_branches set bbalance = bbalance + 1 where bid = 1
-- b5
insert into pgbench_history (tid, bid, aid, delta, mtime) values (7, 1, 777, 1, current_timestamp)
-- b6
select sum(abalance) from pgbench_accounts where aid between 100 and 900
