/** The shape that everything grows on: imports go one way, files stay small, core stays pure of its surroundings. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const CEILING = 400;

/** Concepts of core from the bottom up; an import may only go down. One line is one level: no imports within it. */
const levels = [
	['error', 'id', 'text'],
	['aws', 'sql'],
	['parser', 'syntax'],
	['context'],
	['cursor', 'etag', 'identity', 'lease', 'policy', 'rowfilter'],
	['contract', 'ledger'],
	['eraser', 'person', 'reading', 'scope', 'tlog'],
	['domains', 'lakeformation'],
	['catalog', 'delegation'],
	['preflight'],
	['grants', 'lineage'],
	['preview', 'query'],
	['access', 'reconcile', 'report'],
	['completeness', 'counts', 'doctor', 'evidence', 'why'],
	['erasure', 'sweep'],
];

function filesIn(folder: string): string[] {
	return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
		.filter((f) => /\.tsx?$/.test(f))
		.map((f) => path.join(folder, f));
}

/** Modules that a file imports: paths from the root for our own, names for packages. */
function importsOf(file: string): string[] {
	const text = readFileSync(path.join(root, file), 'utf8');
	const found = [...text.matchAll(/(?<!\.)\b(?:from|import)\s*\(?'([^']+)'/g)].map((m) => m[1] ?? '');
	return found.map((name) => {
		if (name.startsWith('.')) return path.join(path.dirname(file), name);
		return name.startsWith('#') ? name.slice(1) : name;
	});
}

const conceptOf = (file: string) => path.basename(file.split(path.sep)[1] ?? '', '.ts');
const levelOf = (concept: string) => levels.findIndex((l) => l.includes(concept));
const core = filesIn('core');
const all = ['core', 'functions', 'local', 'tests', 'verifier', 'witness'].flatMap(filesIn);

describe('imports', () => {
	it('knows the level of every concept of core', () => {
		expect([...new Set(core.map(conceptOf))].filter((c) => levelOf(c) === -1)).toEqual([]);
	});

	it('go down only, between the concepts of core', () => {
		const upward = core.flatMap((file) =>
			importsOf(file)
				.filter((i) => i.startsWith('core/') && conceptOf(i) !== conceptOf(file))
				.filter((i) => levelOf(conceptOf(i)) >= levelOf(conceptOf(file)))
				.map((i) => `${file} imports ${i}`),
		);
		expect(upward).toEqual([]);
	});

	it('enter a concept by its face: its folder is its own', () => {
		const intruders = core.flatMap((file) =>
			importsOf(file)
				.filter((i) => i.startsWith('core/') && i.split('/').length > 2 && conceptOf(i) !== conceptOf(file))
				.map((i) => `${file} imports ${i}`),
		);
		expect(intruders).toEqual([]);
	});

	it('keep core free of the web framework, the deployment and the laptop', () => {
		const forbidden = /^(hono|@hono|sst|functions\/|local\/|tests\/)/;
		expect(
			core.flatMap((f) =>
				importsOf(f)
					.filter((i) => forbidden.test(i))
					.map((i) => `${f}: ${i}`),
			),
		).toEqual([]);
		const functions = filesIn('functions').flatMap((f) => importsOf(f).filter((i) => /^(local|tests)\//.test(i)));
		expect(functions).toEqual([]);
	});

	it('leave the verifier to itself: a folder that others copy needs nothing but Node', () => {
		const foreign = filesIn('verifier').flatMap((f) =>
			importsOf(f)
				.filter((i) => !i.startsWith('verifier/') && !i.startsWith('node:'))
				.map((i) => `${f}: ${i}`),
		);
		expect(foreign).toEqual([]);
	});

	it('leave the witness to itself and the verifier: two folders that others copy', () => {
		const foreign = filesIn('witness').flatMap((f) =>
			importsOf(f)
				.filter((i) => !/^(witness\/|verifier\/|node:)/.test(i))
				.map((i) => `${f}: ${i}`),
		);
		expect(foreign).toEqual([]);
	});

	it('have no cycles', () => {
		const graph = new Map(all.map((f) => [f, importsOf(f).filter((i) => all.includes(i) && !isTypeOnly(f, i))]));
		expect(findCycle(graph)).toBeNull();
	});
});

/** A type import leaves no trace at run time. */
function isTypeOnly(file: string, imported: string): boolean {
	const text = readFileSync(path.join(root, file), 'utf8');
	const name = path.basename(imported).replaceAll('.', '\\.');
	const statements = [...text.matchAll(new RegExp(`(?:import|export)\\s[^;]*?'[^']*${name}'`, 'g'))].map((m) => m[0]);
	return statements.length > 0 && statements.every((s) => /^(import|export)\s+type\s/.test(s));
}

function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | null {
	const done = new Set<string>();
	const visit = (node: string, trail: readonly string[]): string[] | null => {
		const at = trail.indexOf(node);
		if (at !== -1) return [...trail.slice(at), node];
		if (done.has(node)) return null;
		for (const next of graph.get(node) ?? []) {
			const cycle = visit(next, [...trail, node]);
			if (cycle !== null) return cycle;
		}
		done.add(node);
		return null;
	};
	for (const node of graph.keys()) {
		const cycle = visit(node, []);
		if (cycle !== null) return cycle;
	}
	return null;
}

describe('core', () => {
	const calls: readonly [string, RegExp][] = [
		['the environment', /process\.env/],
		['the clock', /Date\.now\(|new Date\(\)|performance\.now/],
		['weak randomness', /Math\.random/],
		['the console', /console\./],
	];
	it.each(calls)('never reads %s', (_, pattern) => {
		expect(core.filter((f) => pattern.test(readFileSync(path.join(root, f), 'utf8')))).toEqual([]);
	});

	it('makes AWS clients in one file', () => {
		const makers = core.filter((f) => /new \w+Client\(/.test(readFileSync(path.join(root, f), 'utf8')));
		expect(makers).toEqual(['core/aws.ts']);
	});

	const text = (file: string) => readFileSync(path.join(root, file), 'utf8');
	const writers = core.filter((f) => /(Update|Delete|Put|BatchWrite)ItemCommand|TransactWrite/.test(text(f)));

	it('deletes a payload in one place, which touches no entry', () => {
		const among = writers.filter((f) => /tables\.payloads/.test(text(f)));
		expect(among).toEqual(['core/ledger/erase.ts']);
		expect(text('core/ledger/erase.ts')).not.toMatch(/tables\.ledger|UpdateItem|PutItem|BatchWrite/);
		expect(text('core/ledger/erase.ts')).toContain('Key: { pk: { S: `P#${id}` }');
	});

	it('never deletes in the ledger, and updates there the head and the marks of the sealer alone', () => {
		const inLedger = writers.filter((f) => /tables\.ledger/.test(text(f)));
		expect(inLedger.toSorted()).toEqual(['core/tlog/head.ts', 'core/tlog/marker.ts']);
		for (const file of inLedger) expect(text(file)).not.toMatch(/DeleteItem|BatchWrite|TransactWrite|tables\.payloads/);
	});

	it('writes listings in three places', () => {
		const others = ['core/lease.ts', 'core/ledger/projection.ts', 'core/tlog/lookup.ts'];
		expect(writers.filter((f) => !/tables\.(ledger|payloads)/.test(text(f))).toSorted()).toEqual(others);
	});
});

describe('files', () => {
	it(`have at most ${CEILING} lines`, () => {
		const long = all.filter((f) => readFileSync(path.join(root, f), 'utf8').split('\n').length > CEILING);
		expect(long).toEqual([]);
	});
});
