/**
 * Contracts for conformance: every member of the standard in use (members.yaml), and what single changes make of them.
 * Each is small, so that a change stands alone.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

type Json = unknown;
type Members = Record<string, Json>;
type Path = readonly (string | number)[];

type Parts = {
	readonly base: Members;
	readonly sections: Record<string, Members>;
	readonly servers: readonly Json[];
	readonly glue: readonly Json[];
	readonly quality: readonly Json[];
	readonly columns: readonly Json[];
};

export type Sample = { readonly name: string; readonly document: Members };

const parts = parse(readFileSync(fileURLToPath(new URL('members.yaml', import.meta.url)), 'utf8')) as Parts;
const { base } = parts;
const [glueServer] = base['servers'] as Json[];
const [table] = base['schema'] as Members[];
const [column] = (table?.['properties'] ?? []) as Members[];

const withServers = (servers: readonly Json[]) => ({ ...base, servers });
const withColumns = (columns: readonly Json[]) => ({ ...base, schema: [{ ...table, properties: columns }] });

/** Contracts that the standard and Fairlead take. */
export function samples(): Sample[] {
	return [
		{ name: 'base', document: base },
		...Object.entries(parts.sections).map(([name, members]) => ({ name, document: { ...base, ...members } })),
		...parts.servers.map((s, i) => ({ name: `server ${i}`, document: withServers([glueServer, s]) })),
		...parts.glue.map((s, i) => ({ name: `glue ${i}`, document: withServers([s]) })),
		...parts.quality.map((q, i) => ({ name: `quality ${i}`, document: withColumns([{ ...column, quality: [q] }]) })),
		...parts.columns.map((c, i) => ({ name: `column ${i}`, document: withColumns([c, column]) })),
	];
}

/** All of it as one contract. */
export function whole(): Members {
	const { 'team-of-v3.0': _, ...sections } = parts.sections;
	const merged = Object.assign({}, base, ...Object.values(sections)) as Members;
	const [described] = merged['schema'] as Members[];
	const columns = [...parts.columns, { ...column, quality: parts.quality }];
	return { ...merged, servers: [...parts.servers, ...parts.glue], schema: [{ ...described, properties: columns }] };
}

const values: readonly Json[] = [
	null,
	true,
	7,
	-1,
	1.5,
	'',
	'x y',
	'2026-02-30',
	[],
	['x'],
	[0],
	{},
	{ x: 1 },
	'constructor',
	'__proto__',
	{ toString: 1, valueOf: 1 },
];

/**
 * Each place of a document with each other value, or without its own, or with a member that nobody knows. What is as it
 * is in the base is changed there alone.
 */
export function* changes(document: Members): Generator<Sample> {
	for (const path of paths(document, [])) {
		if (document !== base && JSON.stringify(at(document, path)) === JSON.stringify(at(base, path))) continue;
		const name = path.join('/');
		const old = at(document, path);
		yield { name: `${name} removed`, document: replaced(document, path, undefined) };
		for (const value of values) {
			yield { name: `${name} = ${JSON.stringify(value)}`, document: replaced(document, path, value) };
		}
		if (Array.isArray(old)) {
			for (const more of [null, 'x', {}, old[0]]) {
				yield { name: `${name} + ${JSON.stringify(more)}`, document: replaced(document, path, [...old, more]) };
			}
		} else if (typeof old === 'object' && old !== null) {
			for (const member of ['nobodyKnows', 'location', 'mustBe', 'properties', 'name', '__proto__']) {
				const more = Object.fromEntries([...Object.entries(old), [member, 'x']]);
				yield { name: `${name} + ${member}`, document: replaced(document, path, more) };
			}
		}
	}
}

function* paths(value: Json, path: Path): Generator<Path> {
	if (path.length > 0) yield path;
	if (typeof value !== 'object' || value === null) return;
	for (const key of Object.keys(value)) {
		yield* paths(at(value, [key]), [...path, Array.isArray(value) ? Number(key) : key]);
	}
}

function at(value: Json, path: Path): Json {
	return path.reduce<Json>((v, key) => (v as Members | null | undefined)?.[key], value);
}

/** A copy in which this place holds another value, or is gone. */
function replaced(document: Members, path: Path, value: Json): Members {
	const [key, ...rest] = path;
	if (key === undefined) return value as Members;
	if (Array.isArray(document)) {
		const below = rest.length === 0 ? value : replaced(document[Number(key)] as Members, rest, value);
		const changed = below === undefined ? document.toSpliced(Number(key), 1) : document.with(Number(key), below);
		return changed as unknown as Members;
	}
	const { [key]: old, ...others } = document;
	const below = rest.length === 0 ? value : replaced(old as Members, rest, value);
	return below === undefined ? others : { ...document, [key]: below };
}
