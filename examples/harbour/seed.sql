-- A large harbour's four years: a million rows, the same on every machine.
--
-- Nothing is random: `spread` scatters whole numbers over [0, 1) by arithmetic. A few ferries make most of the
-- calls and most ships come a few times; recent calls are still in port and recent invoices still unpaid.

create function pg_temp.spread(n bigint, salt bigint) returns double precision
language sql immutable
return ((n * n + n * salt) % 1000003)::double precision / 1000003;

insert into berths (id, code, length_m, depth_m, shore_power)
select n, chr(65 + (n - 1) / 12) || to_char((n - 1) % 12 + 1, 'FM00'), 90 + n % 12 * 25, 6 + n % 12, n % 4 = 0
from generate_series(1, 96) as n;

insert into ships (id, imo_number, name, kind, gross_tonnage, length_m, draught_m, flag_state)
select
    n,
    9000000 + n * 37,
    (array['Amber', 'Baltic', 'Clara', 'Dorothea', 'Eider', 'Frisia', 'Gannet', 'Halcyon', 'Ida', 'Juno'])[1 + n % 10]
        || ' ' || (array['Bay', 'Carrier', 'Dawn', 'Express', 'Light', 'Star', 'Trader'])[1 + n % 7] || ' ' || n,
    case
        when n <= 40 then 'ferry'
        when n <= 300 then 'fishing'
        else (array['bulk', 'container', 'cruise', 'roro', 'tanker'])[1 + n % 5]
    end::ship_kind,
    800 + (90000 * power(pg_temp.spread(n, 11), 2))::integer,
    40 + round(300 * pg_temp.spread(n, 11)::numeric, 1),
    2 + round(14 * pg_temp.spread(n, 11)::numeric, 1),
    (array['DK', 'DE', 'EE', 'FI', 'LR', 'MH', 'NO', 'PA', 'SE'])[1 + n % 9]
from generate_series(1, 20000) as n;

-- One call each 16 minutes, up to the end of September 2025. Who comes: the cube favours low ship ids.
insert into calls (id, ship_id, berth_id, arrived_at, departed_at, changed_at)
select n, ship_id, berth_id, arrived_at, departed_at, coalesce(departed_at, arrived_at)
from (
    select n, ship_id, berth_id, arrived_at, case when n <= 129940 then arrived_at + stay end as departed_at
    from (
        select
            n,
            1 + (19999 * power(pg_temp.spread(n, 101), 3))::integer as ship_id,
            1 + (95 * pg_temp.spread(n, 5003))::integer as berth_id,
            timestamptz '2021-10-01 00:00:00+00' + n * interval '16 minutes 10.7 seconds' as arrived_at,
            interval '2 hours' + interval '46 hours' * power(pg_temp.spread(n, 70001), 2) as stay
        from generate_series(1, 130000) as n
    ) as planned
) as visits;

-- Nine items for every four calls, in the order in which they were entered. One in 12 is dangerous.
insert into cargo_items (id, call_id, description, weight_kg, loaded, hazard_class)
select
    n,
    1 + (n * 4) / 9,
    (array['bananas', 'cars', 'fertiliser', 'fuel oil', 'grain', 'machinery', 'paper', 'scrap', 'timber', 'toys'])[1 + n % 10],
    100 + (24000 * power(pg_temp.spread(n, 211), 2))::integer,
    n % 3 = 0,
    case when n % 12 = 3 then (array['2.1', '3', '5.1', '8', '9'])[1 + (n / 12) % 5] end
from generate_series(1, 292490) as n;

insert into pilots (id, name, licensed_until)
select n, 'Pilot ' || n, date '2025-12-31' + n * 11
from generate_series(1, 80) as n;

-- Two calls in three take a pilot, and some pilots work more than others.
insert into pilotages (id, call_id, pilot_id, boarded_at, minutes)
select
    calls.id,
    calls.id,
    1 + (79 * power(pg_temp.spread(calls.id, 307), 2))::integer,
    calls.arrived_at - interval '50 minutes',
    30 + (90 * pg_temp.spread(calls.id, 911))::integer
from calls
where calls.id % 3 <> 0
order by calls.id;

-- Ships that have left are billed three days later, for lights and berth, and for a pilot, a crane, waste or ice.
create temporary table lines as
select n as id, 1 + (n - 1) / 3 as invoice_id, code, quantity, quantity * per_unit_cents as amount_cents
from (
    select
        n,
        case
            when n % 3 = 0 then 'LIGHT'
            when n % 3 = 1 then 'BERTH'
            when n % 997 = 2 then 'ICE'
            else (array['CRANE', 'PILOT', 'PILOT', 'POWER', 'WASTE'])[1 + n % 5]
        end as code,
        case when n % 3 = 0 then 1 else 1 + (29 * power(pg_temp.spread(n, 401), 2))::integer end as quantity
    from generate_series(1, 3 * 129940) as n
) as billed
join tariffs using (code);

-- All but two in a hundred have paid, those of the last weeks apart.
insert into invoices (id, call_id, issued_on, due_on, paid_on, total_cents)
select
    calls.id,
    calls.id,
    calls.departed_on + 3,
    calls.departed_on + 33,
    case when calls.id % 50 <> 7 and calls.id < 127500 then calls.departed_on + 5 + calls.id % 27 end,
    totals.cents
from (
    select id, (departed_at at time zone 'UTC')::date as departed_on
    from calls
    where departed_at is not null
) as calls
join (select invoice_id, sum(amount_cents)::integer as cents from lines group by invoice_id) as totals
    on totals.invoice_id = calls.id
order by calls.id;

insert into invoice_lines (id, invoice_id, tariff_code, quantity, amount_cents)
select id, invoice_id, code, quantity, amount_cents
from lines
order by id;

drop table lines;

-- The next row that the service writes has the next number.
select setval(pg_get_serial_sequence('berths', 'id'), (select max(id) from berths));
select setval(pg_get_serial_sequence('ships', 'id'), (select max(id) from ships));
select setval(pg_get_serial_sequence('calls', 'id'), (select max(id) from calls));
select setval(pg_get_serial_sequence('cargo_items', 'id'), (select max(id) from cargo_items));
select setval(pg_get_serial_sequence('pilots', 'id'), (select max(id) from pilots));
select setval(pg_get_serial_sequence('pilotages', 'id'), (select max(id) from pilotages));
select setval(pg_get_serial_sequence('invoices', 'id'), (select max(id) from invoices));
select setval(pg_get_serial_sequence('invoice_lines', 'id'), (select max(id) from invoice_lines));
