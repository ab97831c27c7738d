/**
 * The first texts through the generated parser build its tables: about half a second on two quiet processors. Whoever
 * calls this pays for it before a caller's text waits for it.
 */
import { parseQuery } from './build.ts';

const texts = [
	`SELECT t.a, count(*) AS n, sum(t.b * 2 + 1) FROM db.t AS t LEFT JOIN u ON t.a = u.a AND u.b > 1
		WHERE t.a IN ('x', 'y') AND (t.b BETWEEN 1 AND 2.5 OR NOT t.a LIKE 'x%') AND t.a IS NOT NULL
		GROUP BY t.a, 1 HAVING count(DISTINCT t.b) > 1 ORDER BY n DESC NULLS LAST, 1 LIMIT 10`,
	`SELECT DISTINCT d.*, CASE WHEN d.x > 1 THEN 'a' ELSE 'b' || d.y END, CAST(d.x AS decimal(10, 2)), date_trunc('month', e)
		FROM (SELECT a AS x, lower(a) AS y, DATE '2024-01-01' + INTERVAL '1' DAY AS e FROM t) AS d, u
		WHERE d.x = (SELECT max(b) FROM u WHERE u.a = d.y) AND EXISTS (SELECT * FROM t WHERE t.a IN (SELECT a FROM u))`,
	`WITH RECURSIVE r (n, m) AS (VALUES (1, 'a') UNION ALL SELECT n + 1, m FROM r WHERE n < 5),
			w AS (SELECT a b, rank() OVER (PARTITION BY a ORDER BY b DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS k,
				sum(a) OVER v, count(*) FILTER (WHERE a <> 1), extract(YEAR FROM c) FROM t WINDOW v AS (ORDER BY b))
		SELECT coalesce(r.n, -1), transform(w.k, x -> x + 1), w.f[1].g, try_cast(w.b AS array(row(p int))), trim(w.b),
			substring(w.b FROM 2), round(100.0 * sum(w.k) / nullif(sum(w.a), 0), 2)
		FROM r CROSS JOIN UNNEST(ARRAY[1, 2]) WITH ORDINALITY AS z (p, q) JOIN w USING (n), LATERAL (SELECT r.n) AS l
		GROUP BY GROUPING SETS ((w.a, w.b), ()), ROLLUP (w.c) EXCEPT (SELECT 1 INTERSECT TABLE t) ORDER BY 1 OFFSET 2 ROWS`,
];

export function warm(): void {
	for (const text of texts) parseQuery(text);
}
