-- The three tables that the scripts need on a real account. Run each statement once in Athena, with a location that is
-- registered with Lake Formation in place of s3://BUCKET/PREFIX, in a database fl_live without default permissions.
CREATE TABLE fl_live.rows WITH (format = 'PARQUET', external_location = 's3://BUCKET/PREFIX/rows/') AS
SELECT * FROM (VALUES
  (BIGINT '1', CAST('A' AS varchar(1)), 'first', DECIMAL '10.50', DATE '2026-01-01', TIMESTAMP '2026-01-01 10:00:00'),
  (2, 'B', 'second', 20.00, DATE '2026-01-02', TIMESTAMP '2026-01-02 10:00:00'),
  (3, NULL, 'third', 30.25, DATE '2026-01-03', TIMESTAMP '2026-01-03 10:00:00'),
  (4, 'D', 'fourth', 1.00, DATE '2026-01-04', TIMESTAMP '2026-01-04 10:00:00')
) AS t (id, status, note, amount, on_day, at);

CREATE TABLE fl_live.plain WITH (format = 'PARQUET', external_location = 's3://BUCKET/PREFIX/plain/') AS
SELECT id, status, note, amount FROM fl_live.rows;

CREATE TABLE fl_live.parts WITH (format = 'PARQUET', external_location = 's3://BUCKET/PREFIX/parts/', partitioned_by = ARRAY['region']) AS
SELECT * FROM (VALUES (BIGINT '1', 'first', 'north'), (2, 'second', 'south')) AS t (id, note, region);
