/**
 * No operation without its Cedar action: each below the API's base names one of the schema, and really asks it. That it
 * asks is shown from outside: under rules that are the same but forbid that one action to everybody, somebody whom the
 * operation served is refused.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { type Action, loadPolicies } from '#core/policy.ts';
import type { Governance } from '#functions/api/operation.ts';
import { isHandle } from '#local/people.ts';
import { operationsOf, readDocument } from '#tests/document.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { anotherInstance } from '#tests/functions/instance.ts';
import { type Case, casesOf, type Described } from './cases.ts';
import { cellOf, compose, isGranted } from './run.ts';
import type { Matrix } from './table.ts';
import { makeScene, type Scene } from './things.ts';

const at = (name: string) => readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8');
const schema = at('../../policies/schema.cedarschema');
const folder = '../../policies/global';
const files = readdirSync(fileURLToPath(new URL(folder, import.meta.url))).filter((f) => f.endsWith('.cedar'));
const texts = Object.fromEntries(files.map((f) => [basename(f, '.cedar'), at(`${folder}/${f}`)]));
const { rows } = JSON.parse(at('matrix.json')) as Matrix;
const declared = [...schema.matchAll(/action ([\w, \n]+?)\s+appliesTo/g)].flatMap(([, names = '']) =>
	names.split(/,\s*/),
);

const operations = operationsOf(await readDocument());
const governed = operations.filter(({ path }) => path.startsWith('/api/'));
const actionOf = ({ operation }: Described) => operation['x-cedar-action'] ?? 'none';

/** The same rules, but nobody may do this. */
const without = (action: string) =>
	loadPolicies(schema, {
		...texts,
		closed: `forbid (principal, action == Fairlead::Action::"${action}", resource);`,
	});

/** Takes a set of rules for each operation: for `npm run soak`, and its short form in .ci/run. */
const whole = process.env['FAIRLEAD_SOAK'] !== undefined;

let test: TestBank;
let scene: Scene;
beforeAll(async () => {
	if (!whole) return;
	test = await testBank();
	scene = makeScene(test.world);
}, 120_000);
afterAll(() => (whole ? test.close() : undefined));

/** What the case answers, under these rules, to somebody whom the committed table says it serves. */
async function answer(described: Described, one: Case, more: Parameters<typeof anotherInstance>[2]) {
	const row = rows.find((r) => r.operation === described.operation.operationId && r.on === one.on);
	const who = Object.keys(row?.answers ?? {}).find(
		(column) => isHandle(column) && isGranted(row?.answers[column] ?? ''),
	);
	if (who === undefined || !isHandle(who)) throw new Error(`${described.operation.operationId}: served to nobody`);
	const made = one.thing === null ? { id: '' } : await scene.have(one.thing);
	const { path, ...init } = await compose(scene, described, one, made);
	const call = anotherInstance(test.bank, 6000, more);
	const { status, headers, text } = await call(path.replace(/^\/api\/v1/, ''), {
		...init,
		token: await test.bank.issuer.token(who),
	});
	// A tile is bytes, which may begin like anything.
	const isJson = /json/.test(headers.get('content-type') ?? '');
	const body: unknown = isJson ? JSON.parse(text) : text;
	return { cell: cellOf(one, made, { status, body }), policies: (body as { policies?: string[] }).policies };
}

describe('every operation below the base', () => {
	it('names its Cedar action: one without does not compile', () => {
		expectTypeOf<Governance['action']>().toEqualTypeOf<Action>();
		expect(governed.filter((o) => actionOf(o) === 'none').map((o) => o.operation.operationId)).toEqual([]);
	});

	it('names an action of the schema', () => {
		expect(governed.map(actionOf).filter((action) => !declared.includes(action))).toEqual([]);
	});

	it('and no other operation stands behind sign-in or names an action', () => {
		const others = operations.filter((o) => !governed.includes(o));
		expect(others.filter((o) => actionOf(o) !== 'none' || o.operation.security.length > 0)).toEqual([]);
		expect(governed.filter((o) => o.operation.security.length === 0)).toEqual([]);
	});
});

describe.runIf(whole)('every operation asks its action: forbidden, it serves nobody', () => {
	it.each(governed.map((o) => [o.operation.operationId, actionOf(o), o] as const))(
		'%s: %s',
		async (_, action, described) => {
			const policies = without(action);
			for (const one of casesOf(described)) {
				const refused = await answer(described, one, { policies });
				expect([one.on, refused.cell]).toEqual([
					one.on,
					expect.stringMatching(/^(403 not-permitted|404 not-found|200 not listed)$/),
				]);
				if (refused.cell.startsWith('403')) expect(refused.policies).toEqual(['closed']);
				const served = await answer(described, one, {});
				expect([one.on, isGranted(served.cell)]).toEqual([one.on, true]);
				if (described.method !== 'get' && one.thing !== null) scene.spend(one.thing);
			}
		},
	);
});
