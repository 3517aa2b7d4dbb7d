-- What rules do to a value, by PostgreSQL's own functions. The key is a setting of the session, so that it is in no file.
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
-- A permutation (a Feistel network) of the numbers of one size: those below 2^31, and those above; where a column of the
-- group is a smallint, those below 2^15, too. So different numbers stay different, and a value fits its type.
CREATE FUNCTION {schema}.hash_integer(value bigint, narrow boolean) RETURNS bigint LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    half integer; lowest bigint; highest bigint; mask bigint; high bigint; low bigint; next bigint; x bigint := value;
BEGIN
    IF value < 0 THEN
        RETURN -1 - {schema}.hash_integer(-1 - value, narrow);
    END IF;
    IF narrow AND value < 32768 THEN
        half := 8; lowest := 0; highest := 32767;
    ELSIF value < 2147483648 THEN
        half := 16; lowest := CASE WHEN narrow THEN 32768 ELSE 0 END; highest := 2147483647;
    ELSE
        half := 32; lowest := 2147483648; highest := 9223372036854775807;
    END IF;
    mask := (1::bigint << half) - 1;
    LOOP
        high := (x >> half) & mask; low := x & mask;
        FOR round IN 1..4 LOOP
            next := high # ({schema}.number('integer' || half || '/' || round, low::text) & mask);
            high := low; low := next;
        END LOOP;
        x := (high << half) | low;
        EXIT WHEN x BETWEEN lowest AND highest;
    END LOOP;
    RETURN x;
END $$;
-- Digits become digits, letters letters of their case and script; all else stays. Again a Feistel network: among the texts of
-- one shape each has its own. Case doesn't count, so lower(cipher(x)) is cipher(lower(x)). In a number, digits alone change,
-- zeros in front stay, and no new ones come.
CREATE FUNCTION {schema}.cipher(value text, salt text, is_number boolean) RETURNS text LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    lowered text := lower(value);
    first_digit integer := char_length(substring(value FROM '^[^1-9]*')) + 1;
    originals integer[]; codes integer[]; firsts integer[]; sizes integer[]; offsets integer[]; every integer[];
    shape text; total integer; half integer; start integer; stop integer; source integer[]; tweak text; stream bytea; k integer;
BEGIN
    IF char_length(lowered) <> char_length(value) THEN
        lowered := value;
    END IF;
    SELECT array_agg(ascii(o) ORDER BY i), array_agg(ascii(l) ORDER BY i) INTO originals, codes
    FROM unnest(string_to_array(value, NULL), string_to_array(lowered, NULL)) WITH ORDINALITY AS letter(o, l, i);
    SELECT array_agg(first ORDER BY i), array_agg(size ORDER BY i),
        string_agg(CASE size WHEN 0 THEN chr(code) ELSE first || '.' END, '' ORDER BY i),
        array_agg(code - first ORDER BY i) FILTER (WHERE size > 0), array_agg(size ORDER BY i) FILTER (WHERE size > 0)
    INTO firsts, every, shape, offsets, sizes
    FROM unnest(codes) WITH ORDINALITY AS letter(code, i), LATERAL (SELECT
        CASE
            WHEN is_number THEN CASE WHEN code NOT BETWEEN 48 AND 57 OR i < first_digit THEN 0 WHEN i = first_digit THEN 9 ELSE 10 END
            WHEN code BETWEEN 97 AND 122 OR code BETWEEN 65 AND 90 THEN 26
            WHEN code BETWEEN 48 AND 57 THEN 10
            WHEN code BETWEEN 192 AND 8191 THEN 32
            WHEN code BETWEEN 12352 AND 55295 THEN 64
            ELSE 0
        END) AS sized(size), LATERAL (SELECT
        CASE size
            WHEN 26 THEN CASE WHEN code > 96 THEN 97 ELSE 65 END
            WHEN 9 THEN 49 WHEN 10 THEN 48 WHEN 0 THEN code
            ELSE code - code % size
        END) AS begun(first);
    total := coalesce(cardinality(offsets), 0);
    IF total = 0 THEN
        RETURN value;
    END IF;
    half := total / 2;
    FOR round IN 1..4 LOOP
        IF round % 2 = 1 THEN
            source := offsets[1:half]; start := half + 1; stop := total;
        ELSE
            source := offsets[half + 1:total]; start := 1; stop := half;
        END IF;
        tweak := encode({schema}.digest('shape', concat_ws('/', salt, round, shape, array_to_string(source, ','))), 'hex');
        FOR j IN start..stop LOOP
            k := (j - start) % 16;
            IF k = 0 THEN
                stream := {schema}.digest(tweak, ((j - start) / 16)::text);
            END IF;
            offsets[j] := (offsets[j] + get_byte(stream, 2 * k) * 256 + get_byte(stream, 2 * k + 1)) % sizes[j];
        END LOOP;
    END LOOP;
    RETURN (
        SELECT string_agg(CASE
            WHEN size = 0 THEN chr(original)
            WHEN original = code THEN chr(first + changed)
            ELSE upper(chr(first + changed)) END, '' ORDER BY i)
        FROM (
            SELECT *, offsets[sum(CASE size WHEN 0 THEN 0 ELSE 1 END) OVER (ORDER BY i)] AS changed
            FROM unnest(originals, codes, firsts, every) WITH ORDINALITY AS letter(original, code, first, size, i)
        ) letters
    );
END $$;
-- Of an e-mail address the last label stays, and what has one domain still has.
CREATE FUNCTION {schema}.fake_text(value text) RETURNS text LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    domain text; ending text;
BEGIN
    IF value !~ '^[^@[:space:]]+@[^@[:space:]]+$' THEN
        RETURN {schema}.cipher(value, 'text', false);
    END IF;
    domain := split_part(value, '@', 2);
    ending := coalesce(substring(domain FROM '\.[[:alpha:]]+$'), '');
    RETURN {schema}.cipher(split_part(value, '@', 1), 'local@' || lower(domain), false) || '@'
        || {schema}.cipher(left(domain, char_length(domain) - char_length(ending)), 'domain', false) || ending;
END $$;
CREATE FUNCTION {schema}.fake_number(value numeric, most numeric) RETURNS numeric LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    x text := value::text;
BEGIN
    LOOP
        x := {schema}.cipher(x, 'number', true);
        EXIT WHEN most = 0 OR abs(x::numeric) <= most;
    END LOOP;
    RETURN x::numeric;
END $$;
