-- HARB-214, step 4: NOT NULL. The validated checks prove it, so that nothing is read, and are needed no longer.

set lock_timeout = '2s';

alter table invoices alter column public_id set not null;
alter table invoices drop constraint invoices_public_id_known;
alter table calls alter column berth_id set not null;
alter table calls drop constraint calls_berth_id_known;
