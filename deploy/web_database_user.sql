-- What the web's own user of PostgreSQL may: read and write rows, and change no table.
-- Run it once as the user of the worker's DATABASE_URL, which owns the tables, after `migrate`:
--     CREATE ROLE portal_web LOGIN PASSWORD '…';
--     psql "$DATABASE_URL" -f deploy/web_database_user.sql
-- Then give the processes of the web a DATABASE_URL with portal_web. Tables that come later, such as
-- the parts of the history that workers make, are its own to read and write by themselves.
-- The tests on PostgreSQL run every plane of the web so (tests/planes.py).
GRANT USAGE ON SCHEMA public TO portal_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO portal_web;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO portal_web;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM portal_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO portal_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO portal_web;
