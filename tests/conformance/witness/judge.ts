/**
 * Witnesses by others, both ways: our sealer's checkpoints cosigned by Torchwood's litewitness, and a log of Tessera's cosigned
 * by our witness, a process of its own; Torchwood says of each what it is worth. Then what neither may cosign.
 *
 * Arguments: the folder of the Go programs, and one to work in. Ends with 1 at the first thing that is not as expected.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type SealCtx, seal } from '#core/tlog.ts';
import { witnessesOf } from '#functions/witnesses.ts';
import { head, put } from '#tests/tlog/damage.ts';
import { makeWorld, ORIGIN, type World, write } from '#tests/tlog/world.ts';
import { verifierKey, verifyNote } from '#verifier/note.ts';

const [bin = '', work = ''] = process.argv.slice(2);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const others = path.join(bin, 'others');
const running: ChildProcess[] = [];
const at = (name: string) => path.join(work, name);

const go = (args: readonly string[], input = '') =>
	execFileSync(others, args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] }).trim();

/** Starts a program, and gives what the first line says that the pattern fits. */
function start(command: string, args: readonly string[], pattern: RegExp): Promise<string> {
	const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
	running.push(child);
	return new Promise((resolve, reject) => {
		const said: string[] = [];
		for (const stream of [child.stdout, child.stderr]) {
			createInterface(stream).on('line', (line) => {
				said.push(line);
				const [, found] = pattern.exec(line) ?? [];
				if (found !== undefined) resolve(found);
			});
		}
		child.once('exit', (code) => reject(new Error(`${path.basename(command)} ended with ${code}: ${said.join('\n')}`)));
	});
}

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}

async function litewitness() {
	const fingerprint = await start(others, ['agent', at('agent')], /^(SHA256:\S+)$/);
	const listen = `127.0.0.1:${await freePort()}`;
	const name = 'witness.example/litewitness';
	const args = [
		'-ssh-agent',
		at('agent'),
		'-name',
		name,
		'-key',
		fingerprint,
		'-db',
		at('witness.db'),
		'-listen',
		listen,
	];
	const vkey = await start(
		path.join(bin, 'litewitness'),
		args,
		/vkey="?(witness\.example\/litewitness\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+)/,
	);
	for (let tried = 0; ; tried++) {
		const up = await fetch(`http://${listen}/`).then(
			() => true,
			() => false,
		);
		if (up) return { vkey, url: `http://${listen}/` };
		assert.ok(tried < 100, 'litewitness does not listen');
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

/** The sealer of a world whose one witness is that one. */
function sealer(world: World, { vkey, url }: { vkey: string; url: string }): SealCtx {
	const ctx = world.process();
	return { ...ctx, log: { ...ctx.log, witnesses: witnessesOf(`${url} ${vkey}`, undefined, ctx.log.signer.vkey) } };
}
const checkpointOf = ({ objects }: World) => Buffer.from(objects.files.get('checkpoint') ?? []).toString();
const refused = (work: () => unknown) => assert.throws(work, 'what must be refused was taken');

async function ourLog(): Promise<void> {
	const witness = await litewitness();
	const world = await makeWorld();
	const { vkey } = world.process().log.signer;
	await assert.rejects(sealOnce(world, witness, ['early']), { code: 'unavailable' });
	go(['know', at('witness.db'), ORIGIN, vkey]);
	const sizes: number[] = [];
	let before: Awaited<ReturnType<typeof head>> = {};
	let older: Uint8Array = new Uint8Array();
	let fork: World | undefined;
	for (const grow of [1, 1, 3, 250, 2, 300]) {
		if (sizes.length === 3) {
			before = await head(world);
			older = world.objects.files.get('checkpoint') ?? older;
			fork = await makeWorld(9, world);
		}
		// Each time a process that remembers nothing of the last one.
		await sealOnce(
			world,
			witness,
			Array.from({ length: grow }, (_, i) => `d${i % 40}`),
		);
		const note = checkpointOf(world);
		const size = Number(go(['open', vkey, witness.vkey], note));
		assert.deepEqual(verifyNote(note, [vkey, witness.vkey].map(verifierKey)).signedBy.length, 2);
		refused(() => go(['open', vkey, witness.vkey], note.replace(`\n${size}\n`, `\n${size + 1}\n`)));
		refused(() => go(['open', vkey, witness.vkey], note.replace(/\n— witness\.example.*\n/u, '\n')));
		sizes.push(size);
	}
	console.log(`litewitness cosigned our checkpoints of ${sizes.join(', ')} entries; Torchwood verifies each`);
	assert.ok(fork !== undefined);
	await assert.rejects(sealOnce(fork, witness, ['x']), alarmOf('witness-ahead'));
	await put(world, before);
	world.objects.files.set('checkpoint', older);
	await assert.rejects(sealOnce(world, witness, ['y']), alarmOf('witness-ahead'));
	const other = await makeWorld(5);
	const names = Array.from({ length: sizes.at(-1) ?? 0 }, (_, i) => `other${i % 40}`);
	await assert.rejects(sealOnce(other, witness, names), alarmOf('witness-ahead'));
	// To that size without any witness, as nobody with one comes that far.
	await seal(other.process());
	await assert.rejects(sealOnce(other, witness, ['z']), alarmOf('witness-differs'));
	console.log(
		'litewitness keeps our sealer from going on: from a head that was put back, from a fork, from another history',
	);
}

const sealOnce = async (world: World, witness: { vkey: string; url: string }, names: readonly string[]) => {
	const ctx = sealer(world, witness);
	await write(ctx, names);
	await seal(ctx);
};
const alarmOf = (alarm: string) => (found: unknown) =>
	(found as { extensions?: { alarm?: string } }).extensions?.alarm === alarm;

async function ourWitness(): Promise<void> {
	const name = 'witness.example/ours';
	const cli = ['--import', 'tsx', path.join(root, 'witness/cli.ts')];
	const named = ['--name', name, '--key', at('witness.pem')];
	const begin = [...cli, 'key', ...named, '--state', at('state')];
	const vkey = execFileSync(process.execPath, begin, { cwd: root, encoding: 'utf8' }).trim();
	const [key = '', log = ''] = go(['keys', 'log.example/tessera']).split('\n');
	const args = [...cli, ...named, '--log', log, '--state', at('state'), '--port', '0'];
	const port = await start(process.execPath, args, /"witness: ready".*"port":([0-9]+)/);
	const url = `http://127.0.0.1:${port}/`;
	const append = (folder: string, entry: string) => go(['append', folder, key, url, vkey, entry]);
	mkdirSync(at('tessera'));
	const sizes = ['one', 'two', 'three'].map((entry, i) => {
		if (i === 2) cpSync(at('tessera'), at('fork'), { recursive: true });
		// Each time a process, which asks from nothing first and is told of the size.
		return Number(append(at('tessera'), entry));
	});
	assert.deepEqual(sizes, [1, 2, 3]);
	const note = readFileSync(path.join(at('tessera'), 'checkpoint'), 'utf8');
	assert.equal(go(['open', log, vkey], note), '3');
	console.log(
		`our witness cosigned checkpoints of Tessera's of ${sizes.join(', ')} entries; Torchwood verifies the last`,
	);
	refused(() => append(at('fork'), 'another three'));
	assert.match(readFileSync(path.join(at('fork'), 'checkpoint'), 'utf8'), /^log\.example\/tessera\n2\n/);
	console.log('our witness cosigns no fork: Tessera publishes none');
	await refusals(url, note);
}

/** With what Tessera signed: each answer by the specification. */
async function refusals(url: string, note: string): Promise<void> {
	const ask = async (body: string) => {
		const answer = await fetch(`${url}add-checkpoint`, { method: 'POST', body });
		return [answer.status, answer.headers.get('content-type'), await answer.text()] as const;
	};
	assert.deepEqual(await ask(`old 0\n\n${note}`), [409, 'text/x.tlog.size', '3\n']);
	const text = 'text/plain; charset=utf-8';
	const hash = Buffer.alloc(32).toString('base64');
	const cases: [number, string][] = [
		[422, `old 3\n${hash}\n\n${note}`],
		[400, `old 4\n\n${note}`],
		[400, `old 03\n\n${note}`],
		[403, `old 3\n\n${note.replace('\n3\n', '\n4\n')}`],
		[404, `old 3\n\n${note.replace('log.example/tessera\n', 'log.example/another\n')}`],
		[200, `old 3\n\n${note}`],
	];
	for (const [status, body] of cases) assert.deepEqual((await ask(body)).slice(0, 2), [status, text], body);
	console.log('our witness answers 200, 400, 403, 404, 409 and 422 where they belong');
}

try {
	await ourLog();
	await ourWitness();
} finally {
	for (const child of running) child.kill();
}
