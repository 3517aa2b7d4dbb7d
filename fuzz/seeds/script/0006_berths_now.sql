-- The wall screen: which ship lies where.

create index calls_in_port_idx on calls (berth_id) where departed_at is null;

create view berths_now as
select
    berths.code as berth,
    ships.name as ship,
    ships.gross_tonnage,
    calls.id as call_id,
    calls.arrived_at
from calls
join berths on berths.id = calls.berth_id
join ships on ships.id = calls.ship_id
where calls.departed_at is null;
