/** The coverage invariant: a tree of which anything is left unread is refused, whatever it is. */
import { ParserRuleContext } from 'antlr4ng';
import { describe, expect, test } from 'vitest';
import { newBuilder } from '#core/syntax/build-expression.ts';
import { query } from '#core/syntax/build-query.ts';
import { claim, claimName, demandAllClaimed } from '#core/syntax/claims.ts';
import type { Builder } from '#core/syntax/handler.ts';
import { parseWith } from '#core/syntax/parse.ts';

const text = `WITH x (p) AS (SELECT t.a[1].b FROM t AS t (a)) SELECT year, transform(p, e -> e), x.* AS (q), cast(p AS row(f int))
	FROM x JOIN "U" USING (p) WHERE EXISTS (VALUES 1) GROUP BY ROLLUP (p), GROUPING SETS ((p), ())
	UNION SELECT sum(n) FILTER (WHERE n > ALL (TABLE v)), rank() OVER (w ROWS 1 PRECEDING) FROM UNNEST(s) AS z (n) WINDOW w AS ()`;

const unread = expect.objectContaining({ code: 'unsupported' });

function read<T>(then: (root: ParserRuleContext, b: Builder) => T): T {
	return parseWith(
		text,
		'query',
		(parser) => parser.rootQuery(),
		(root) => {
			const b = newBuilder(query);
			claim(b.claims, root);
			b.query(root.query());
			return then(root, b);
		},
	);
}

describe('a tree', () => {
	test('all of which is read is taken', () => {
		read((root, b) => {
			expect(() => demandAllClaimed(b.claims, root)).not.toThrow();
			expect(b.claims.contexts.size).toBeGreaterThan(200);
			expect(b.claims.names.size).toBeGreaterThan(30);
		});
	});

	test('of which any one context is left out is refused', () => {
		read((root, { claims }) => {
			for (const context of claims.contexts) {
				const contexts = new Set(claims.contexts);
				contexts.delete(context);
				expect(() => demandAllClaimed({ ...claims, contexts }, root)).toThrow(unread);
			}
		});
	});

	test('of which any one name is left out is refused', () => {
		read((root, { claims }) => {
			for (const name of claims.names) {
				const names = new Set(claims.names);
				names.delete(name);
				expect(() => demandAllClaimed({ ...claims, names }, root)).toThrow(unread);
			}
		});
	});

	test('into which a part of another is put is refused', () => {
		read((root, { claims }) => {
			read((other) => {
				for (const context of claims.contexts) {
					context.addChild(other);
					expect(() => demandAllClaimed(claims, root)).toThrow(unread);
					context.removeLastChild();
				}
			});
		});
	});

	test('of which anything is read twice is refused', () => {
		read((_root, { claims }) => {
			for (const context of claims.contexts) expect(() => claim(claims, context)).toThrow(unread);
			for (const context of claims.contexts) {
				if (context.start !== null && claims.names.has(context.start) && context.start === context.stop) {
					expect(() => claimName(claims, context)).toThrow(unread);
				}
			}
			expect(() => claimName(claims, new ParserRuleContext())).toThrow(unread);
		});
	});
});
