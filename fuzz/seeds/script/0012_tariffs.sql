-- What a tariff code means was known to two people. One of them retires.

create table tariffs (
    code text primary key,
    title text not null,
    per_unit_cents integer not null
);

insert into tariffs (code, title, per_unit_cents) values
    ('BERTH', 'Berth, each begun hour', 4200),
    ('CRANE', 'Shore crane, each lift', 1850),
    ('ICE', 'Ice breaking, each ship', 96000),
    ('LIGHT', 'Lights and buoys, each ship', 5400),
    ('PILOT', 'Pilotage, each begun quarter of an hour', 9900),
    ('POWER', 'Shore power, each megawatt hour', 21000),
    ('WASTE', 'Waste reception, each cubic metre', 3100);

create index concurrently cargo_items_dangerous_idx on cargo_items (call_id) where hazard_class is not null;
