-- The dunning run looks at unpaid invoices alone: two in a hundred.
create index concurrently invoices_unpaid_due_idx on invoices (due_on) where paid_on is null;
