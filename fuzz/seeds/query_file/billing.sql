-- The dunning run: the oldest debts first.
-- name: overdue_invoices
select invoices.id, invoices.due_on, invoices.total_cents, calls.ship_id
from invoices
join calls on calls.id = invoices.call_id
where invoices.paid_on is null
    and invoices.due_on < :today::date
order by invoices.due_on, invoices.id
limit 50;

-- One invoice as the customer sees it.
-- name: invoice_lines_of_call
select tariffs.title, invoice_lines.quantity, invoice_lines.amount_cents
from invoices
join invoice_lines on invoice_lines.invoice_id = invoices.id
join tariffs on tariffs.code = invoice_lines.tariff_code
where invoices.call_id = :call_id
order by invoice_lines.id;

-- The yearly report. It reads every line, and may.
-- name: income_by_tariff
select tariff_code, count(*) as lines, sum(amount_cents) as cents
from invoice_lines
group by tariff_code
order by tariff_code;

-- The tonnage dues of one ship.
-- name: tonnage_dues
select ships.name, ships.gross_tonnage * :cents_per_ton::integer as dues_cents
from ships
where ships.imo_number = :imo_number;
