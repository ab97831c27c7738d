/** What was acknowledged is listed, at the latest when it is sealed: its writer may have died before it listed it. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { type SealCtx, seal } from '#core/tlog.ts';
import { end, entitle, flow, HASH, principal, table } from './entries.ts';
import { chance, faulty, type Gate, makeWorld, tables, type World, write } from './world.ts';

const { key, shardOf } = Ledger.Listing;

/** A principal holds something, reads by it, and has done so. */
async function reading(ctx: SealCtx, id: string): Promise<Ledger.Recorded[]> {
	const held = await entitle(ctx);
	const begun = await flow(ctx, id, 1, held.leaf);
	return [held, begun, await end(ctx, begun)];
}

/** A writer whose listings never come about. */
const dying = (world: World, only: (name: string) => boolean = () => true): SealCtx => {
	const gate: Gate = async (name, call) => {
		if ((name === 'PutItemCommand' || name === 'DeleteItemCommand') && only(name)) throw new Error('the writer died');
		return call();
	};
	return world.process(gate);
};

/** Lines of the listings; not where entries are in the log. */
const listed = (world: World) =>
	world.store
		.items('projections')
		.map(({ pk, sk }) => `${pk?.S} ${sk?.S}`)
		.filter((line) => !line.startsWith('entry#'))
		.toSorted();

let scene: World;
let made: Ledger.Recorded[];
let wanted: readonly string[];

beforeAll(async () => {
	const whole = await makeWorld();
	scene = await makeWorld();
	for (const ctx of [whole.process(), dying(scene)]) {
		made = [...(await write(ctx, ['a', 'b', 'a'])), ...(await reading(ctx, 'q1'))];
		made.push(await flow(ctx, 'q2', 1, made[3]?.leaf ?? ''));
	}
	wanted = listed(whole);
});

it('is the scene: the writer of the one listed all, that of the other nothing', () => {
	expect(wanted.filter((line) => line.startsWith('open#'))).toEqual([expect.stringMatching(/ query#q2$/)]);
	expect(wanted.length).toBeGreaterThan(5);
	expect(listed(scene)).toEqual([]);
	expect(scene.warned).toHaveLength(made.length);
});

it('is listed by the sealer where its writer died', async () => {
	const world = await makeWorld(2, scene);
	expect(await seal(world.process())).toMatchObject({ sealed: made.length });
	expect(listed(world)).toEqual(wanted);
});

it('is taken off by the sealer where its writer died before it took it off', async () => {
	const world = await makeWorld();
	const ctx = dying(world, (name) => name === 'DeleteItemCommand');
	await reading(ctx, 'q1');
	expect(listed(world).filter((line) => line.startsWith('open#'))).toHaveLength(1);
	await seal(world.process());
	expect(listed(world).filter((line) => line.startsWith('open#'))).toEqual([]);
});

it('is not written again where it is listed', async () => {
	const world = await makeWorld();
	const all = [...(await write(world.process(), ['a', 'b', 'a'])), ...(await reading(world.process(), 'q1'))];
	const before = listed(world);
	const none = faulty(0, 'fails');
	await seal(world.process(none.gate));
	// Where it is in the log, and nothing else.
	expect(none.calls.filter((name) => name === 'PutItemCommand')).toHaveLength(all.length);
	expect(none.calls).not.toContain('DeleteItemCommand');
	expect(listed(world)).toEqual(before);
});

it('is listed wherever the pass that sealed it died, once another went on', { timeout: 60_000 }, async () => {
	const probe = faulty(0, 'fails');
	await seal((await makeWorld(2, scene)).process(probe.gate));
	for (const n of probe.calls.keys()) {
		const world = await makeWorld(2, scene);
		const cut = faulty(n + 1, 'hangs after');
		const pass = seal(world.process(cut.gate)).catch(() => null);
		await Promise.race([pass, cut.met]);
		await seal(world.process());
		expect(listed(world), `${n + 1}, ${probe.calls[n]}`).toEqual(wanted);
	}
});

it('comes to what its entries come to one after another, whatever was listed before', async () => {
	const next = chance(5);
	const lines = made.flatMap((entry) => Ledger.Listing.project(entry));
	for (let run = 0; run < 40; run++) {
		const [one, other] = [await makeWorld(), await makeWorld()];
		for (const { pk, sk } of lines.filter(() => next() < 0.5)) {
			const Item = { pk: { S: pk }, sk: { S: sk } };
			for (const { store } of [one, other])
				await store.client.send(new PutItemCommand({ TableName: tables.projections, Item }));
		}
		for (const entry of made) await Ledger.Listing.applyProjections(one.process(), Ledger.Listing.project(entry));
		await Ledger.relist(other.process(), made);
		expect(listed(other)).toEqual(listed(one));
	}
});

it('is listed beside one that no listing takes, of which that is told', async () => {
	const world = await makeWorld(2, scene);
	const whole = world.process();
	const long = (await write(dying(world), ['d'.repeat(1100)]))[0]?.stored.stream;
	// DynamoDB Developer Guide, "Constraints": a sort key is of at most 1024 bytes, wherever it is named.
	const send = async (command: { input: object }) => {
		if (/"sk":\{"S":"d{1100}"\}/.test(JSON.stringify(command.input))) {
			throw Object.assign(new Error('One or more parameter values were invalid'), { name: 'ValidationException' });
		}
		return world.store.client.send(command as never);
	};
	world.warned.length = 0;
	const ctx = { ...whole, aws: { ...whole.aws, dynamodb: { send } as unknown as typeof whole.aws.dynamodb } };
	expect(await seal(ctx)).toMatchObject({ sealed: made.length + 1 });
	expect(listed(world)).toEqual(wanted);
	expect(world.warned).toMatchObject([['ledger: a sealed entry cannot be listed', { name: 'ValidationException' }]]);
	expect(long).toBeDefined();
});

describe('an entry that is listed long after', () => {
	const rules = { policies: ['p'], setHash: HASH };
	/** What puts a grant among those that are on their way, and what takes it off. */
	const puts: Ledger.BodyOf<'GrantSuspending'> = { type: 'GrantSuspending', grant: 'g', cause: 'owner', rules };
	const drops: Ledger.BodyOf<'GrantSuspended'> = { type: 'GrantSuspended', grant: 'g', state: 'suspended', tables: [] };
	const ON_ITS_WAY = `${key.open(shardOf('g'))} grant#g`;

	const next = async (ctx: SealCtx, body: typeof puts | typeof drops): Promise<Ledger.Recorded> => {
		const stream = Ledger.stream.grant('g');
		const stored = await Ledger.rawStream(ctx, stream);
		const after = stored.at(-1);
		return Ledger.append(ctx, { stream, after: after ? Ledger.recordedOf(after) : null, actor: 'system', body });
	};

	it('takes nothing off that a later one of its stream has put', async () => {
		const world = await makeWorld();
		const late = [await next(world.process(), puts), await next(dying(world), drops)];
		await next(world.process(), puts);
		await Ledger.relist(world.process(), late);
		expect(listed(world)).toEqual([ON_ITS_WAY]);
	});

	it('takes nothing off that a later one puts while it is looked at', async () => {
		const world = await makeWorld();
		const late = [await next(world.process(), puts), await next(dying(world), drops)];
		// It has read that the line is to go.
		const slow = faulty(2, 'stalls');
		const relisted = Ledger.relist(world.process(slow.gate), late);
		await slow.met;
		await next(world.process(), puts);
		slow.release();
		await relisted;
		expect(slow.calls).toEqual(['BatchGetItemCommand', 'DeleteItemCommand']);
		expect(listed(world)).toEqual([ON_ITS_WAY]);
	});

	it('takes nothing off where its own writer stood still', async () => {
		const world = await makeWorld();
		await next(world.process(), puts);
		const probe = faulty(0, 'fails');
		await next((await makeWorld(1, world)).process(probe.gate), drops);
		const slow = faulty(probe.calls.indexOf('DeleteItemCommand') + 1, 'stalls');
		const written = next(world.process(slow.gate), drops);
		await slow.met;
		await next(world.process(), puts);
		slow.release();
		await written;
		expect(listed(world)).toEqual([ON_ITS_WAY]);
		expect(world.warned).toEqual([]);
	});

	it('does not put its own name to what a later one put, which one between them would take off', async () => {
		const world = await makeWorld();
		const [first, second] = [await next(world.process(), puts), await next(world.process(), drops)];
		await next(world.process(), puts);
		await Ledger.relist(world.process(), [first]);
		await Ledger.Listing.applyProjections(world.process(), Ledger.Listing.project(first));
		await Ledger.relist(world.process(), [second]);
		expect(listed(world)).toEqual([ON_ITS_WAY]);
	});

	it('takes over what an earlier one put, where its own writer died', async () => {
		const world = await makeWorld();
		const [, second] = [await next(world.process(), puts), await next(dying(world), drops)];
		const third = await next(dying(world), puts);
		await Ledger.relist(world.process(), [third]);
		await Ledger.relist(world.process(), [second]);
		expect(listed(world)).toEqual([ON_ITS_WAY]);
	});

	it('leaves what the last one put, in whatever order they are listed and however often', async () => {
		const chanceOf = chance(11);
		for (let run = 0; run < 60; run++) {
			const world = await makeWorld(run);
			const all: Ledger.Recorded[] = [];
			for (let n = 0; n < 6; n++) all.push(await next(dying(world), n === 5 || chanceOf() < 0.5 ? puts : drops));
			let last = false;
			for (let turn = 0; turn < 8; turn++) {
				const from = Math.floor(chanceOf() * 6);
				const some = all.slice(from, from + 1 + Math.floor(chanceOf() * 6));
				last ||= some.at(-1) === all.at(-1);
				await Ledger.relist(world.process(), some);
				if (last) expect(listed(world), `run ${run}`).toEqual([ON_ITS_WAY]);
			}
		}
	});

	it('that opened what was decided first takes off that decision, and not a later one in the same line', async () => {
		const [g1 = '', g2 = ''] = Array.from({ length: 100 }, (_, i) => `g${i}`).filter((id) => shardOf(id) === 0);
		const line = `${key.open(0)} request#r`;
		const scene = await makeWorld();
		const ctx = scene.process();
		const stream = Ledger.stream.request('r');
		const decide = (after: Ledger.Recorded | null, grant: string) => {
			const said = { verdict: 'approve', as: 'owner', contentHash: HASH, outcome: 'approved', rules } as const;
			const body = { type: 'AccessDecided', request: 'r', decision: `d-${grant}`, grant, ...said } as const;
			return Ledger.append(ctx, { stream, after, actor: 'per_a', body });
		};
		const first = await decide(null, g1);
		const back = { type: 'AccessReopened', request: 'r', decision: `d-${g1}` } as const;
		const reopened = await Ledger.append(ctx, { stream, after: first, actor: 'system', body: back });
		const second = await decide(reopened, g2);
		const [one, two] = [await opened(dying(scene), g1, first), await opened(dying(scene), g2, second)];
		for (const late of [[one], [first, one], [first, second, one], [first, one, reopened, second]]) {
			const world = await makeWorld(2, scene);
			await Ledger.relist(world.process(), late);
			expect(listed(world)).toContain(line);
			await Ledger.relist(world.process(), [two]);
			expect(listed(world)).not.toContain(line);
		}
		const world = await makeWorld(2, scene);
		await Ledger.relist(world.process(), [first, reopened, second, one, two]);
		expect(listed(world)).not.toContain(line);
	});
});

/** A grant is opened by what was decided. */
function opened(ctx: SealCtx, grant: string, decided: Ledger.Recorded): Promise<Ledger.Recorded> {
	const at = '2026-01-01T00:00:00.000Z';
	const body = {
		type: 'GrantOpened' as const,
		grant,
		request: 'r',
		decisionLeaf: decided.leaf,
		product: 'lending.loans',
		productDomain: 'lending',
		contract: { version: '1', hash: HASH, leaf: HASH },
		consumerDomain: 'risk',
		principal,
		purpose: 'p',
		legalBasis: '',
		tables: [{ ...table, columns: ['c'], rowFilter: null }],
		beneficiaries: ['per_a'],
		from: at,
		until: at,
	};
	return Ledger.append(ctx, { stream: Ledger.stream.grant(grant), after: null, actor: 'system', body });
}
