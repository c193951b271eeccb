-- The audit trail's own room. Run by install.py after every migrate, as the owner; every statement may be repeated.
-- What the application may call lives in public; what it may not even name lives in the schema audit, where it has
-- no rights at all. What is generated per history table: triggers.py.

CREATE SCHEMA IF NOT EXISTS audit;

-- Made once and never shown: not to the application, and in no function's text, which anybody can read.
CREATE TABLE IF NOT EXISTS audit.key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    value bytea NOT NULL
);
INSERT INTO audit.key (value)
SELECT decode(replace(string_agg(gen_random_uuid()::text, ''), '-', ''), 'hex') FROM generate_series(1, 4)
ON CONFLICT DO NOTHING;

-- Entries that no seal covers yet. A queue and not a range of transaction numbers: those begin again after a restore.
CREATE TABLE IF NOT EXISTS audit.unsealed (entry bigint NOT NULL);

CREATE OR REPLACE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only (%)', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

-- Declared immutable, which the key is: a session reads it once, not once per row.
CREATE OR REPLACE FUNCTION audit.secret() RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT value FROM audit.key);
END $$;

-- Keyed hash. Twice, so that nobody who knows a hash can append to what it was taken over.
CREATE OR REPLACE FUNCTION audit.mac(key bytea, message bytea) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(key || sha256(key || message));

-- Writes one entry and returns its id. `row_text` is the history row, null for everything that is no change of a row.
-- The digest is the entry's own hash, which covers the row's, followed by the row's: each is found tampered by itself.
CREATE OR REPLACE FUNCTION audit.record(
    verb text, model text, row_id bigint, patient bigint, actor jsonb, purpose text,
    history bigint, shape integer, row_text text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    e public.clinic_auditentry;
    key bytea := audit.secret();
    row_digest bytea := '';
BEGIN
    IF row_text IS NOT NULL THEN
        row_digest := audit.mac(key, convert_to(row_text, 'UTF8'));
    END IF;
    e.id := nextval('public.clinic_auditentry_id_seq');
    e.at := clock_timestamp();
    e.tx := pg_current_xact_id()::text::bigint;
    e.actor_kind := left(coalesce(actor ->> 'kind', 'system'), 8);
    e.user_id := (actor ->> 'user')::bigint;
    e.role := left(coalesce(actor ->> 'role', ''), 120);
    e.verb := verb;
    e.model := left(model, 64);
    e.row_id := row_id;
    e.patient_id := patient;
    e.route := left(coalesce(actor ->> 'route', ''), 200);
    -- A socket of the web server's has no address; an odd one must not stop the clinic from writing.
    e.ip := CASE WHEN actor ->> 'ip' ~ '^[0-9a-fA-F.:]{2,45}$' THEN (actor ->> 'ip')::inet END;
    e.agent := left(coalesce(actor ->> 'agent', ''), 200);
    e.purpose := left(coalesce(nullif(purpose, ''), actor ->> 'purpose', ''), 200);
    e.history_id := history;
    e.shape := shape;
    e.digest := audit.mac(key, convert_to(audit.entry_text(e), 'UTF8') || row_digest) || row_digest;
    INSERT INTO public.clinic_auditentry
        (id, at, tx, actor_kind, user_id, role, verb, model, row_id, patient_id, route, ip, agent, purpose,
         history_id, shape, digest)
    VALUES
        (e.id, e.at, e.tx, e.actor_kind, e.user_id, e.role, e.verb, e.model, e.row_id, e.patient_id, e.route, e.ip,
         e.agent, e.purpose, e.history_id, e.shape, e.digest);
    INSERT INTO audit.unsealed VALUES (e.id);
    RETURN e.id;
END $$;

-- What is no change of a row: looks, exports, sign-ins. The application calls it (services/audit.py); the verbs of
-- changes are refused, so that nobody can claim a change that did not happen.
CREATE OR REPLACE FUNCTION public.audit_note(
    verb text, actor jsonb, model text, row_id bigint, patient bigint, purpose text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' AS $$
BEGIN
    IF verb NOT IN ('view', 'search', 'print', 'export', 'import', 'sign_in', 'sign_in_failed', 'sign_out',
                    'password', 'factor', 'roles', 'denied') THEN
        RAISE EXCEPTION 'verb % is not for noting', verb USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM audit.record(verb, model, row_id, patient, actor, purpose, null, audit.entry_shape(), null);
END $$;

-- Who acts, as the application told this transaction (clinic/actor.py).
CREATE OR REPLACE FUNCTION audit.actor() RETURNS jsonb LANGUAGE sql STABLE
RETURN nullif(current_setting('camerino.actor', true), '')::jsonb;

-- Links (many-to-many rows, roles, equipment of a visit) have no history rows: the entry itself says what came and
-- went. Arguments: model, the two columns, what the other end is called, its table and column of names (or '').
CREATE OR REPLACE FUNCTION audit.on_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' AS $$
DECLARE
    link jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
    owner bigint := link ->> TG_ARGV[1];
    other text := link ->> TG_ARGV[2];
    patient bigint;
BEGIN
    IF TG_ARGV[4] <> '' THEN
        EXECUTE format('SELECT %I::text FROM public.%I WHERE id = $1', TG_ARGV[5], TG_ARGV[4])
            INTO other USING other::bigint;
    END IF;
    IF TG_ARGV[0] = 'appointment' THEN
        SELECT patient_id INTO patient FROM public.clinic_appointment WHERE id = owner;
    END IF;
    PERFORM audit.record(
        'update', TG_ARGV[0], owner, patient, audit.actor(),
        TG_ARGV[3] || CASE WHEN TG_OP = 'DELETE' THEN ' − ' ELSE ' + ' END || coalesce(other, '?'),
        null, audit.entry_shape(), null);
    RETURN null;
END $$;

-- What a seal's root is taken over: its own columns and the digests of its entries, in the order of their ids.
CREATE OR REPLACE FUNCTION audit.root(key bytea, s public.clinic_seal, digests bytea) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN audit.mac(
    key,
    convert_to(ROW((s).id, (s).at, (s).tx_from, (s).tx_until, (s).n, (s).entries, (s).previous)::text, 'UTF8')
    || digests
);

-- Closes what is committed and not sealed yet, at most `most` entries, into the chain; returns how many.
CREATE OR REPLACE FUNCTION public.audit_seal(most integer DEFAULT 200000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET bytea_output = 'hex' AS $$
DECLARE
    s public.clinic_seal;
    digests bytea;
BEGIN
    LOCK TABLE public.clinic_seal IN EXCLUSIVE MODE;
    WITH taken AS (
        DELETE FROM audit.unsealed
        WHERE ctid = ANY (ARRAY(SELECT u.ctid FROM audit.unsealed u LIMIT most)) RETURNING entry
    )
    SELECT count(*), min(e.tx), max(e.tx), string_agg(e.digest, '' ORDER BY e.id),
           convert_to(range_agg(int8range(t.entry, t.entry, '[]'))::text, 'UTF8')
    INTO s.n, s.tx_from, s.tx_until, digests, s.entries
    -- An entry that vanished in between is counted all the same: verify_audit will name it.
    FROM taken t LEFT JOIN public.clinic_auditentry e ON e.id = t.entry;
    IF s.n = 0 THEN
        RETURN 0;
    END IF;
    SELECT l.id + 1, l.root INTO s.id, s.previous FROM public.clinic_seal l ORDER BY l.id DESC LIMIT 1;
    -- Numbered without gaps, so that a missing link shows.
    s.id := coalesce(s.id, 1);
    s.previous := coalesce(s.previous, '');
    s.tx_from := coalesce(s.tx_from, 0);
    s.tx_until := coalesce(s.tx_until, 0);
    s.at := clock_timestamp();
    s.root := audit.root(audit.secret(), s, coalesce(digests, ''));
    INSERT INTO public.clinic_seal (id, at, tx_from, tx_until, n, entries, root, previous)
    VALUES (s.id, s.at, s.tx_from, s.tx_until, s.n, s.entries, s.root, s.previous);
    RETURN s.n;
END $$;
