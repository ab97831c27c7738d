/** What was acknowledged is listed, at the latest when it is sealed: its writer may have died before it listed it. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { type SealCtx, seal } from '#core/tlog.ts';
import { end, entitle, flow } from './entries.ts';
import { chance, faulty, type Gate, makeWorld, tables, type World, write } from './world.ts';

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
