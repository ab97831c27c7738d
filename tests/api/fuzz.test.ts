/**
 * Each field of each operation, tried with what it is not: no 5xx, an answer that the document knows, nothing taken
 * that the document does not allow, and nothing left behind by what was refused.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Document, type Json, operationsOf, readDocument } from '#tests/document.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { ofPastEmergencies, policiesWithout } from '#tests/policies-without.ts';
import { arrangements, type Fuzzed } from './fuzz/arrange.ts';
import { type Case, footprint, oracle, send, type Target } from './fuzz/run.ts';
import { inAddress, inHeader, insteadOf, type Pointer, placesOf, replaced, valueAt } from './fuzz/values.ts';

const { FAIRLEAD_SOAK: level } = process.env;
/** `npm run soak` tries all, its short form one in so many, the same ones each time. */
const EVERY = level === 'whole' ? 1 : 3;

const document: Document = await readDocument();
const targets: readonly Target[] = operationsOf(document);
const allows = oracle(document);
const writing = targets.filter((t) => t.operation.requestBody !== undefined);

let test: TestBank;
/** One officer takes many emergencies in a row. */
const rules = policiesWithout(ofPastEmergencies);

beforeAll(async () => {
	const settings = { FAIRLEAD_CALLS_PER_MINUTE: '1000000', FAIRLEAD_POLICIES: rules.folder };
	test = await testBank({ settings });
}, 120_000);
afterAll(async () => {
	await test.close();
	rules.remove();
});

function arrange({ operation }: Target): Promise<Fuzzed> {
	const make = arrangements[operation.operationId];
	if (make === undefined) throw new Error(`no valid call of ${operation.operationId} to begin with`);
	return make(test, operation.requestBody?.content['application/json']?.example);
}

type Attempt = (valid: Fuzzed) => Case;

/** Tries every case; what is taken may change things, and then a new valid call is made to go on with. */
async function tryAll(target: Target, attemptsOf: (valid: Fuzzed) => readonly Attempt[]): Promise<void> {
	let valid = await arrange(target);
	let before = await footprint(test);
	const faults: string[] = [];
	for (const attempt of attemptsOf(valid).filter((_, i) => i % EVERY === 0)) {
		const { status, fault } = await send(test, target, valid, attempt(valid));
		if (fault !== null) faults.push(fault);
		if (status === 0 || status >= 400 || !changes(target)) continue;
		valid = await arrange(target);
		before = await footprint(test);
	}
	expect(faults).toEqual([]);
	expect(await footprint(test)).toEqual(before);
}

/** Whoever reads the last page of a result leaves a record of that, too; so do regulators, of whatever they read. */
const recorded = [
	'getQueryResults',
	'listLedgerEntries',
	'getEntryBundle',
	'verifyLedger',
	'listErasures',
	'getReport',
	'getReportContent',
];
const changes = ({ method, operation }: Target) => method !== 'get' || recorded.includes(operation.operationId);

const short = (value: unknown) => {
	const text = JSON.stringify(value) ?? 'nothing';
	return text.length > 80 ? `${text.slice(0, 80)}... (${text.length})` : text;
};

describe('every operation', () => {
	it('has a valid call to begin with, and that is taken', async () => {
		for (const target of targets) {
			const outcome = await send(test, target, await arrange(target), { label: target.operation.operationId });
			expect({ ...outcome, of: target.operation.operationId }).toMatchObject({
				fault: null,
				status: expect.any(Number),
			});
			expect(outcome.status, target.operation.operationId).toBeLessThan(300);
		}
		expect(Object.keys(arrangements).toSorted()).toEqual(targets.map((t) => t.operation.operationId).toSorted());
	}, 120_000);
});

describe('each part of an address', () => {
	const withParams = targets.filter((t) => t.path.includes('{'));
	it.each(withParams.map((t) => [t.operation.operationId, t] as const))(
		'of %s',
		async (_, target) => {
			const parameters = target.operation.parameters ?? [];
			const attemptsOf = ({ params = {} }: Fuzzed) =>
				parameters.flatMap((p, index): Attempt[] => {
					if (p.in !== 'path') return [];
					return inAddress(params[p.name] ?? '').map((text) => () => ({
						label: `${p.name} ${short(text)}`,
						params: { [p.name]: text },
						// Nothing between two slashes is another address.
						...(text === '' ? {} : { valid: allows.parameter(target, index, decoded(text)) }),
					}));
				});
			await tryAll(target, attemptsOf);
		},
		60_000,
	);

	const governed = targets.filter((t) => t.path.startsWith('/api/v1/'));
	it.each(governed.map((t) => [t.operation.operationId, t] as const))(
		'the query of %s, unknown and repeated parameters',
		async (_, target) => {
			const parameters = target.operation.parameters ?? [];
			const cases = parameters.flatMap((p, index): Case[] => {
				if (p.in !== 'query') return [];
				const name = encodeURIComponent(p.name);
				const sample = sampleOf(p.schema);
				const tried = [...inAddress(sample), '1e1', '0x10', '1.0', '+5', '5,6', '99999999999999999999', '[]'];
				return [
					...tried.map((text) => ({
						label: `${p.name}=${short(text)}`,
						search: `?${name}=${text}`,
						valid: allows.parameter(target, index, decoded(text.replaceAll('+', ' '))),
					})),
					...[`${name}=${sample}&${name}=${sample}`, `${name}[]=${sample}`, `${name}[x]=${sample}`].map((query) => ({
						label: query,
						search: `?${query}`,
						valid: false,
					})),
				];
			});
			const unknown = [
				'unknown=1',
				'page_size=5',
				'PageSize=5',
				'__proto__=1',
				'constructor=1',
				'=1',
				'%00=1',
				'%ff',
				'dry_run=true',
			];
			const others = unknown.map((query) => ({ label: query, search: `?${query}`, valid: false }));
			const empty = ['?', '?&', '?&&'].map((search) => ({ label: search, search }));
			const all = [...cases, ...others, ...(target.method === 'get' ? empty : [])];
			await tryAll(target, () => all.map((tried) => () => tried));
		},
		60_000,
	);
});

/** A text that the schema allows. */
function sampleOf(schema: Json = {}): string {
	const { enum: values, minimum } = schema as { enum?: readonly string[]; minimum?: number };
	return values?.[0] ?? (minimum === undefined ? 'risk' : String(minimum));
}

/** As the server decodes it: what cannot be decoded stays as it is. */
function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

describe('each header', () => {
	/** Headers that no operation names are the same to all of them. */
	const general = ['getMe', 'getReportContent', 'getHealth'];
	const names = ['if-match', 'traceparent', 'accept', 'accept-language', 'origin', 'x-forwarded-host', 'range'];
	const some = targets.filter((t) => ownHeaders(t).length > 0 || general.includes(t.operation.operationId));
	it.each(some.map((t) => [t.operation.operationId, t] as const))(
		'of %s',
		async (_, target) => {
			const list = target.method === 'get' ? names : ownHeaders(target);
			const cases = list.flatMap((name) =>
				inHeader.map((value) => ({ label: `${name}: ${short(value)}`, headers: { [name]: value } })),
			);
			await tryAll(target, () => cases.map((tried) => () => tried));
		},
		60_000,
	);

	it('of a token: none but a whole one is taken, anywhere', async () => {
		const token = await test.bank.issuer.token('alice');
		const wrong = [
			'',
			'Bearer',
			'Bearer ',
			`Bearer  ${token}`,
			`Basic ${token}`,
			token,
			`Bearer ${token}, Bearer ${token}`,
			`Bearer ${token} x`,
		];
		const before = await footprint(test);
		for (const target of targets.filter((t) => t.path.startsWith('/api/v1/'))) {
			const valid = { ...(await reading(target)), who: null };
			const outcomes = [];
			for (const authorization of [...wrong, `Bearer ${'x'.repeat(7000)}`, `Bearer ${token.slice(0, -3)}`]) {
				outcomes.push(await send(test, target, valid, { label: short(authorization), headers: { authorization } }));
			}
			expect(outcomes.filter((o) => o.status !== 401)).toEqual([]);
		}
		expect(await footprint(test)).toEqual(before);
	}, 60_000);
});

const ownHeaders = ({ operation }: Target) =>
	(operation.parameters ?? []).filter((p) => p.in === 'header').map((p) => p.name);

/** A call that need not be valid, and makes nothing. */
const reading = ({ operation }: Target): Promise<Fuzzed> =>
	Promise.resolve({
		who: 'alice',
		params: { id: 'risk' },
		body: operation.requestBody?.content['application/json']?.example,
	});

describe('each field of a body', () => {
	it.each(writing.map((t) => [t.operation.operationId, t] as const))(
		'of %s',
		async (_, target) => {
			const attemptsOf = ({ body }: Fuzzed) =>
				placesOf(body)
					.flatMap((at) => insteadOf(valueAt(body, at)).map((by) => ({ at, by })))
					.map(
						({ at, by }): Attempt =>
							(valid) =>
								bodyCase(target, valid, at, by),
					);
			await tryAll(target, attemptsOf);
		},
		3_600_000,
	);

	it.each(writing.map((t) => [t.operation.operationId, t] as const))(
		'of %s: all that its schema names is tried',
		async (_, target) => {
			const schema = target.operation.requestBody?.content['application/json']?.schema;
			const { body } = await arrange(target);
			const tried = new Set(placesOf(body).map((at) => at.filter((part) => part !== 0).join('/')));
			expect(namesOf(schema).filter((name) => !tried.has(name))).toEqual([]);
		},
	);
});

function bodyCase(target: Target, { body }: Fuzzed, at: Pointer, by: unknown): Case {
	const raw = JSON.stringify(replaced(body, at, by)) ?? '';
	return { label: `/${at.join('/')} ${short(by)}`, raw, valid: raw !== '' && allows.body(target, JSON.parse(raw)) };
}

/** The names that a schema has, each with those above it. */
function namesOf(schema: Json | undefined, above: readonly string[] = []): string[] {
	const ref = schema?.['$ref'];
	if (typeof ref === 'string') return namesOf(document.components.schemas[ref.split('/').at(-1) ?? ''], above);
	const inner = Object.entries((schema?.['properties'] ?? {}) as Record<string, Json>);
	const own = inner.flatMap(([name, s]) => [[...above, name].join('/'), ...namesOf(s, [...above, name])]);
	return [...own, ...(schema?.['items'] === undefined ? [] : namesOf(schema['items'] as Json, above))];
}

describe('a body as a whole', () => {
	const json = 'application/json';
	const texts: readonly (readonly [what: string, body: string])[] = [
		['nothing', ''],
		['blanks', ' \n'],
		['half of an object', '{"product":'],
		['two objects', '{}{}'],
		['a name twice', '{"verdict":"approve","verdict":"reject","reason":1,"reason":"x"}'],
		['a comment', '/* */{}'],
		['NaN', 'NaN'],
		['a number beyond all', '1e999999'],
		['depth', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
		['depth in objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
		['a byte order mark', '\ufeff{}'],
		['NUL', '\u0000'],
		['more than a megabyte', `"${'x'.repeat(1024 * 1024)}"`],
		['many members', `{${Array.from({ length: 50_000 }, (_, i) => `"m${i}":${i}`).join(',')}}`],
	];
	const yaml = [
		[
			'aliases that multiply',
			`a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.replaceAll(/./g, (c) => `${c}: &${c} [${`*${String.fromCharCode(c.charCodeAt(0) - 1)},`.repeat(9)}]\n`)}`,
		],
		['an alias of itself', 'a: &a [*a]'],
		['a tag', '!!js/function "function(){}"'],
		['a merge key', 'a: &a {x: 1}\n<<: *a'],
		['a prototype', '__proto__: {admin: true}\nconstructor: 1'],
		['a key twice', 'kind: a\nkind: b'],
		['a key that is a list', '? [a, b]\n: c'],
		['two documents', 'a: 1\n---\na: 2'],
		['depth', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
		['an endless quote', 'a: "'],
		['tabs', 'a:\n\t- b'],
		['NUL', 'a: \u0000'],
		['a scalar', 'text'],
	] as const;

	it.each(writing.map((t) => [t.operation.operationId, t] as const))(
		'of %s: malformed, huge, deep, of another type',
		async (name, target) => {
			const types = [
				'text/plain',
				'application/xml',
				'application/vnd.fairlead+json',
				'multipart/form-data; boundary=x',
				'application/x-www-form-urlencoded',
				`${json}, ${json}`,
				'*/*',
				'x',
				`${json}x`,
			];
			const raw = JSON.stringify((await arrange(target)).body);
			const cases: Case[] = [
				...texts.map(([label, body]) => ({ label, raw: body, valid: false })),
				{ label: 'no UTF-8', raw: new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), valid: false },
				{ label: 'UTF-16', raw: new Uint8Array(Buffer.from(raw, 'utf16le')), valid: false },
				...types.map((type) => ({ label: type, raw, headers: { 'content-type': type }, valid: false })),
				{ label: 'compressed, it says', raw, headers: { 'content-encoding': 'gzip' }, valid: false },
				...(name === 'putDataProduct'
					? yaml.map(([label, body]) => ({
							label,
							raw: body,
							headers: { 'content-type': 'application/yaml' },
							valid: false,
						}))
					: []),
			];
			await tryAll(target, () => cases.map((tried) => () => tried));
		},
		60_000,
	);

	it('of chance bytes, and of chance JSON', async () => {
		const before = await footprint(test);
		const bytes = fc.uint8Array({ maxLength: 200 }).map((b) => new Uint8Array(b));
		const values = fc.jsonValue({ maxDepth: 4 }).map((v) => JSON.stringify(v));
		await fc.assert(
			fc.asyncProperty(fc.constantFrom(...writing), fc.oneof(bytes, values), async (target, raw) => {
				const outcome = await send(test, target, await reading(target), {
					label: target.operation.operationId,
					raw,
					valid: false,
				});
				expect(outcome.fault).toBeNull();
			}),
			{ seed: 20_261_121, numRuns: 150 },
		);
		expect(await footprint(test)).toEqual(before);
	}, 60_000);

	it('of an operation that takes none is not looked at, but for its size', async () => {
		const target = targets.find((t) => t.operation.operationId === 'cancelRequest');
		if (target === undefined) throw new Error('no operation without a body');
		const valid = { who: 'alice', params: { id: 'req_01M7YD5PDNN5AS78V66SC2NX1W' } } as const;
		const statusOf = async (raw: string) => (await send(test, target, valid, { label: 'body', raw })).status;
		expect(await statusOf('{"extra":')).toBe(404);
		expect(await statusOf('x'.repeat(1024 * 1024 + 1))).toBe(413);
	});
});

describe('a registration that was not seen first', () => {
	it.each([
		[428, {}],
		[412, { 'if-match': '"99"' }],
	] as const)('%i: its new members get no pseudonym', async (status, headers) => {
		const target = targets.find((t) => t.operation.operationId === 'putDomain');
		if (target === undefined) throw new Error('no operation to register a domain with');
		expect((await send(test, target, await arrange(target), { label: 'first' })).status).toBeLessThan(300);
		const { who, params = {}, body } = await arrange(target);
		const members = [{ issuer: 'https://id.bank.example', subject: `u-new-${status}`, roles: ['owner'] }];
		const before = await footprint(test);
		const raw = JSON.stringify({ ...(body as object), members });
		expect(await send(test, target, { who, params, headers }, { label: 'new', raw })).toEqual({ status, fault: null });
		expect(await footprint(test)).toEqual(before);
	});
});
