/**
 * Every operation as every role, against a running bank, compared with the committed table (security case B02).
 * `npm run matrix` rewrites the table and its page after a change that is meant.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roles } from '#core/context.ts';
import { type Document, operationsOf, readDocument } from '#tests/document.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { casesOf, special } from './cases.ts';
import { columns, describeColumns, NOBODY } from './columns.ts';
import { isGranted, type Outcome, runMatrix } from './run.ts';
import { type Matrix, toJson, toMarkdown } from './table.ts';
import { makeScene } from './things.ts';

/** A quarter of the tests' time: for `npm run soak`, its short form in .ci/run, and `npm run matrix`. */
const whole = process.env['FAIRLEAD_SOAK'] !== undefined;

let test: TestBank;
let document: Document;
let outcome: Outcome;
let matrix: Matrix;

beforeAll(async () => {
	if (!whole) return;
	document = await readDocument();
	test = await testBank();
	outcome = await runMatrix(test, makeScene(test.world), document);
	matrix = { columns: describeColumns(test.world), rows: outcome.rows };
}, 600_000);

afterAll(() => (whole ? test.close() : undefined));

const granted = (column: string) =>
	outcome.rows.filter((r) => isGranted(r.answers[column] ?? '')).map((r) => r.operation);

describe.skipIf(!whole)('the role matrix', () => {
	it('is what the bank answers', async () => {
		await expect(toJson(matrix)).toMatchFileSnapshot('matrix.json');
	});

	it('has a page for people that says the same', async () => {
		await expect(toMarkdown(matrix)).toMatchFileSnapshot('../../docs/role-matrix.md');
	});

	it('has every operation of the document, and names none that is not in it', () => {
		const operations = operationsOf(document);
		const known = operations.map((o) => o.operation.operationId);
		expect(Object.keys(special).filter((id) => !known.includes(id))).toEqual([]);
		expect(operations.filter((o) => casesOf(o).length === 0)).toEqual([]);
		expect([...new Set(outcome.rows.map((r) => r.operation))]).toEqual(known);
	});

	it('has somebody in each role', () => {
		const held = Object.values(matrix.columns).join(', ');
		expect(roles.filter((role) => !held.includes(`${role} of `))).toEqual([]);
	});
});

describe.skipIf(!whole)('whoever is refused', () => {
	it('leaves ledger, payloads, listings and Lake Formation as they were', () => {
		expect(outcome.traces).toEqual([]);
	});

	it('cannot tell what he may not see from what does not exist, by any operation on it', () => {
		expect(outcome.tellings).toEqual([]);
	});
});

describe.skipIf(!whole)('roles', () => {
	const open = () =>
		operationsOf(document)
			.map((o) => o.operation)
			.filter((o) => o.security.length === 0);

	it('without a token, only what the document calls open is answered', () => {
		expect(new Set(granted(NOBODY))).toEqual(new Set(open().map((o) => o.operationId)));
		const refused = outcome.rows.filter((r) => r.action !== null).map((r) => r.answers[NOBODY]);
		expect(new Set(refused)).toEqual(new Set(['401 invalid-token']));
	});

	it('whom no domain registered may ask who he is, and check the log, which holds hashes, and nothing else', () => {
		const own = granted('nick').filter((id) => !open().some((o) => o.operationId === id));
		expect(own).toEqual(['getMe', 'getCheckpoint', 'getTile', 'getConsistency']);
	});

	it('every operation serves somebody, and no role serves for everything', () => {
		const all = outcome.rows.map((r) => `${r.operation}, ${r.on}`);
		const served = outcome.rows.filter((r) => Object.values(r.answers).some(isGranted));
		expect(served.map((r) => `${r.operation}, ${r.on}`)).toEqual(all);
		expect(columns.filter((c) => granted(c).length === all.length)).toEqual([]);
	});

	it('no answer is a failure', () => {
		const failed = outcome.rows.flatMap((r) => Object.values(r.answers).filter((cell) => cell.startsWith('5')));
		expect(failed).toEqual([]);
	});
});
