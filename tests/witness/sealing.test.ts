/** A checkpoint is published with the cosignatures of enough witnesses, or not. */
import { describe, expect, it } from 'vitest';
import { seal } from '#core/tlog.ts';
import { head } from '#tests/tlog/damage.ts';
import { checkSealed, signerWith, write } from '#tests/tlog/world.ts';
import { signatureLine } from '#verifier/note.ts';
import { parseAddCheckpoint } from '#verifier/witness.ts';
import { type Kept, logsOf } from '#witness/decide.ts';
import { respond } from '#witness/witness.ts';
import { makeWitness } from './arrange.ts';
import { type Answers, makeScene, type Scene, signers, uncosigned } from './scene.ts';

const refusing =
	(status: number, body = ''): Answers =>
	() =>
	async () => ({ status, body });
const lost: Answers = () => async () => {
	throw new Error('no answer');
};

const sizeIn = (request: string) => Number(parseAddCheckpoint(request).note.split('\n')[1]);
/** What is said of a batch alone; of what it is added to, here a log without entries, the witness says what it says. */
const afterwards =
	(answers: Answers): Answers =>
	(ask) =>
	async (request) =>
		(sizeIn(request) === 0 ? ask : answers(ask))(request);

/** Keeps what each witness was asked, and what it said. */
function watch(scene: Scene) {
	const lines: string[] = [];
	for (const [i] of scene.witnesses.entries()) {
		const before = scene.answers[i];
		scene.answers[i] = (ask) => async (request) => {
			const { old, proof } = parseAddCheckpoint(request);
			const answer = await (before?.(ask) ?? ask)(request);
			lines.push(`w${i + 1} ${old}>${sizeIn(request)} ${proof.length} ${answer.status}`);
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
		// Each is asked before a batch and after it, from where it is, by one process as by many.
		const both = (...lines: string[]) => lines.flatMap((line) => [`w1 ${line} 200`, `w2 ${line} 200`]);
		expect(asked).toEqual(both('0>0 0', '0>3 0', '3>3 0', '3>5 4'));
		expect(scene.world.objects.files.has('checkpoints/0')).toBe(false);
		checkSealed(uncosigned(scene), made);
	});

	it('is not begun under the quorum: nothing is signed or staged, and what waits goes on waiting', async () => {
		const scene = await makeScene(['w1', 'w2', 'w3']);
		scene.quorum = 2;
		const made = await write(scene.process(), ['a', 'b']);
		await seal(scene.process());
		scene.answers[0] = lost;
		scene.answers[1] = refusing(500);
		made.push(...(await write(scene.process(), ['c'])));
		const files = [...scene.world.objects.files.keys()];
		const before = await head(scene.world);
		await held(scene, 2);
		expect([...scene.world.objects.files.keys()]).toEqual(files);
		expect(await head(scene.world)).toEqual(before);
		scene.answers[1] = undefined;
		await seal(scene.process());
		expect(signers(scene)).toEqual({ size: 3, by: ['log', 'w2', 'w3'] });
		checkSealed(uncosigned(scene), made);
	});

	it('is not published under the quorum; nothing is lost, and the next pass publishes it', async () => {
		const scene = await makeScene(['w1', 'w2', 'w3']);
		scene.quorum = 2;
		scene.answers[0] = afterwards(lost);
		scene.answers[1] = afterwards(refusing(500));
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
		// Before the batch, and after it.
		expect(scene.world.warned).toHaveLength(4);
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
		for (const [i, answer] of [...wrong, ...wrong.map(afterwards)].entries()) {
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
			for (const answers of [refusing(status, '7\n'), afterwards(refusing(status, '7\n'))]) {
				const scene = await makeScene(['w1']);
				scene.answers[0] = answers;
				await write(scene.process(), ['a']);
				await held(scene, 0);
				scene.answers[0] = undefined;
				await seal(scene.process());
				expect(signers(scene)).toEqual({ size: 1, by: ['log', 'w1'] });
			}
		},
	);

	it('is published with no line of a witness but the cosignature that is asked for', async () => {
		const scene = await makeScene(['w1']);
		const [w1] = scene.witnesses;
		const stranger = signatureLine('witness.example/w2', 7, new Uint8Array(72).fill(7));
		const own: string[] = [];
		scene.answers[0] = (ask) => async (request) => {
			const first = await ask(request);
			if (w1 !== undefined) w1.clock.now += 3_600_000;
			const again = await ask(request.replace(/^old \d+\n(.+\n)*/, `old ${sizeIn(request)}\n`));
			own.push(again.body);
			return { ...first, body: `${stranger}${first.body}${again.body}${stranger}${again.body}` };
		};
		await write(scene.process(), ['a', 'b']);
		await seal(scene.process());
		const { files } = scene.world.objects;
		const log = Buffer.from(files.get('checkpoints/2') ?? []).toString();
		// The later one of its two: it says more.
		expect(Buffer.from(files.get('checkpoint') ?? []).toString()).toBe(log + own.at(-1));
		expect(files.get('cosigned/2')).toEqual(files.get('checkpoint'));
	});

	it('is asked for twice of one witness in each turn, at most', async () => {
		const scene = await makeScene(['w1']);
		let told = 0;
		scene.answers[0] = afterwards(() => async () => ({ status: 409, body: `${told++ % 2}\n` }));
		await write(scene.process(), ['a']);
		await held(scene, 0);
		expect(told).toBe(2);
	});
});

it('what somebody puts where cosignatures are kept is not published', async () => {
	const scene = await makeScene(['w1']);
	scene.answers[0] = afterwards(lost);
	await write(scene.process(), ['a']);
	await held(scene, 0);
	scene.answers[0] = undefined;
	const own = scene.world.objects.files.get('checkpoints/1') ?? Buffer.of();
	const cosigned = await makeScene(['w1'], scene);
	await seal(cosigned.process());
	const note = cosigned.world.objects.files.get('cosigned/1') ?? Buffer.of();
	const line = Buffer.from(signatureLine('witness.example/w2', 7, new Uint8Array(72)));
	for (const bytes of [
		Buffer.from('junk'),
		own,
		Buffer.concat([own, Buffer.from('— w x\n')]),
		Buffer.concat([note, line]),
		Buffer.concat([note, Buffer.from(note).subarray(own.length)]),
	]) {
		const again = await makeScene(['w1'], scene);
		again.world.objects.files.set('cosigned/1', bytes);
		await seal(again.process());
		expect(signers(again)).toEqual({ size: 1, by: ['log', 'w1'] });
		expect(
			Buffer.from(again.world.objects.files.get('checkpoint') ?? [])
				.toString()
				.split('\n— '),
		).toHaveLength(3);
		checkSealed(uncosigned(again), []);
	}
});
