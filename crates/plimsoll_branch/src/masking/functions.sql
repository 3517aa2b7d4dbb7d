-- What rules do to a value that PostgreSQL does quickly, by PostgreSQL's own functions. The key is a setting of the session, so that it is in no file.
-- All of it lives in a schema that is dropped at the end; {schema} is its name.
CREATE FUNCTION {schema}.digest(salt text, value text) RETURNS bytea LANGUAGE sql STABLE STRICT AS $$
    SELECT sha256(decode(current_setting('plimsoll.key'), 'hex')
        || sha256(convert_to(salt || chr(31) || value, getdatabaseencoding()::name)))
$$;
-- A number from 0 to 2^32 - 1.
CREATE FUNCTION {schema}.number(salt text, value text) RETURNS bigint LANGUAGE sql STABLE STRICT AS $$
    SELECT ('x' || encode(substring({schema}.digest(salt, value) FROM 1 FOR 4), 'hex'))::bit(32)::bigint & 4294967295
$$;
CREATE FUNCTION {schema}.hash_text(value text, length integer) RETURNS text LANGUAGE sql STABLE STRICT AS $$
    SELECT left(encode({schema}.digest('text', value), 'hex'), length)
$$;
-- A valid UUID of version 4.
CREATE FUNCTION {schema}.hash_uuid(value uuid) RETURNS uuid LANGUAGE sql STABLE STRICT AS $$
    SELECT encode(set_byte(set_byte(d, 6, (get_byte(d, 6) & 15) | 64), 8, (get_byte(d, 8) & 63) | 128), 'hex')::uuid
    FROM substring({schema}.digest('uuid', value::text) FROM 1 FOR 16) d
$$;
CREATE FUNCTION {schema}.hash_bytes(value bytea) RETURNS bytea LANGUAGE sql STABLE STRICT AS $$
    SELECT {schema}.digest('bytes', encode(value, 'hex'))
$$;
-- As long as the original.
CREATE FUNCTION {schema}.fake_bytes(value bytea) RETURNS bytea LANGUAGE sql STABLE STRICT AS $$
    SELECT substring(coalesce(string_agg({schema}.digest('bytes' || piece, whole), ''::bytea ORDER BY piece), ''::bytea)
        FROM 1 FOR length(value))
    FROM encode(sha256(value), 'hex') whole, generate_series(0, (length(value) - 1) / 32) piece
$$;
-- The family and the netmask stay.
CREATE FUNCTION {schema}.address(value inet) RETURNS inet LANGUAGE sql STABLE STRICT AS $$
    SELECT set_masklen(CASE family(value)
        WHEN 4 THEN concat_ws('.', 1 + get_byte(d, 0) % 223, get_byte(d, 1), get_byte(d, 2), get_byte(d, 3))
        ELSE 'fd' || right(regexp_replace(encode(substring(d FROM 1 FOR 16), 'hex'), '(....)(?!$)', '\1:', 'g'), -2)
        END::inet, masklen(value))
    FROM {schema}.digest('address', host(value)) d
$$;
-- A locally administered address.
CREATE FUNCTION {schema}.device(value macaddr) RETURNS macaddr LANGUAGE sql STABLE STRICT AS $$
    SELECT ('02' || left(encode({schema}.digest('device', value::text), 'hex'), 10))::macaddr
$$;
-- From -most to most, but not 0.
CREATE FUNCTION {schema}.days(salt text, most integer) RETURNS integer LANGUAGE sql STABLE STRICT AS $$
    SELECT CASE WHEN n < most THEN n + 1 ELSE most - n - 1 END::integer
    FROM (SELECT {schema}.number('days', salt) % (2 * most)) AS drawn(n)
$$;
-- Which of these characters, each as UTF-8 in hexadecimal digits, the database's encoding has.
CREATE FUNCTION {schema}.characters(codes text) RETURNS text LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    code text; letters text := '';
BEGIN
    FOREACH code IN ARRAY string_to_array(codes, ' ') LOOP
        BEGIN
            letters := letters || convert_from(decode(code, 'hex'), 'UTF8');
        EXCEPTION WHEN untranslatable_character THEN
            CONTINUE;
        END;
    END LOOP;
    RETURN letters;
END $$;
