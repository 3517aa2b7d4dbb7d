begin;

set local lock_timeout = '2s';

alter table ships add column flag_state text;
alter table ships add constraint ships_flag_state_is_a_code
    check (flag_state ~ '^[A-Z]{2}$') not valid;

commit;

alter table ships validate constraint ships_flag_state_is_a_code;
