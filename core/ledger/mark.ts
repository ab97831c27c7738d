/**
 * Who put a line of a listing, which the line says itself: so a process that stood still, and comes with an entry of long
 * ago, takes nothing off that a later entry has put there meanwhile. Pure.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Mark = {
	/** Version of the entry, in its stream. */
	readonly ver?: number | undefined;
	/** Leaf of the entry: of lines that the entry of another stream takes off, which names it. */
	readonly by?: string | undefined;
};

/** Without a mark it is no entry's: whoever has just read the stream puts it, or takes it off. */
export type Projection = Mark & { readonly op: 'put' | 'delete'; readonly pk: string; readonly sk: string };

/** Whether a line that is there is left as it is: a later entry put it, or another one than the one that is to go. */
export function stays(there: Mark, { op, ver, by }: Projection): boolean {
	if (there.ver !== undefined && ver !== undefined && (op === 'put' ? there.ver > ver : there.ver >= ver)) return true;
	return op === 'delete' && there.by !== undefined && by !== undefined && there.by !== by;
}

const COMPARED: Record<Projection['op'], readonly (readonly ['ver' | 'by', string])[]> = {
	put: [['ver', '<=']],
	delete: [
		['ver', '<'],
		['by', '='],
	],
};

/** That {@link stays} does not hold of what is there, as a condition of the store. */
export function conditionOf(line: Projection) {
	const mark = attributesOf(line);
	const given = COMPARED[line.op].flatMap(([name, sign]) => {
		const value = mark[name];
		return value === undefined ? [] : [{ name, sign, value }];
	});
	if (given.length === 0) return {};
	const parts = given.map(({ name, sign }) => `(attribute_not_exists(#${name}) OR #${name} ${sign} :${name})`);
	return {
		ConditionExpression: parts.join(' AND '),
		ExpressionAttributeNames: Object.fromEntries(given.map(({ name }) => [`#${name}`, name])),
		ExpressionAttributeValues: Object.fromEntries(given.map(({ name, value }) => [`:${name}`, value])),
	};
}

export function attributesOf({ ver, by }: Mark): { readonly ver?: AttributeValue; readonly by?: AttributeValue } {
	return { ...(ver === undefined ? {} : { ver: { N: String(ver) } }), ...(by === undefined ? {} : { by: { S: by } }) };
}

export function markOf({ ver, by }: Record<string, AttributeValue>): Mark {
	return { ver: ver?.N === undefined ? undefined : Number(ver.N), by: by?.S };
}
