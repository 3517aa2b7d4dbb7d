-- HARB-214, step 1: promises about new rows. Every statement is a matter of milliseconds.

-- A statement that has to queue for its lock blocks all who come after it: better give up and try again.
set lock_timeout = '2s';

-- The column first, its default after it: rows that exist keep a null and are not rewritten.
alter table invoices add column public_id uuid;
alter table invoices alter column public_id set default gen_random_uuid();

-- NOT VALID: checked for rows that are written from now on.
alter table invoice_lines add constraint invoice_lines_tariff_fk
    foreign key (tariff_code) references tariffs (code) not valid;
alter table invoice_lines add constraint invoice_lines_amount_cents_positive check (amount_cents >= 0) not valid;
alter table invoices add constraint invoices_total_cents_positive check (total_cents >= 0) not valid;
alter table tariffs add constraint tariffs_per_unit_cents_positive check (per_unit_cents >= 0) not valid;
alter table calls add constraint calls_berth_id_known check (berth_id is not null) not valid;
