-- As long as it is told to take: large tables are slow to change.
SELECT pg_sleep(${seconds});

DO $$
BEGIN
  IF ${fail} THEN
    RAISE EXCEPTION 'this migration was told to fail: SAMPLE_MIGRATION_FAIL';
  END IF;
END
$$;

ALTER TABLE orders ADD COLUMN priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high'));
