-- The agent's page: what one ship did lately.
-- name: recent_calls
select calls.id, berths.code as berth, calls.arrived_at, calls.departed_at
from calls
join berths on berths.id = calls.berth_id
where calls.ship_id = :ship_id
    and calls.arrived_at >= :since::date
order by calls.arrived_at desc
limit 20;

-- The board in the lobby: who came in these hours.
-- name: arrivals_board
select ships.name, ships.kind, berths.code as berth, calls.arrived_at
from calls
join ships on ships.id = calls.ship_id
join berths on berths.id = calls.berth_id
where calls.arrived_at >= :from_time::timestamptz
    and calls.arrived_at < :to_time::timestamptz
order by calls.arrived_at;

-- The wall screen: which ship lies where.
-- name: ships_in_port
select berth, ship, gross_tonnage, arrived_at
from berths_now
order by berth, arrived_at;
