-- What customs print for one call.
-- name: call_manifest
select id, description, weight_kg, loaded, hazard_class
from cargo_items
where call_id = :call_id
order by id;

-- What the fire brigade asks for.
-- name: dangerous_goods_in_port
select berths_now.berth, berths_now.ship, cargo_items.hazard_class, sum(cargo_items.weight_kg) as weight_kg
from berths_now
join cargo_items on cargo_items.call_id = berths_now.call_id
where cargo_items.hazard_class is not null
group by berths_now.berth, berths_now.ship, cargo_items.hazard_class
order by berths_now.berth, berths_now.ship, cargo_items.hazard_class;
