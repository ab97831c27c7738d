/**
 * PartiQL, as far as an insert-only ledger needs it: exactly `INSERT INTO "table" VALUE {'name': ?, ...}`
 * with one parameter per attribute. It becomes a conditional PutItem on the table's hash key, which is what
 * DynamoDB's INSERT means: it fails if an item of that key is there. Source: DynamoDB guide, ql-reference.insert.
 */
import { AwsError } from '../wire.ts';

export type Insert = { readonly table: string; readonly item: Readonly<Record<string, unknown>> };

const STATEMENT = /^\s*INSERT\s+INTO\s+"([a-zA-Z0-9_.-]{3,255})"\s+VALUE\s+\{(.*)\}\s*$/is;
const ATTRIBUTE = /^\s*'((?:[^']|'')+)'\s*:\s*\?\s*(,|$)/;

export function parseInsert(statement: unknown, parameters: unknown): Insert {
	if (typeof statement !== 'string') throw invalid('Statement is required');
	const match = STATEMENT.exec(statement);
	if (match?.[1] === undefined || match[2] === undefined) {
		throw invalid(
			"Statement wasn't well formed, can't be processed: only INSERT INTO \"table\" VALUE {'name': ?, ...} is supported here",
		);
	}
	const names = attributeNames(match[2]);
	const values: unknown[] = Array.isArray(parameters) ? parameters : [];
	if (names.length !== values.length) throw invalid("Number of parameters in request and statement don't match.");
	return { table: match[1], item: Object.fromEntries(names.map((name, index) => [name, values[index]])) };
}

function attributeNames(list: string): string[] {
	const names: string[] = [];
	let rest = list;
	let more = true;
	while (more) {
		const match = ATTRIBUTE.exec(rest);
		if (match?.[1] === undefined)
			throw invalid("Statement wasn't well formed, can't be processed: every value must be a parameter");
		names.push(match[1].replaceAll("''", "'"));
		rest = rest.slice(match[0].length);
		more = match[2] === ',';
	}
	if (rest.trim() !== '') throw invalid("Statement wasn't well formed, can't be processed");
	if (new Set(names).size !== names.length) throw invalid('Duplicate attribute name in the INSERT value');
	return names;
}

function invalid(message: string): AwsError {
	return new AwsError('ValidationException', message);
}
