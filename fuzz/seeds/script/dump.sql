\connect harbour
SET search_path TO app, public;
COPY berths (code, length_m) FROM stdin;
A1	120
B;'2	\N
\.
CREATE OR REPLACE FUNCTION next_call() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$ begin new.changed_at := now(); return new; end $body$;
DO $$ begin perform 1; end $$;
SELECT U&'d\0061t\+000061', E'it''s\n', B'101', X'1F', 1_000.5e-3 \gset
/* outer /* inner ; */ still ; */ select 1 -- end
