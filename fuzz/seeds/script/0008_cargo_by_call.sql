-- After the Monday on which every manifest took four seconds.
create index concurrently cargo_items_call_idx on cargo_items (call_id);
