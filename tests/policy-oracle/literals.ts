/** What policies name and compare attributes with, read from their JSON form: the values that make a difference to them. */
import type { PolicyJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';

export type Literals = {
	/** By the attribute's last name. Attributes that are compared with each other have the same ones. */
	readonly of: (attribute: string) => { readonly strings: readonly string[]; readonly longs: readonly number[] };
	readonly entities: readonly TypeAndId[];
};

type Node = { readonly [key: string]: unknown };
type Scalar = string | number;

const isNode = (json: unknown): json is Node => typeof json === 'object' && json !== null;

export function literalsOf(policies: readonly PolicyJson[]): Literals {
	const nodes = policies.flatMap(({ principal, resource, conditions }) => nodesIn({ principal, resource, conditions }));
	const pools = new Map<string, ReadonlySet<Scalar>>();
	for (const node of nodes) {
		const names = [node['left'], node['right']].flatMap(attributeRead);
		const shared = new Set(names.map((name) => pools.get(name)));
		const pool = new Set([...names.flatMap((name) => [...(pools.get(name) ?? [])]), ...scalarsIn(node)]);
		const joined = [...pools].flatMap(([name, values]) => (shared.has(values) ? name : []));
		for (const name of [...names, ...joined]) pools.set(name, pool);
	}
	const of = (attribute: string) => {
		const values = [...(pools.get(attribute) ?? [])];
		const longs = values.filter((v) => typeof v === 'number').flatMap((v) => [v - 1, v, v + 1]);
		return { strings: values.filter((v) => typeof v === 'string'), longs: [...new Set(longs)] };
	};
	const entities = nodes.flatMap((node) => [node['__entity'], node['entity']].filter(isNode));
	return { of, entities: entities as unknown as TypeAndId[] };
}

/** All objects, however deep. */
function nodesIn(json: unknown): Node[] {
	if (!isNode(json)) return [];
	return [...(Array.isArray(json) ? [] : [json]), ...Object.values(json).flatMap(nodesIn)];
}

function attributeRead(operand: unknown): string[] {
	const read = isNode(operand) ? operand['.'] : undefined;
	return isNode(read) ? [String(read['attr'])] : [];
}

/** Literals that are themselves operands: a value, a set of values; a pattern as a text that matches it. */
function scalarsIn({ left, right, pattern }: Node): Scalar[] {
	const sides = [left, right].filter(isNode).flatMap((side) => {
		const elements = Array.isArray(side['Set']) ? side['Set'] : [side];
		return elements.map((element: Node) => element['Value']);
	});
	const parts = Array.isArray(pattern) ? pattern.map((part) => (isNode(part) ? part['Literal'] : 'x')) : [];
	const texts = parts.length > 0 ? [parts.join('')] : [];
	return [...sides, ...texts].filter((v) => typeof v === 'string' || typeof v === 'number');
}
