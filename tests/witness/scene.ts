/** A sealer in memory whose checkpoints witnesses cosign; each request to one is a call that may fail like any other. */
import type { SealCtx } from '#core/tlog.ts';
import { type Gate, makeWorld, ORIGIN, signerWith, type World } from '#tests/tlog/world.ts';
import { type LogKey, logKey } from '#tests/verifier/reference.ts';
import { verifierKey, verifyNote } from '#verifier/note.ts';
import { type Kept, logsOf } from '#witness/decide.ts';
import { respond, type Witness } from '#witness/witness.ts';
import { makeWitness, memoryStore } from './arrange.ts';

type Watching = ReturnType<typeof watching>;

/** A witness of the log of the world, with what it keeps at hand. */
function watching(key: LogKey, before?: ReadonlyMap<string, Kept>) {
	const { store, all } = memoryStore();
	for (const [origin, kept] of before ?? []) all.set(origin, kept);
	const made = makeWitness([], { store, logs: logsOf([signerWith().vkey]) }, key);
	return { ...made, all };
}

export type Answers = (ask: (request: string) => Promise<{ status: number; body: string }>) => Asking;
export type Asking = (request: string) => Promise<{ status: number; body: string }>;

const answered = (witness: Witness): Asking => {
	return (request) => respond(witness, { method: 'POST', path: '/add-checkpoint', body: Buffer.from(request) });
};

export type Scene = {
	readonly world: World;
	readonly witnesses: readonly Watching[];
	/** Stands between the log and each witness. */
	readonly answers: (Answers | undefined)[];
	quorum: number;
	/** Each process remembers for itself. */
	readonly process: (gate?: Gate) => SealCtx;
};

/** With `from`, it begins as that one stands, with the same witnesses; they go on apart. */
export async function makeScene(names: readonly string[] = ['w1', 'w2'], from?: Scene, seed = 2): Promise<Scene> {
	const world = await makeWorld(from === undefined ? 1 : seed, from?.world);
	const witnesses = names.map((name, i) => {
		const before = from?.witnesses[i];
		return watching(before?.key ?? logKey(`witness.example/${name}`), before?.all);
	});
	const scene: Scene = {
		world,
		witnesses,
		answers: [],
		quorum: names.length,
		process(gate = (_, call) => call()) {
			const ctx = world.process(gate);
			const all = witnesses.map(({ witness }, i) => ({
				vkey: witness.vkey,
				ask: (request: string) => {
					const asking = scene.answers[i]?.(answered(witness)) ?? answered(witness);
					return gate(`witness ${names[i]}`, () => asking(request)) as ReturnType<Asking>;
				},
			}));
			return { ...ctx, log: { ...ctx.log, witnesses: { all, quorum: scene.quorum } } };
		},
	};
	return scene;
}

/** What is published, or kept there: its size, and who signed it. */
export function signers(scene: Scene, key = 'checkpoint'): { size: number; by: string[] } | null {
	const note = scene.world.objects.files.get(key);
	if (note === undefined) return null;
	const keys = [signerWith().vkey, ...scene.witnesses.map(({ witness }) => witness.vkey)].map(verifierKey);
	const { text, signedBy } = verifyNote(note, keys);
	const names = signedBy.map(({ key }) => (key.name === ORIGIN ? 'log' : key.name.replace('witness.example/', '')));
	return { size: Number(text.split('\n')[1]), by: names.toSorted() };
}

/** The world without cosignatures, for checks that know of none; they stand at the end of notes. */
export function uncosigned({ world }: Scene): World {
	const files = new Map(world.objects.files);
	for (const key of files.keys()) if (key.startsWith('cosigned/')) files.delete(key);
	const note = Buffer.from(files.get('checkpoint') ?? []).toString();
	files.set('checkpoint', Buffer.from(note.replace(/^— witness\.example\/.*\n/gmu, '')));
	return { ...world, objects: { ...world.objects, files } };
}
