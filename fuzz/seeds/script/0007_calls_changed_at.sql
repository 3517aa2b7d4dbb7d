-- The customs' export asks for what changed since it last came by.

alter table calls add column changed_at timestamptz not null default now();

create function stamp_changed_at() returns trigger
language plpgsql as $$
begin
    new.changed_at := now();
    return new;
end
$$;

create trigger calls_changed_at
before update on calls
for each row execute function stamp_changed_at();
