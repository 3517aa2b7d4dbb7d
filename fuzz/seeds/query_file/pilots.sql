-- One pilot's ships of one day.
-- name: pilot_day
select pilotages.boarded_at, pilotages.minutes, ships.name, ships.draught_m
from pilotages
join calls on calls.id = pilotages.call_id
join ships on ships.id = calls.ship_id
where pilotages.pilot_id = :pilot_id
    and pilotages.boarded_at >= :day::date
    and pilotages.boarded_at < :day::date + 1
order by pilotages.boarded_at;
