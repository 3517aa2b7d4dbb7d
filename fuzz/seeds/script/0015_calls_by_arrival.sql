-- HARB-214, step 3: an index for the arrivals board, beside calls_ship_arrived_idx, which the agent's page needs.
create index concurrently calls_arrived_idx on calls (arrived_at);
