/** Joins: ON over both sides; USING makes one column of two, without a qualifier, before the others. */
import { type Analysis, recordUse } from './analysis.ts';
import type { Identifier, Join } from './ast.ts';
import { contextOf, type Place } from './context.ts';
import { influence, merge, raise } from './lineage.ts';
import { demandNoneOf } from './placement.ts';
import { invalid, refusal, ticked } from './refuse.ts';
import { markRead, resolveExpression } from './resolve-expression.ts';
import type { Offered } from './resolve-source.ts';
import { matches, type ScopeField } from './scope.ts';

export function resolveJoin(a: Analysis, left: Offered, right: Offered, join: Join, place: Place): Offered {
	demandLateral(join);
	if (join.using !== null) return resolveUsing(a, left, right, join, join.using);
	const fields = [...left.fields, ...right.fields];
	const rows = [left.rows, right.rows];
	if (join.on !== null) {
		const scope = { kind: 'tables', fields, parent: place.parent } as const;
		demandNoneOf([join.on], 'JOIN', 'rows');
		rows.push(influence(resolveExpression(a, join.on, contextOf(scope, place, 'join')), 'join'));
	}
	return { fields, rows: merge(rows) };
}

/** As in Trino: https://trino.io/docs/current/sql/select.html#unnest */
function demandLateral({ type, right, on, using, at }: Join): void {
	if (right.kind !== 'unnest') return;
	const condition = on?.kind === 'boolean' && on.value;
	if (type !== 'cross' && !condition)
		throw invalid(on?.at ?? using?.[0]?.at ?? at, 'Join UNNEST with CROSS JOIN, or ON TRUE.');
}

function resolveUsing(a: Analysis, left: Offered, right: Offered, join: Join, names: readonly Identifier[]): Offered {
	const twice = names.find(({ text }, index) => names.findIndex((name) => name.text === text) < index);
	if (twice !== undefined) throw invalid(twice.at, `The column ${ticked(twice.text)} stands twice in USING.`);
	const pairs = names.map((name) => {
		const pair = { left: oneField(left, name), right: oneField(right, name) };
		for (const { target, lineage } of [pair.left, pair.right]) {
			markRead(a, name.at, target, 'join');
			recordUse(a, lineage, 'join', name.at);
		}
		return pair;
	});
	a.using.set(
		join,
		pairs.map((pair) => [pair.left.target, pair.right.target]),
	);
	const merged = pairs.map(
		(pair): ScopeField => ({
			...pair.left,
			qualifier: null,
			target: { kind: 'merged', left: pair.left.target, right: pair.right.target },
			lineage: raise(merge([pair.left.lineage, pair.right.lineage]), 'transformation'),
			granted: pair.left.granted && pair.right.granted,
			type: pair.left.type ?? pair.right.type,
			relation: null,
		}),
	);
	const taken = new Set(pairs.flatMap((pair) => [pair.left, pair.right]));
	const others = [...left.fields, ...right.fields].filter((field) => !taken.has(field));
	const joined = merged.map((field) => influence(field.lineage, 'join'));
	return { fields: [...merged, ...others], rows: merge([left.rows, right.rows, ...joined]) };
}

function oneField({ fields }: Offered, { text, at }: Identifier): ScopeField {
	const [found, second] = matches(fields, [text]);
	if (second !== undefined) throw invalid(at, `The column ${ticked(text)} is ambiguous.`);
	if (found === undefined) {
		throw refusal('column-not-found', at, `There is no column ${ticked(text)} on both sides of the join.`, {
			name: text,
		});
	}
	return found;
}
