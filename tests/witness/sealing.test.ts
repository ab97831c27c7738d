/** A checkpoint is published with the cosignatures of enough witnesses, or not; and what a witness knows better stops it. */
import { describe, expect, it } from 'vitest';
import { seal } from '#core/tlog.ts';
import { head, put } from '#tests/tlog/damage.ts';
import { checkSealed, ORIGIN, signerWith, write } from '#tests/tlog/world.ts';
import { logKey } from '#tests/verifier/reference.ts';
import { parseAddCheckpoint } from '#verifier/witness.ts';
import { type Kept, logsOf } from '#witness/decide.ts';
import { respond } from '#witness/witness.ts';
import { logOf, makeWitness } from './arrange.ts';
import { type Answers, makeScene, type Scene, signers, uncosigned } from './scene.ts';

const refusing =
	(status: number, body = ''): Answers =>
	() =>
	async () => ({ status, body });
const lost: Answers = () => async () => {
	throw new Error('no answer');
};

/** Keeps what each witness was asked, and what it said. */
function watch(scene: Scene) {
	const lines: string[] = [];
	for (const [i] of scene.witnesses.entries()) {
		const before = scene.answers[i];
		scene.answers[i] = (ask) => async (request) => {
			const { old, proof, note } = parseAddCheckpoint(request);
			const answer = await (before?.(ask) ?? ask)(request);
			lines.push(`w${i + 1} ${old}>${note.split('\n')[1]} ${proof.length} ${answer.status}`);
			return answer;
		};
	}
	return lines;
}

/** Not sealed to the end: the state of before, with our signature archived, and what waits still waiting. */
async function held(scene: Scene, size: number): Promise<void> {
	await expect(seal(scene.process())).rejects.toMatchObject({ code: 'unavailable' });
	expect(signers(scene)?.size ?? 0).toBe(size);
}

describe('a checkpoint', () => {
	it('is published with the cosignatures of all, and kept with them, while its archived form has ours alone', async () => {
		const scene = await makeScene();
		const asked = watch(scene);
		const ctx = scene.process();
		const made = await write(ctx, ['a', 'b', 'c']);
		await seal(ctx);
		expect(signers(scene)).toEqual({ size: 3, by: ['log', 'w1', 'w2'] });
		expect(signers(scene, 'cosigned/3')).toEqual({ size: 3, by: ['log', 'w1', 'w2'] });
		expect(scene.world.objects.files.get('cosigned/3')).toEqual(scene.world.objects.files.get('checkpoint'));
		expect(signers(scene, 'checkpoints/3')).toEqual({ size: 3, by: ['log'] });
		made.push(...(await write(ctx, ['d', 'e'])));
		await seal(ctx);
		expect(signers(scene)).toEqual({ size: 5, by: ['log', 'w1', 'w2'] });
		// Of the same process each witness is asked once, from where it is.
		expect(asked).toEqual(['w1 0>3 0 200', 'w2 0>3 0 200', 'w1 3>5 4 200', 'w2 3>5 4 200']);
		checkSealed(uncosigned(scene), made);
	});

	it('is not published under the quorum; nothing is lost, and the next pass publishes it', async () => {
		const scene = await makeScene(['w1', 'w2', 'w3']);
		scene.quorum = 2;
		scene.answers[0] = lost;
		scene.answers[1] = refusing(500);
		const made = await write(scene.process(), ['a', 'b']);
		await held(scene, 0);
		expect(signers(scene, 'checkpoints/2')).toEqual({ size: 2, by: ['log'] });
		expect(scene.world.warned.map((told) => (told as string[])[0])).toEqual([
			'ledger: a witness did not cosign: witness.example/w1',
			'ledger: a witness did not cosign: witness.example/w2',
		]);
		// Whoever writes is not held up.
		made.push(...(await write(scene.process(), ['c'])));
		await held(scene, 0);
		scene.answers[1] = undefined;
		const pass = await seal(scene.process());
		expect([pass.recovered, pass.sealed, pass.size]).toEqual([2, 1, 3]);
		expect(signers(scene)).toEqual({ size: 3, by: ['log', 'w2', 'w3'] });
		scene.answers[0] = undefined;
		await write(scene.process(), ['d']);
		await seal(scene.process());
		expect(signers(scene)).toEqual({ size: 4, by: ['log', 'w1', 'w2', 'w3'] });
		checkSealed(uncosigned(scene), made);
	});

	it('is published without any where none need cosign, and tells who did not', async () => {
		const scene = await makeScene();
		scene.quorum = 0;
		scene.answers[0] = lost;
		scene.answers[1] = lost;
		await write(scene.process(), ['a']);
		await seal(scene.process());
		expect(signers(scene)).toEqual({ size: 1, by: ['log'] });
		expect(scene.world.objects.files.has('cosigned/1')).toBe(false);
		expect(scene.world.warned).toHaveLength(2);
		scene.answers[1] = undefined;
		await write(scene.process(), ['b']);
		await seal(scene.process());
		expect(signers(scene)).toEqual({ size: 2, by: ['log', 'w2'] });
	});

	it('is shown to a witness from the size that it tells, whatever that is of those we signed', async () => {
		for (const back of [1, 2, 4, 7]) {
			const scene = await makeScene(['w1']);
			const [{ all } = { all: new Map<string, Kept>() }] = scene.witnesses;
			let then = new Map<string, Kept>();
			for (const names of [['a'], ['b'], ['c', 'd'], ['e', 'f', 'g']]) {
				await write(scene.process(), names);
				await seal(scene.process());
				if (signers(scene)?.size === back) then = new Map(all);
			}
			// The witness has lost what it saw since, which is its own matter.
			for (const [origin, kept] of then) all.set(origin, kept);
			const asked = watch(scene);
			await write(scene.process(), ['h']);
			await seal(scene.process());
			expect(signers(scene)).toEqual({ size: 8, by: ['log', 'w1'] });
			expect(asked.filter((line) => line.includes('409'))).toHaveLength(back === 7 ? 0 : 1);
		}
	});

	it('does not count a cosignature that is wrong', async () => {
		const { witness: stranger } = makeWitness([], { logs: logsOf([signerWith().vkey]) });
		const wrong: Answers[] = [
			refusing(200),
			refusing(200, 'cosigned\n'),
			(ask) => async (request) => {
				const answer = await ask(request);
				return { ...answer, body: answer.body.replace('w1', 'w9') };
			},
			(ask) => async (request) => ask(request.replace('old 0', 'old 5')),
			(ask) => async (request) => ({ ...(await ask(request)), status: 201 }),
			() => async (request) =>
				respond(stranger, { method: 'POST', path: '/add-checkpoint', body: Buffer.from(request) }),
		];
		for (const [i, answer] of wrong.entries()) {
			const scene = await makeScene(['w1']);
			scene.answers[0] = answer;
			await write(scene.process(), ['a', 'b']);
			await held(scene, 0).catch((error: unknown) => {
				throw new Error(`answer ${i}`, { cause: error });
			});
		}
	});

	it.each([301, 400, 403, 404, 413, 429, 503])(
		'is asked for again later, when a witness answers %d',
		async (status) => {
			const scene = await makeScene(['w1']);
			scene.answers[0] = refusing(status, '7\n');
			await write(scene.process(), ['a']);
			await held(scene, 0);
			scene.answers[0] = undefined;
			await seal(scene.process());
			expect(signers(scene)).toEqual({ size: 1, by: ['log', 'w1'] });
		},
	);

	it('is asked for twice of one witness in a pass, at most', async () => {
		const scene = await makeScene(['w1']);
		let told = 0;
		scene.answers[0] = () => async () => ({ status: 409, body: `${told++ % 2}\n` });
		await write(scene.process(), ['a']);
		await held(scene, 0);
		expect(told).toBe(2);
	});
});

describe('the sealer stops', () => {
	/** Sealed three times; then head and checkpoint as they were after the first. */
	async function putBack() {
		const scene = await makeScene(['w1', 'w2']);
		scene.quorum = 1;
		const ctx = scene.process();
		const { world } = scene;
		await write(ctx, ['a', 'b']);
		await seal(ctx);
		const then = { head: await head(world), checkpoint: world.objects.files.get('checkpoint') ?? Buffer.of() };
		for (const names of [['c', 'd', 'e'], ['f']]) {
			await write(ctx, names);
			await seal(ctx);
		}
		await put(world, then.head);
		world.objects.files.set('checkpoint', then.checkpoint);
		await write(ctx, ['g', 'h']);
		return scene;
	}
	const filesOf = ({ world }: Scene) =>
		[...world.objects.files].map(([key, bytes]) => `${key} ${Buffer.from(bytes).toString('hex')}`);
	const stops = async (scene: Scene, kind: string) => {
		const files = filesOf(scene);
		const calls: string[] = [];
		const ctx = scene.process((name, call) => {
			calls.push(name);
			return call();
		});
		await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: kind } });
		expect(calls).not.toContain('sign');
		expect(filesOf(scene)).toEqual(files);
	};

	it('where head and checkpoint were put back, before it signs or stores anything', async () => {
		await stops(await putBack(), 'witness-ahead');
	});

	it('there by the word of one witness, though others would be enough', async () => {
		const scene = await putBack();
		scene.witnesses[1]?.all.clear();
		await stops(scene, 'witness-ahead');
	});

	it('there in the process that was at work all the time', async () => {
		const scene = await makeScene(['w1']);
		const ctx = scene.process();
		await write(ctx, ['a']);
		await seal(ctx);
		const before = await head(scene.world);
		const checkpoint = scene.world.objects.files.get('checkpoint') ?? Buffer.of();
		await write(ctx, ['b']);
		await seal(ctx);
		await put(scene.world, before);
		scene.world.objects.files.set('checkpoint', checkpoint);
		await write(ctx, ['c']);
		await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: 'witness-ahead' } });
	});

	it('where a committed batch was put back, with nothing published of it', async () => {
		const scene = await makeScene(['w1']);
		const { world } = scene;
		const ctx = scene.process();
		await write(ctx, ['a']);
		await seal(ctx);
		const checkpoint = world.objects.files.get('checkpoint') ?? Buffer.of();
		let committed: Awaited<ReturnType<typeof head>> = {};
		const files = new Map<string, Uint8Array>();
		await write(ctx, ['b']);
		await seal(
			scene.process(async (name, call) => {
				if (name === 'sign') {
					committed = await head(world);
					for (const [key, bytes] of world.objects.files) if (key.startsWith('staging/')) files.set(key, bytes);
				}
				return call();
			}),
		);
		await write(ctx, ['c']);
		await seal(ctx);
		await put(world, committed);
		world.objects.files.set('checkpoint', checkpoint);
		world.objects.files.delete('cosigned/2');
		for (const [key, bytes] of files) world.objects.files.set(key, bytes);
		await expect(seal(scene.process())).rejects.toMatchObject({ extensions: { alarm: 'witness-ahead' } });
		expect(signers(scene)?.size).toBe(1);
	});

	it('where a witness has another tree of a size', async () => {
		const scene = await makeScene(['w1']);
		const other = await makeScene(['w1']);
		await write(other.process(), ['x', 'y']);
		await seal(other.process());
		for (const [origin, kept] of other.witnesses[0]?.all ?? []) scene.witnesses[0]?.all.set(origin, kept);
		const ctx = scene.process();
		await write(ctx, ['a', 'b']);
		await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: 'witness-differs' } });
		expect(signers(scene)).toBeNull();
		// It stays so.
		await expect(seal(scene.process())).rejects.toMatchObject({ extensions: { alarm: 'witness-differs' } });
	});

	it('where a witness has a tree of a size that we never signed', async () => {
		const scene = await makeScene(['w1']);
		const other = await makeScene(['w1']);
		await write(other.process(), ['x', 'y']);
		await seal(other.process());
		for (const [origin, kept] of other.witnesses[0]?.all ?? []) scene.witnesses[0]?.all.set(origin, kept);
		await write(scene.process(), ['a', 'b', 'c']);
		await expect(seal(scene.process())).rejects.toMatchObject({ extensions: { alarm: 'witness-differs' } });
		expect(signers(scene)).toBeNull();
	});

	it('where what was archived of the size of a witness is not ours', async () => {
		const scene = await makeScene(['w1']);
		const ctx = scene.process();
		await write(ctx, ['a', 'b']);
		await seal(ctx);
		const forged = logOf(logKey(ORIGIN)).checkpoint(2);
		scene.world.objects.files.set('checkpoints/2', Buffer.from(forged));
		await write(ctx, ['c']);
		await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: 'foreign-checkpoint' } });
	});
});

it('what somebody puts where cosignatures are kept is not published', async () => {
	const scene = await makeScene(['w1']);
	scene.answers[0] = lost;
	await write(scene.process(), ['a']);
	await held(scene, 0);
	scene.answers[0] = undefined;
	const own = scene.world.objects.files.get('checkpoints/1') ?? Buffer.of();
	for (const bytes of [Buffer.from('junk'), own, Buffer.concat([own, Buffer.from('— w x\n')])]) {
		const again = await makeScene(['w1'], scene);
		again.world.objects.files.set('cosigned/1', bytes);
		await seal(again.process());
		expect(signers(again)).toEqual({ size: 1, by: ['log', 'w1'] });
		checkSealed(uncosigned(again), []);
	}
});
