-- Hands this database over to the account set before: the database itself, and what the present account owns in it.
-- PostgreSQL's REASSIGN OWNED does not do it, because the first superuser owns the system's objects as well.
DO $$
DECLARE
    v_account CONSTANT text := current_setting('stack.account');
    v_item    record;
BEGIN
    FOR v_item IN
        SELECT format('ALTER SCHEMA %I OWNER TO %I', n.nspname, v_account) AS statement
        FROM pg_namespace n
        WHERE n.nspowner = current_user::regrole AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, v_account)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relowner = current_user::regrole AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
          AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          -- Not what belongs to an extension, or is a column's sequence and goes with its table.
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i'))))
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, v_account)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE p.proowner = current_user::regrole AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                          AND d.deptype = 'e')
        UNION ALL
        SELECT format('ALTER TYPE %s OWNER TO %I', t.oid::regtype, v_account)
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE t.typowner = current_user::regrole AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
          AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                          AND d.deptype = 'e')
    LOOP
        EXECUTE v_item.statement;
    END LOOP;
    EXECUTE format('ALTER DATABASE %I OWNER TO %I', current_database(), v_account);
    -- The other account of this server has no business here. Accounts that users made, and that can connect and were
    -- granted something here, go on: what they had as part of the public becomes theirs.
    FOR v_item IN
        SELECT format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), r.rolname) AS statement
        FROM pg_roles r
        WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> ALL (current_setting('stack.names')::text[])
          AND has_database_privilege(r.oid, current_database(), 'CONNECT')
          AND (pg_has_role(r.oid, 'pg_read_all_data', 'MEMBER')
               OR EXISTS (SELECT 1 FROM pg_shdepend d JOIN pg_database b ON b.oid = d.dbid
                          WHERE b.datname = current_database() AND d.refclassid = 'pg_authid'::regclass
                            AND pg_has_role(r.oid, d.refobjid, 'MEMBER')))
    LOOP
        EXECUTE v_item.statement;
    END LOOP;
    EXECUTE format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$;
