/**
 * Runs the role matrix against a bank: every case of every operation as every column. Besides the answers it collects
 * what must not be: a refusal that left something behind, and one that tells a hidden thing from an absent one.
 */
import type { Answer } from '#local/story/client.ts';
import { type Document, operationsOf } from '#tests/document.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { type Case, casesOf, type Described } from './cases.ts';
import { type Column, columns, NOBODY } from './columns.ts';
import type { Made, Scene } from './things.ts';

export type Row = {
	readonly operation: string;
	readonly action: string | null;
	readonly on: string;
	/** By column: the status, the problem's code, and for a list whether it shows the thing. */
	readonly answers: Readonly<Record<string, string>>;
};

export type Outcome = { readonly rows: readonly Row[]; readonly traces: string[]; readonly tellings: string[] };

/** Parameters that every product of the sample bank answers to. */
const usual: Readonly<Record<string, string>> = { version: '1.0.0', since: '1.0.0' };

export type Sent = {
	readonly path: string;
	readonly method: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body?: string;
};

/** The call of a case: address, parameters and body as the document has them. */
export async function compose(scene: Scene, { method, path, operation }: Described, one: Case, made: Made) {
	const content = operation.requestBody?.content;
	const { params = {}, body } = await one.parts(made, scene, content?.['application/json']?.example);
	const search = new URLSearchParams();
	const headers: Record<string, string> = {};
	let address = path;
	for (const { name, in: place, required } of operation.parameters ?? []) {
		const value = place === 'header' && name === 'if-match' ? made.etag : (params[name] ?? usual[name]);
		if (value === undefined && required === true) throw new Error(`${operation.operationId} needs ${name}`);
		if (value === undefined) continue;
		if (place === 'path') address = address.replace(`{${name}}`, encodeURIComponent(value));
		if (place === 'query') search.set(name, value);
		if (place === 'header') headers[name] = value;
	}
	const text =
		content === undefined || body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
	if (text !== undefined) headers['content-type'] = typeof body === 'string' ? 'application/yaml' : 'application/json';
	const query = search.size === 0 ? '' : `?${search.toString()}`;
	return {
		path: `${address}${query}`,
		method: method.toUpperCase(),
		headers,
		...(text === undefined ? {} : { body: text }),
	};
}

async function send({ bank }: TestBank, column: Column, { path, headers, ...init }: Sent): Promise<Answer> {
	const token = column === NOBODY ? {} : { authorization: `Bearer ${await bank.issuer.token(column)}` };
	const answer = await fetch(`${bank.api}${path}`, { ...init, headers: { ...headers, ...token } });
	const text = await answer.text();
	const isJson = /json/.test(answer.headers.get('content-type') ?? '');
	return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text, curl: '' };
}

/** What the cell says. */
export function cellOf(one: Case, made: Made, { status, body }: Pick<Answer, 'status' | 'body'>): string {
	if (status >= 300) return `${status} ${(body as { code?: string }).code}`;
	if (one.lists === undefined) return String(status);
	return `${status} ${JSON.stringify(body).includes(`"${made.id}"`) ? '' : 'not '}listed`;
}

/** Whether the caller did, or was shown, what the case is about. */
export const isGranted = (cell: string) => cell.startsWith('2') && !cell.endsWith('not listed');

const reads = new Set(['GetItemCommand', 'BatchGetItemCommand', 'QueryCommand', 'ScanCommand', 'DescribeTableCommand']);

/** Everything that a refusal must leave alone: what was written to any table but that of the calls, and Lake Formation. */
function watch({ bank }: TestBank): () => string {
	const { aws, config } = bank.platform;
	let writes = 0;
	aws.dynamodb.middlewareStack.add(
		(next, { commandName = '' }) =>
			(args) => {
				const { TableName, Parameters } = args.input as { TableName?: string; Parameters?: { S?: string }[] };
				// That a supervisor learned something by a refusal is recorded.
				const looked = Parameters?.[0]?.S?.startsWith('A#reading#') === true;
				if (!reads.has(commandName) && TableName !== config.tables.calls && !looked) writes += 1;
				return next(args);
			},
		{ step: 'initialize' },
	);
	return () => JSON.stringify([writes, bank.aws.lakeFormationState()]);
}

const ofTheCall = new Set(['date', 'x-request-id', 'traceparent', 'ratelimit']);

/** An answer without what differs from call to call. */
function comparable({ status, headers, body }: Answer): string {
	const names = [...headers].map(([name, value]) => [name, ofTheCall.has(name) ? '' : value]);
	const told = typeof body === 'object' ? { ...body, instance: '', traceId: '' } : body;
	return JSON.stringify([status, names, told]);
}

type Tried = {
	readonly described: Described;
	readonly one: Case;
	readonly row: Row;
	/** The answers of those who were refused. */
	readonly refusals: ReadonlyMap<Column, string>;
};

export async function runMatrix(test: TestBank, scene: Scene, document: Document): Promise<Outcome> {
	const traces: string[] = [];
	const tried: Tried[] = [];
	const stored = watch(test);
	for (const described of operationsOf(document)) {
		for (const one of casesOf(described)) {
			const { operationId: operation, 'x-cedar-action': action = null } = described.operation;
			const answers: Record<string, string> = {};
			const refusals = new Map<Column, string>();
			for (const column of columns) {
				const made = one.thing === null ? { id: '' } : await scene.have(one.thing);
				const call = await compose(scene, described, one, made);
				const before = stored();
				const answer = await send(test, column, call);
				const cell = cellOf(one, made, answer);
				answers[column] = cell;
				if (isGranted(cell) && call.method !== 'GET' && one.thing !== null) scene.spend(one.thing);
				if (isGranted(cell)) continue;
				refusals.set(column, comparable(answer));
				if (stored() !== before) traces.push(`${operation}, ${one.on}, ${column}`);
			}
			tried.push({ described, one, row: { operation, action, on: one.on, answers }, refusals });
		}
	}
	return { rows: tried.map(({ row }) => row), traces, tellings: await tellings(test, scene, tried) };
}

/** Who may not see a thing, and yet can tell it from one that does not exist: by any operation on it. */
async function tellings(test: TestBank, scene: Scene, tried: readonly Tried[]): Promise<string[]> {
	const found: string[] = [];
	for (const { described, one, row, refusals } of tried) {
		const { thing } = one;
		if (thing === null) continue;
		const showing = tried.filter((t) => t.row.operation === thing.seenBy);
		const shown = showing.find((t) => t.one.thing === thing) ?? showing[0];
		if (shown === undefined) throw new Error(`${thing.name}: no case of ${thing.seenBy}`);
		const made = await scene.have(thing);
		const nothing = { ...made, id: thing.absent };
		const named = JSON.stringify(await compose(scene, described, one, made));
		for (const column of shown.refusals.keys()) {
			const call = await compose(scene, described, one, nothing);
			// A list of the caller's own asks after nothing, so there is nothing to ask after instead.
			if (JSON.stringify(call) === named) continue;
			const absent = await send(test, column, call);
			if (comparable(absent) !== refusals.get(column)) found.push(`${row.operation}, ${one.on}, ${column}`);
		}
	}
	return found;
}
