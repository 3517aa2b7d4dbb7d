-- The tables of TPC-H with a generator of our own: skewed, correlated, and the same on every server.
create function h(i bigint, salt int, n int) returns int language sql immutable as
  $$ select ((hashint8extended(i, salt) & 9223372036854775807) % n)::int $$;
create table region (r_regionkey int primary key, r_name char(25) not null, r_comment varchar(152));
create table nation (n_nationkey int primary key, n_name char(25) not null, n_regionkey int not null, n_comment varchar(152));
create table supplier (s_suppkey int primary key, s_name char(25) not null, s_address varchar(40) not null, s_nationkey int not null,
  s_phone char(15) not null, s_acctbal numeric(15, 2) not null, s_comment varchar(101) not null);
create table customer (c_custkey int primary key, c_name varchar(25) not null, c_address varchar(40) not null, c_nationkey int not null,
  c_phone char(15) not null, c_acctbal numeric(15, 2) not null, c_mktsegment char(10) not null, c_comment varchar(117) not null);
create table part (p_partkey int primary key, p_name varchar(55) not null, p_mfgr char(25) not null, p_brand char(10) not null,
  p_type varchar(25) not null, p_size int not null, p_container char(10) not null, p_retailprice numeric(15, 2) not null, p_comment varchar(23) not null);
create table partsupp (ps_partkey int not null, ps_suppkey int not null, ps_availqty int not null, ps_supplycost numeric(15, 2) not null,
  ps_comment varchar(199) not null, primary key (ps_partkey, ps_suppkey));
create table orders (o_orderkey bigint primary key, o_custkey int not null, o_orderstatus char(1) not null, o_totalprice numeric(15, 2) not null,
  o_orderdate date not null, o_orderpriority char(15) not null, o_clerk char(15) not null, o_shippriority int not null, o_comment varchar(79) not null,
  check (o_orderstatus in ('F', 'O', 'P')));
create table lineitem (l_orderkey bigint not null, l_partkey int not null, l_suppkey int not null, l_linenumber int not null,
  l_quantity numeric(15, 2) not null, l_extendedprice numeric(15, 2) not null, l_discount numeric(15, 2) not null, l_tax numeric(15, 2) not null,
  l_returnflag char(1) not null, l_linestatus char(1) not null, l_shipdate date not null, l_commitdate date not null, l_receiptdate date not null,
  l_shipinstruct char(25) not null, l_shipmode char(10) not null, l_comment varchar(44) not null, primary key (l_orderkey, l_linenumber));

insert into region select i, (array['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'])[i + 1], 'region ' || i from generate_series(0, 4) i;
insert into nation select i, (array['ALGERIA', 'ARGENTINA', 'BRAZIL', 'CANADA', 'EGYPT', 'ETHIOPIA', 'FRANCE', 'GERMANY', 'INDIA', 'INDONESIA', 'IRAN',
  'IRAQ', 'JAPAN', 'JORDAN', 'KENYA', 'MOROCCO', 'MOZAMBIQUE', 'PERU', 'CHINA', 'ROMANIA', 'SAUDI ARABIA', 'VIETNAM', 'RUSSIA', 'UNITED KINGDOM',
  'UNITED STATES'])[i + 1], (array[0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1])[i + 1], 'nation ' || i from generate_series(0, 24) i;
insert into supplier select i, 'Supplier#' || lpad(i::text, 9, '0'), md5(i::text), h(i, 1, 25), (10 + h(i, 1, 25)) || '-' || lpad(h(i, 2, 10000000)::text, 11, '0'),
  h(i, 3, 1100000) / 100.0 - 1000, case h(i, 4, 20) when 0 then 'x Customer y Complaints z' else md5(i::text || 'c') end from generate_series(1, 200) i;
insert into customer select i, 'Customer#' || lpad(i::text, 9, '0'), md5(i::text), h(i, 11, 25), (10 + h(i, 11, 25)) || '-' || lpad(h(i, 12, 10000000)::text, 11, '0'),
  h(i, 13, 1100000) / 100.0 - 1000, (array['AUTOMOBILE', 'BUILDING', 'BUILDING', 'FURNITURE', 'MACHINERY', 'HOUSEHOLD'])[h(i, 14, 6) + 1], md5(i::text || 'd') from generate_series(1, 1500) i;
insert into part select i, (array['forest', 'green', 'almond', 'azure', 'beige', 'black', 'blue'])[h(i, 21, 7) + 1] || ' ' || (array['ghost', 'green', 'honey', 'indian', 'ivory'])[h(i, 22, 5) + 1],
  'Manufacturer#' || h(i, 23, 5) + 1, 'Brand#' || h(i, 23, 5) + 1 || h(i, 24, 5) + 1,
  (array['STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO'])[h(i, 25, 6) + 1] || ' ' || (array['ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED'])[h(i, 26, 5) + 1]
    || ' ' || (array['TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER'])[h(i, 27, 5) + 1],
  h(i, 28, 50) + 1, (array['SM', 'LG', 'MED', 'JUMBO', 'WRAP'])[h(i, 29, 5) + 1] || ' ' || (array['CASE', 'BOX', 'BAG', 'JAR', 'PKG', 'PACK', 'CAN', 'DRUM'])[h(i, 30, 8) + 1],
  900 + i / 10.0, left(md5(i::text || 'e'), 20) from generate_series(1, 2000) i;
insert into partsupp select i, (i + j * 50) % 200 + 1, h(i * 4 + j, 31, 9999) + 1, h(i * 4 + j, 32, 100000) / 100.0, md5(i::text || j) from generate_series(1, 2000) i, generate_series(0, 3) j;
-- Old orders are finished; half of them belong to a tenth of the customers.
insert into orders select i * 4, case when h(i, 41, 2) = 0 then h(i, 42, 150) + 1 else h(i, 42, 1500) + 1 end, case when i < 7000 then 'F' when i < 7400 then 'P' else 'O' end,
  1000 + h(i, 43, 40000000) / 100.0, date '1992-01-01' + (i * 2400 / 15000 + h(i, 44, 7)), (array['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'])[h(i, 45, 5) + 1],
  'Clerk#' || lpad((h(i, 46, 100))::text, 9, '0'), 0, case h(i, 47, 50) when 0 then 'x special y requests z' else md5(i::text || 'f') end from generate_series(1, 15000) i;
insert into lineitem select o_orderkey, h(o_orderkey * 8 + j, 51, 2000) + 1, (h(o_orderkey * 8 + j, 51, 2000) + 1 + h(o_orderkey, 52, 4) * 50) % 200 + 1, j,
  h(o_orderkey * 8 + j, 53, 50) + 1, 900 + h(o_orderkey * 8 + j, 54, 10000000) / 100.0, h(o_orderkey * 8 + j, 55, 11) / 100.0, h(o_orderkey * 8 + j, 56, 9) / 100.0,
  case when o_orderstatus = 'F' then (array['A', 'R'])[h(o_orderkey, 57, 2) + 1] else 'N' end, case o_orderstatus when 'F' then 'F' else 'O' end,
  o_orderdate + h(o_orderkey * 8 + j, 58, 121) + 1, o_orderdate + 30 + h(o_orderkey * 8 + j, 59, 61), o_orderdate + h(o_orderkey * 8 + j, 58, 121) + 1 + h(o_orderkey * 8 + j, 60, 30) + 1,
  (array['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[h(o_orderkey * 8 + j, 61, 4) + 1],
  (array['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])[h(o_orderkey * 8 + j, 62, 7) + 1], md5((o_orderkey * 8 + j)::text)
  from orders, generate_series(1, 1 + h(o_orderkey, 63, 7)) j;

create index l_shipdate on lineitem (l_shipdate);
create index l_partsupp on lineitem (l_partkey, l_suppkey);
create index o_custkey on orders (o_custkey);
create index o_orderdate on orders (o_orderdate);
create index c_nationkey on customer (c_nationkey);
create index s_nationkey on supplier (s_nationkey);
create index ps_suppkey on partsupp (ps_suppkey);
create index p_size on part (p_size, p_type);
alter table nation add foreign key (n_regionkey) references region;
alter table supplier add foreign key (s_nationkey) references nation;
alter table customer add foreign key (c_nationkey) references nation;
alter table partsupp add foreign key (ps_partkey) references part;
alter table partsupp add foreign key (ps_suppkey) references supplier;
alter table orders add foreign key (o_custkey) references customer;
alter table lineitem add foreign key (l_orderkey) references orders;
alter table lineitem add foreign key (l_partkey, l_suppkey) references partsupp;
