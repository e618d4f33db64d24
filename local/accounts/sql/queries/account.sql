-- Accounts and databases of the stack and of the containers: statements of their superuser.

-- name: account/has_database
-- Is there a database of this name?
SELECT 1 FROM pg_database WHERE datname = %(name)s;

-- name: account/set_account
-- The account that the next statements of this transaction are about. The password is hashed already.
SELECT set_config('stack.account', %(account)s, true), set_config('stack.password', %(password)s, true),
       set_config('stack.role', %(role)s, true);

-- name: account/set_names
-- The accounts that stack and containers make for themselves.
SELECT set_config('stack.names', %(names)s::text[]::text, true);

-- name: account/ensure_account
-- An account without any right of a superuser, with this password, and a member of a role if one is named. One that was
-- there before under another name than ours is its user's: password and attributes stay.
DO $$
DECLARE
    v_account CONSTANT text := current_setting('stack.account');
    v_role    CONSTANT text := current_setting('stack.role');
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = v_account) THEN
        EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', v_account, current_setting('stack.password'));
    ELSIF v_account = ANY (current_setting('stack.names')::text[]) THEN
        EXECUTE format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD %L', v_account,
                       current_setting('stack.password'));
    END IF;
    IF v_role <> '' THEN
        EXECUTE format('GRANT %I TO %I', v_role, v_account);
    END IF;
END $$;

-- name: account/owner
-- Who owns this database?
SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database();
