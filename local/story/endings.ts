/** Steps 10 to 12: access ends on time, and everything can be checked afterwards. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { parse as parseCsv } from 'csv-parse/sync';
import * as z from 'zod';
import * as Grants from '#core/grants.ts';
import * as Report from '#core/report.ts';
import type { Handle } from '#local/people.ts';
import { COLUMNS, LOANS, ROW_FILTER } from './access.ts';
import { lakeFormation } from './aws.ts';
import {
	approve,
	ask,
	contractOf,
	domainOf,
	expectBody,
	expectProblem,
	ownerOf,
	query,
	type Step,
	startQuery,
	type World,
} from './world.ts';

async function standingFilters(world: World): Promise<string[]> {
	const found: string[] = [];
	for (const { contract } of world.contracts) {
		for (const table of contract.tables) {
			const filters = await lakeFormation(world.bank, table.account).filters(table);
			found.push(...filters.map((f) => f.Name ?? ''));
		}
	}
	return found;
}

/** What any principal holds anywhere, but for what its account gave it before there was any grant. */
function heldByPrincipals(world: World) {
	const principals = new Set(world.domains.flatMap((d) => d.principals.map((p) => p.arn)));
	return world.bank.aws.lakeFormationState().permissions.filter((p) => principals.has(p.principal));
}

export const revokeRefused: Step = {
	name: 'revoke-refused',
	tells: 'revoked: the next query is refused at once; Lake Formation holds nothing after the sweep',
	async run(world) {
		for (const grant of world.made.grants) {
			const answer = await world.call({
				who: ownerOf(world, domainOf(grant.product)),
				method: 'POST',
				path: `/api/v1/grants/${grant.id}/revoke`,
				body: { reason: 'The review is over' },
			});
			const { state } = expectBody(answer, 202, Grants.GrantView);
			assert.ok(['revoking', 'revoked'].includes(state), state);
		}
		const refused = await startQuery(world, 'SELECT * FROM lending.loans');
		world.show(refused.curl);
		const problem = expectBody(refused, 403, z.looseObject({ code: z.string(), detail: z.string() }));
		assert.ok(['grant-revoked', 'table-not-granted'].includes(problem.code), problem.code);
		await world.bank.sweep();
		assert.deepEqual(await standingFilters(world), []);
		assert.deepEqual(heldByPrincipals(world), []);
		for (const { id } of world.made.grants) {
			const grant = expectBody(await world.call({ who: 'alice', path: `/api/v1/grants/${id}` }), 200, Grants.GrantView);
			assert.equal(grant.state, 'revoked');
		}
		world.say(problem.detail);
	},
};

export const expireRefused: Step = {
	name: 'expire-refused',
	tells: 'a grant of ten seconds ends by the clock, before any sweep; the sweep takes it out of Lake Formation',
	async run(world) {
		const purpose = 'model-validation';
		const asked = await ask(world, {
			product: LOANS,
			columns: COLUMNS,
			rowFilter: ROW_FILTER,
			purpose,
			duration: 'PT10S',
		});
		const grant = await approve(world, asked);
		const before = await query(world, 'SELECT loan_id FROM lending.loans', purpose);
		await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(grant.until) - Date.now()) + 1));
		const refused = await startQuery(world, 'SELECT loan_id FROM lending.loans', purpose);
		world.show(refused.curl);
		const problem = expectProblem(refused, 403, 'grant-expired');
		const results = await world.call({ who: 'alice', path: `/api/v1/queries/${world.made.flows.at(-1)}/results` });
		expectProblem(results, 403, 'grant-expired');
		assert.equal((await standingFilters(world)).length, 1, 'a sweep ran before the gate was asked');
		await world.bank.sweep();
		assert.deepEqual(await standingFilters(world), []);
		assert.deepEqual(heldByPrincipals(world), []);
		const ended = await world.call({ who: 'alice', path: `/api/v1/grants/${grant.id}` });
		assert.equal(expectBody(ended, 200, Grants.GrantView).state, 'expired');
		world.say(`${before.rows.length} rows before, then: ${problem.detail}`);
	},
};

const Entries = z.object({
	entries: z.array(z.object({ stream: z.string(), version: z.int(), leaf: z.string(), bytes: z.base64() })),
	nextPageToken: z.string().nullable(),
});
const Verification = z.object({ ok: z.boolean(), streams: z.int(), entries: z.int(), findings: z.array(z.unknown()) });
const Envelope = z.looseObject({ type: z.string(), stream: z.string(), ver: z.int(), prev: z.string().optional() });

export const ledgerVerify: Step = {
	name: 'ledger-verify',
	tells: 'every step is in the ledger; hashes and chains are recomputed here from the bytes alone',
	async run(world) {
		const types = new Map<string, string[]>();
		let previous = '';
		let count = 0;
		let pages = 0;
		let token: string | null = null;
		do {
			const next: string = token === null ? '' : `&pageToken=${encodeURIComponent(token)}`;
			const answer = await world.call({ who: 'rita', path: `/api/v1/ledger/entries?pageSize=100${next}` });
			const page = expectBody(answer, 200, Entries);
			pages += 1;
			for (const { stream, version, leaf, bytes } of page.entries) {
				const raw = Buffer.from(bytes, 'base64');
				const entry = Envelope.parse(JSON.parse(raw.toString('utf8')));
				const seen = types.get(stream) ?? [];
				assert.equal(createHash('sha256').update(Buffer.of(0)).update(raw).digest('hex'), leaf);
				// That she reads is recorded, too: of these, later pages show some.
				if (entry.type === 'RecordsRead') continue;
				assert.deepEqual([entry.stream, entry.ver, version], [stream, seen.length + 1, seen.length + 1]);
				assert.equal(entry.prev, seen.length === 0 ? undefined : previous);
				types.set(stream, [...seen, entry.type]);
				previous = leaf;
				count += 1;
			}
			token = page.nextPageToken;
		} while (token !== null);
		everyStep(world, types);
		const verification = await world.call({ who: 'rita', path: '/api/v1/ledger/verification' });
		world.show(verification.curl);
		const own = expectBody(verification, 200, Verification);
		const readings = own.entries - count;
		assert.deepEqual([own.ok, own.streams - types.size], [true, readings], 'each reading is a stream of its own');
		assert.ok(readings >= pages, `${pages} pages were read, and ${readings} readings recorded`);
		expectProblem(await world.call({ who: 'alice', path: '/api/v1/ledger/entries' }), 403, 'not-permitted');
		world.say(`${count} entries in ${types.size} streams`);
	},
};

function everyStep(world: World, types: ReadonlyMap<string, readonly string[]>): void {
	for (const { id } of world.domains) assert.deepEqual(types.get(`A#domain#${id}`), ['DomainRegistered']);
	for (const { contract } of world.contracts) {
		assert.deepEqual(types.get(`A#product#${contract.product}`), ['ContractPublished']);
	}
	for (const { id, request } of world.made.grants) {
		assert.deepEqual(types.get(`A#request#${request}`), ['AccessRequested', 'AccessDecided']);
		assert.deepEqual(types.get(`A#grant#${id}`), ['GrantOpened', 'GrantSettled', 'GrantEnding', 'GrantEnded']);
	}
	for (const id of [...world.made.flows, ...world.made.others]) {
		assert.deepEqual(types.get(`F#${id}`), ['FlowIntended', 'FlowCompleted', 'FlowDelivered']);
	}
}

async function reportOf(world: World, who: Handle) {
	const asked = await world.call({
		who,
		method: 'POST',
		path: '/api/v1/reports',
		body: { kind: 'flows', product: LOANS },
	});
	const { id } = expectBody(asked, 201, Report.ReportView);
	const content = await world.call({ who, path: `/api/v1/reports/${id}/content` });
	return { id, rows: expectBody(content, 200, Report.ReportContent).rows };
}

export const report: Step = {
	name: 'report',
	tells: 'a regulator pulls every flow with its chain; consumers and owners see only what is theirs',
	async run(world) {
		const { id, rows } = await reportOf(world, 'rita');
		assert.deepEqual(rows.map((r) => r.flow).toSorted(), world.made.flows.toSorted());
		const { version } = contractOf(world, LOANS);
		for (const row of rows) {
			const grant = world.made.grants.find((g) => g.id === row.grants[0]?.id);
			assert.ok(grant, `flow ${row.flow} names no grant of the story`);
			assert.equal(row.requests[0]?.id, grant.request);
			assert.deepEqual(
				[row.decisions.length, row.decisions[0]?.verdict, row.decisions[0]?.as],
				[1, 'approve', 'owner'],
			);
			assert.notEqual(row.decisions[0]?.by, row.person);
			assert.equal(row.contract?.version, version);
			assert.deepEqual([row.rowFilters, row.unknown], [[`"status" IN ('B', 'D')`], []]);
			assert.ok(row.columns.every((c) => COLUMNS.includes(c.name)));
		}
		const csv = await world.call({ who: 'rita', path: `/api/v1/reports/${id}/content?format=csv` });
		world.show(csv.curl);
		const lines = parseCsv<Record<string, string>>(String(csv.body), { columns: true });
		assert.deepEqual(
			lines.map((l) => [l['flow'], l['leaf'], l['grants']]),
			rows.map((r) => [r.flow, r.leaf, r.grants.map((g) => g.id).join(' ')]),
		);
		assert.equal((await reportOf(world, 'alice')).rows.length, rows.length, 'alice sees her own domain');
		assert.equal(
			(await reportOf(world, ownerOf(world, 'lending'))).rows.length,
			rows.length,
			'the owner sees his product',
		);
		assert.equal((await reportOf(world, 'mia')).rows.length, 0, 'another consumer sees nothing');
		expectProblem(await world.call({ who: 'alice', path: `/api/v1/reports/${id}/content` }), 404, 'not-found');
		const asked = { method: 'POST' as const, path: '/api/v1/reports', body: { kind: 'flows', product: LOANS } };
		expectProblem(await world.call({ who: ownerOf(world, 'payments'), ...asked }), 403, 'not-permitted');
		expectProblem(await world.call({ who: 'nick', ...asked }), 404, 'not-found');
		world.say(`${rows.length} flows, JSON and CSV`);
	},
};
