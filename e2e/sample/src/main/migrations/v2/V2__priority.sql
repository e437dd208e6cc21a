DO $$
BEGIN
  -- Large tables are slow to change: this takes as long as it is told to.
  PERFORM pg_sleep(${seconds});
  IF ${fail} THEN
    RAISE EXCEPTION 'this migration was told to fail: SAMPLE_MIGRATION_FAIL';
  END IF;
END
$$;

ALTER TABLE orders ADD COLUMN priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high'));
