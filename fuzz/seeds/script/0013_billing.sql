-- HARB-214: billing moves into its own service. What it needs, and what we tidy up on the way.

-- Links in e-mails name an invoice by something that can't be guessed.
alter table invoices add column public_id uuid not null default gen_random_uuid();

-- A line names a tariff that exists.
alter table invoice_lines add constraint invoice_lines_tariff_fk
    foreign key (tariff_code) references tariffs (code);

-- New tables number their rows in bigint. Cargo follows.
alter table cargo_items alter column id type bigint;

-- For a year now, a call is booked together with its berth.
alter table calls alter column berth_id set not null;

-- The arrivals board filters by time. Nobody filters by ship alone any more.
drop index calls_ship_arrived_idx;
create index calls_arrived_idx on calls (arrived_at);

-- The register's word.
alter table ships rename column gross_tonnage to gross_tons;

-- No amount of money is negative, wherever it stands.
do $$
declare
    amount record;
begin
    for amount in
        select columns.table_name, columns.column_name
        from information_schema.columns
        join information_schema.tables using (table_schema, table_name)
        where tables.table_type = 'BASE TABLE'
            and table_schema = 'public'
            and columns.column_name like '%\_cents'
        order by columns.table_name, columns.column_name
    loop
        execute format(
            'alter table %I add constraint %I check (%I >= 0)',
            amount.table_name,
            amount.table_name || '_' || amount.column_name || '_positive',
            amount.column_name
        );
    end loop;
end
$$;
