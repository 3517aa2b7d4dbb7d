-- HARB-214, step 2: make the promises true for the rows that exist. It takes a while and stands in nobody's way.

set lock_timeout = '2s';

-- 5000 rows a transaction: a row stays locked for some milliseconds, not for the whole run.
do $$
declare
    newest constant integer := (select max(id) from invoices);
begin
    for low in 0..newest by 5000 loop
        update invoices set public_id = gen_random_uuid()
        where id between low and low + 4999 and public_id is null;
        commit;
    end loop;
end
$$;

-- Only now: while nulls were left, this check would have refused every payment of an old invoice.
alter table invoices add constraint invoices_public_id_known check (public_id is not null) not valid;

-- VALIDATE reads the table while others read and write it.
alter table invoices validate constraint invoices_public_id_known;
alter table invoices validate constraint invoices_total_cents_positive;
alter table invoice_lines validate constraint invoice_lines_tariff_fk;
alter table invoice_lines validate constraint invoice_lines_amount_cents_positive;
alter table tariffs validate constraint tariffs_per_unit_cents_positive;
alter table calls validate constraint calls_berth_id_known;
