-- A scale once reported minus four tonnes of bananas.

set lock_timeout = '2s';

alter table cargo_items add constraint cargo_items_weigh_something check (weight_kg > 0) not valid;
alter table cargo_items validate constraint cargo_items_weigh_something;
