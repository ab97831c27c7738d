/** What a caller of a soak does: one thing, chosen by dice, through the API of either instance; and what it learns of it. */
import { setTimeout as pause } from 'node:timers/promises';
import {
	BatchRevokePermissionsCommand,
	DeleteDataCellsFilterCommand,
	GrantPermissionsCommand,
	type LakeFormationClient,
} from '@aws-sdk/client-lakeformation';
import type { RequestView } from '#core/access.ts';
import type { GrantView } from '#core/grants.ts';
import type { QueryView } from '#core/query.ts';
import * as Reconcile from '#core/reconcile.ts';
import type { Dice } from '#local/aws/chance.ts';
import type { Bank } from '#local/bank.ts';
import type { Handle } from '#local/people.ts';
import { type Answer, type Call, call } from '#local/story/client.ts';
import type { Instance } from '#tests/faults/instance.ts';
import { isClosed, isOpen, judge, mayClose, opens, type Place, type Tracked } from './model.ts';

export type Soak = {
	readonly bank: Bank;
	readonly instances: readonly Instance[];
	readonly places: readonly Place[];
	readonly roll: Dice;
	readonly tracked: Tracked[];
	/** What must not be, in words. */
	readonly wrong: string[];
	readonly count: Map<string, number>;
};

/** Somebody who is no principal of Fairlead's. */
const STRANGER = 'arn:aws:iam::210000000001:role/fairlead-grantor';
const PEOPLE: readonly Handle[] = ['alice', 'carl'];
export const SHORT_MS = 3000;
const DURATIONS = ['PT3S', 'P1D', 'P1D', 'P1D', 'P1D'];
const QUERY_MS = 20_000;

const pick = <T>({ roll }: Soak, from: readonly T[]): T | undefined => from[Math.floor(roll() * from.length)];
const now = () => Date.now();

async function send(soak: Soak, what: Call): Promise<Answer | null> {
	const instance = pick(soak, soak.instances);
	return await call({ ...soak.bank, api: instance?.api ?? '' }, what).catch(() => null);
}

const post = (who: Handle, path: string, body: object, headers: Record<string, string> = {}): Call => ({
	who,
	method: 'POST',
	path: `/api/v1${path}`,
	body,
	headers,
});

async function ask(soak: Soak): Promise<void> {
	const place = pick(soak, soak.places);
	const person = pick(soak, PEOPLE);
	const columns = place && pick(soak, place.columns);
	const predicate = place && pick(soak, place.predicates);
	if (!place || !person || !columns || !predicate) return;
	const { product, table, purpose, principal } = place;
	const rows = predicate.text === null ? {} : { rowFilter: predicate.text };
	const body = { product, tables: [{ table, columns, ...rows }], purpose, principal, duration: pick(soak, DURATIONS) };
	const answer = await send(soak, post(person, '/requests', { ...body, justification: 'soak' }));
	if (answer?.status !== 201) return;
	const { id } = answer.body as RequestView;
	const etag = answer.headers.get('etag') ?? '';
	const scope = { columns, predicate };
	const tracked: Tracked = {
		place,
		person,
		request: id,
		etag,
		scope,
		sure: scope,
		grant: null,
		busy: false,
		told: 'asked',
		windows: [],
	};
	soak.tracked.push(tracked);
	if (soak.roll() < 0.7) await decide(soak, 'approve', tracked);
}

async function decide(soak: Soak, verdict: 'approve' | 'reject', given?: Tracked): Promise<void> {
	const tracked =
		given ??
		pick(
			soak,
			soak.tracked.filter(({ told, busy }) => told === 'asked' && !busy),
		);
	if (tracked === undefined || tracked.busy) return;
	tracked.busy = true;
	try {
		const { place, request, etag } = tracked;
		if (verdict === 'approve') opens(tracked, now());
		const answer = await send(
			soak,
			post(
				place.owner,
				`/requests/${request}/decisions`,
				{ verdict, ...(verdict === 'reject' ? { comment: 'no' } : {}) },
				{
					'if-match': etag,
				},
			),
		);
		if (answer?.status === 201) tracked.told = verdict === 'approve' ? 'approved' : 'rejected';
		await look(soak, tracked);
	} finally {
		tracked.busy = false;
	}
}

/** Reads the request and its grant again. */
export async function look(soak: Soak, tracked: Tracked): Promise<GrantView | null> {
	if (tracked.grant === null) {
		const answer = await send(soak, { who: tracked.person, path: `/api/v1/requests/${tracked.request}` });
		const { grant = null } = answer?.status === 200 ? (answer.body as RequestView) : {};
		tracked.grant = grant;
		if (grant !== null && tracked.told === 'asked') tracked.told = 'approved';
		if (grant === null) return null;
	}
	const windows = tracked.windows.length;
	const answer = await send(soak, { who: tracked.person, path: `/api/v1/grants/${tracked.grant}` });
	if (answer?.status !== 200) return null;
	const view = answer.body as GrantView;
	// What was read before another window opened says nothing of that one.
	if (view.state === 'granted' && tracked.windows.length === windows) isOpen(tracked, now(), Date.parse(view.until));
	return view;
}

async function change(soak: Soak, what: 'revoke' | 'suspend' | 'resume' | 'narrow'): Promise<void> {
	const from = {
		revoke: ['approved', 'suspended'],
		suspend: ['approved'],
		resume: ['suspended'],
		narrow: ['approved'],
	}[what];
	const candidates = soak.tracked.filter(({ told, grant, busy }) => grant !== null && from.includes(told) && !busy);
	const tracked = pick(soak, candidates);
	if (tracked === undefined) return;
	tracked.busy = true;
	try {
		const { place, grant } = tracked;
		const less = { ...tracked.scope, columns: place.columns[0] ?? [] };
		if (what === 'resume') opens(tracked, now());
		else mayClose(tracked, now());
		const more = what === 'narrow' ? { tables: [{ table: place.table, columns: less.columns }] } : {};
		const answer = await send(soak, post(place.owner, `/grants/${grant}/${what}`, { reason: 'soak', ...more }));
		const done = answer !== null && answer.status < 300;
		if (done && what !== 'resume') isClosed(tracked, now());
		if (done && what === 'revoke') tracked.told = 'revoked';
		if (done && what === 'suspend') tracked.told = 'suspended';
		if (done && what === 'resume') tracked.told = 'approved';
		if (what === 'narrow') {
			// Told or not: this much of it is open from now on if anything is.
			tracked.sure = less;
			if (done) tracked.scope = less;
			opens(tracked, now());
		}
		await look(soak, tracked);
	} finally {
		tracked.busy = false;
	}
}

type Outcome = 'answered' | 'refused' | 'failed';

/** Runs a query and reads its rows; judges what came. */
export async function query(soak: Soak, place: Place, person: Handle): Promise<Outcome> {
	const outcome = await runAndJudge(soak, place, person);
	note(soak, `query ${outcome}`);
	return outcome;
}

function note({ count }: Soak, what: string): void {
	count.set(what, (count.get(what) ?? 0) + 1);
}

async function runAndJudge(soak: Soak, place: Place, person: Handle): Promise<Outcome> {
	const columns = pick(soak, place.columns) ?? [];
	const from = now();
	const sql = `SELECT ${columns.join(', ')} FROM ${place.sql}`;
	const started = await send(soak, post(person, '/queries', { sql, principal: place.principal }));
	if (started?.status === 403) return 'refused';
	if (started?.status !== 202) return 'failed';
	const path = `/api/v1/queries/${(started.body as QueryView).id}`;
	for (;;) {
		const answer = await send(soak, { who: person, path });
		const state = answer?.status === 200 ? (answer.body as QueryView).state : 'running';
		if (state === 'completed') break;
		if (state !== 'running' || now() - from > QUERY_MS) return 'failed';
		await pause(50);
	}
	const rows: (string | null)[][] = [];
	let token: string | null = null;
	do {
		const at: string = token === null ? '' : `?pageToken=${encodeURIComponent(token)}`;
		const page = await send(soak, { who: person, path: `${path}/results${at}` });
		if (page?.status !== 200) return page?.status === 403 ? 'refused' : 'failed';
		const body = page.body as { rows: (string | null)[][]; nextPageToken: string | null };
		rows.push(...body.rows);
		token = body.nextPageToken;
	} while (token !== null);
	const found = judge(soak.tracked, { place, person, columns, from, to: now() }, rows);
	soak.wrong.push(...found.slice(0, 3).map((what) => `${person}, ${sql} as ${place.purpose}: ${what}`));
	return 'answered';
}

/** Mostly where the person may hold something. */
async function queryAny(soak: Soak): Promise<unknown> {
	const held =
		soak.roll() < 0.85
			? pick(
					soak,
					soak.tracked.filter(({ told }) => told === 'approved'),
				)
			: undefined;
	const place = held?.place ?? pick(soak, soak.places);
	const person = held?.person ?? pick(soak, PEOPLE);
	return place === undefined || person === undefined ? 'nothing' : await query(soak, place, person);
}

/** What an administrator does with his own hands to something of Fairlead's. */
async function tamper(soak: Soak): Promise<void> {
	const place = pick(soak, soak.places);
	const ours = soak.bank.aws
		.lakeFormationState()
		.filters.filter(({ name, table }) => name.startsWith('fl_') && table === place?.ref.table);
	const filter = pick(soak, ours);
	if (place === undefined || filter === undefined) return;
	const lf: LakeFormationClient = soak.bank.platform.aws.lakeformation(place.ref.account);
	const at = {
		TableCatalogId: filter.account,
		DatabaseName: filter.database,
		TableName: filter.table,
		Name: filter.name,
	};
	const right = (principal: string) => ({
		Principal: { DataLakePrincipalIdentifier: principal },
		Resource: { DataCellsFilter: at },
		Permissions: ['SELECT' as const],
	});
	const how = soak.roll();
	if (how < 0.4)
		await lf.send(new BatchRevokePermissionsCommand({ Entries: [{ Id: '1', ...right(place.principal) }] }));
	else if (how < 0.7) await lf.send(new GrantPermissionsCommand(right(STRANGER)));
	else await lf.send(new DeleteDataCellsFilterCommand(at));
}

const OPERATIONS: readonly (readonly [number, string, (soak: Soak) => Promise<unknown>])[] = [
	[18, 'ask', ask],
	[8, 'approve', (soak) => decide(soak, 'approve')],
	[2, 'reject', (soak) => decide(soak, 'reject')],
	[12, 'revoke', (soak) => change(soak, 'revoke')],
	[6, 'suspend', (soak) => change(soak, 'suspend')],
	[6, 'resume', (soak) => change(soak, 'resume')],
	[5, 'narrow', (soak) => change(soak, 'narrow')],
	[30, 'query', queryAny],
	[4, 'tamper', tamper],
	[3, 'sweep', (soak) => sweepOnce(soak)],
	[3, 'reconcile', (soak) => reconcileOnce(soak)],
	[
		3,
		'look',
		async (soak) => {
			const tracked = pick(soak, soak.tracked);
			return tracked === undefined ? null : await look(soak, tracked);
		},
	],
];
const WEIGHT = OPERATIONS.reduce((sum, [weight]) => sum + weight, 0);

async function sweepOnce(soak: Soak): Promise<void> {
	await pick(soak, soak.instances)?.sweep();
}

export async function reconcileOnce(soak: Soak, aheadMs = 0): Promise<Reconcile.Reconciled | null> {
	const platform = pick(soak, soak.instances)?.platform ?? soak.bank.platform;
	const clock = () => new Date(platform.clock().getTime() + aheadMs);
	return await Reconcile.scheduled({ ...platform, clock }, '0'.repeat(32));
}

/** One operation. What AWS refuses it is part of the game; what is judged wrong is noted. */
export async function doOne(soak: Soak): Promise<void> {
	let left = soak.roll() * WEIGHT;
	const chosen = OPERATIONS.find(([weight]) => {
		left -= weight;
		return left < 0;
	});
	if (chosen === undefined) return;
	const [, name, run] = chosen;
	const outcome = await run(soak).catch(() => 'failed');
	if (name !== 'query') note(soak, outcome === 'failed' ? `${name} failed` : name);
}
