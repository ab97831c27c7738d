/** The first texts through the generated parser build its tables and cost half a second; pay that before a caller waits. */

import { parseQuery } from './build.ts';
import { resolve } from './resolve.ts';
import type { Relation } from './resolved.ts';
import { printTrino } from './trino.ts';

const texts = [
	`SELECT t.a, count(*) AS n, sum(t.b * 2 + 1) FROM db.t AS t LEFT JOIN u ON t.a = u.a AND u.b > 1
		WHERE t.a IN ('x', 'y') AND (t.b BETWEEN 1 AND 2.5 OR NOT t.a LIKE 'x%') AND t.a IS NOT NULL
		GROUP BY t.a, 1 HAVING count(DISTINCT t.b) > 1 ORDER BY n DESC NULLS LAST, 1 LIMIT 10`,
	`SELECT DISTINCT d.*, CASE WHEN d.x > 1 THEN 'a' ELSE 'b' || d.y END, CAST(d.x AS decimal(10, 2)), date_trunc('month', e)
		FROM (SELECT a AS x, lower(a) AS y, DATE '2024-01-01' + INTERVAL '1' DAY AS e FROM t) AS d, u
		WHERE d.x = (SELECT max(b) FROM u WHERE u.a = d.y) AND EXISTS (SELECT * FROM t WHERE t.a IN (SELECT a FROM u))`,
];

export function warm(): void {
	const columns = ['a', 'b'].map((name) => ({ name, type: 'varchar', granted: true }));
	const relation: Relation = { id: 't', printed: ['db', 't'], columns, rowFilter: null };
	for (const text of texts) printTrino(resolve(parseQuery(text), () => relation));
}
