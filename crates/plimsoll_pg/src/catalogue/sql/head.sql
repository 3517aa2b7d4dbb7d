-- The first lines: format, server, settings of the role that reads.
select '-- plimsoll snapshot 1' || chr(10) || '--: ' || json_build_object('server', json_build_object(
    'version', current_setting('server_version_num')::int,
    'database', current_database(),
    'taken', to_char(current_date, 'YYYY-MM-DD'),
    'counters_since', (select to_char(stats_reset, 'YYYY-MM-DD') from pg_catalog.pg_stat_database where datname = current_database()),
    'block_bytes', current_setting('block_size')::int,
    'settings', (
      select json_object_agg(name, reset_val order by name)
      from pg_catalog.pg_settings
      where name in ('TimeZone', 'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout',
                     'transaction_timeout', 'default_table_access_method', 'wal_level'))))
