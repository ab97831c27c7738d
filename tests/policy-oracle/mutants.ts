/** A policy with one thing wrong: what a slip of the pen, or of an evaluator, would make of it. */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

export type Mutant = { readonly what: string; readonly policy: PolicyJson };

type Node = { readonly [key: string]: unknown };
type Json = Node | readonly unknown[] | string | number | boolean | null;
type Change = { readonly what: string; readonly json: Json };

/** Each clause negated and dropped; each `==` and `!=` exchanged; each side of `&&` and `||` dropped, and the two exchanged. */
export function mutantsOf(policy: PolicyJson): Mutant[] {
	const { conditions } = policy;
	const clauses = conditions.flatMap(({ kind, body }, at) => {
		const other = kind === 'when' ? 'unless' : 'when';
		const changed = within(body as unknown as Json).map(({ what, json }) => ({
			what: `${kind}: ${what}`,
			conditions: conditions.with(at, { kind, body: json as unknown as typeof body }),
		}));
		const negated = { what: `${kind} becomes ${other}`, conditions: conditions.with(at, { kind: other, body }) };
		return [negated, { what: `no ${kind}`, conditions: conditions.toSpliced(at, 1) }, ...changed];
	});
	return clauses.map(({ what, conditions }) => ({ what, policy: { ...policy, conditions } }));
}

/** The expression with one change, for each place and change. */
function within(json: Json): Change[] {
	if (typeof json !== 'object' || json === null) return [];
	if (Array.isArray(json)) {
		return json.flatMap((child: Json, at) => within(child).map((c) => ({ what: c.what, json: json.with(at, c.json) })));
	}
	return Object.entries(json).flatMap(([key, child]) => [
		...here(key, child as Json),
		...within(child as Json).map((c) => ({ what: c.what, json: { ...(json as Node), [key]: c.json } })),
	]);
}

const EXCHANGED: Readonly<Record<string, string>> = { '==': '!=', '!=': '==', '&&': '||', '||': '&&' };

function here(operator: string, operands: Json): Change[] {
	const other = EXCHANGED[operator];
	if (other === undefined) return [];
	const { left, right } = operands as Record<'left' | 'right', Json>;
	const exchanged = { what: `${words(left)} ${other} ${words(right)}`, json: { [other]: operands } };
	if (operator === '==' || operator === '!=') return [exchanged];
	return [
		exchanged,
		{ what: `only ${words(left)}, not ${operator} ${words(right)}`, json: left },
		{ what: `only ${words(right)}, not ${words(left)} ${operator}`, json: right },
	];
}

/** An expression as a message has it. */
function words(json: Json): string {
	const [operator, operands] = Object.entries(json ?? {})[0] ?? [];
	if (typeof json === 'string') return json;
	if (operator === undefined) return JSON.stringify(json);
	if (operator === 'Var') return String(operands);
	if (operator === 'Value' || operator === 'Set') return JSON.stringify(operands);
	const { left, right, arg, attr, entity_type: type } = operands as Record<string, Json>;
	if (operator === '.') return `${words(left ?? null)}.${words(attr ?? null)}`;
	if (arg !== undefined) return `${operator}(${words(arg)})`;
	if (left === undefined) return JSON.stringify(json);
	return `(${words(left)} ${operator} ${right === undefined ? JSON.stringify(attr ?? type) : words(right)})`;
}
