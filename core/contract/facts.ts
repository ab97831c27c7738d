/**
 * What the rules of publication (policies/) may know of a contract, and where in the document each fact stands, so that
 * a refusal can point there. Facts only: whether they will do is the policies' to say. Pure.
 */
import type { Entity } from '../policy.ts';
import { compare, droppedScopes, isLower, isWider } from './compare.ts';
import { at, custom, customPath, list, physicalName } from './rules.ts';
import type { Path } from './text.ts';
import type { Contract } from './view.ts';

export type ContractFacts = Entity.ContractFacts;

/** A part of the document that a fact speaks of; `says` names it, where one place stands for several. */
export type Place = { readonly path: Path; readonly says?: string };

export type Found = {
	readonly facts: ContractFacts;
	/** By the name of the fact. */
	readonly places: Readonly<Record<string, readonly Place[]>>;
};

const uuid = /^(urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** RFC 8141: a namespace, and a name in it. */
const urn = /^urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:[\w.~!$&'()*+,;=:@/%-]+$/i;
const snakeCase = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/**
 * `before` is the version that stands published, or null when there is none; `earlier` those before it, oldest first: a
 * column that was taken away and comes back is held against what it was last.
 */
export function factsOf(contract: Contract, before: Contract | null, earlier: readonly Contract[] = []): Found {
	const { document } = contract;
	const columns = columnsOf(document);
	const unclassified = columns.filter(({ column }) => at(column, ['classification']) === undefined);
	const unregulated = columns.filter(({ column }) => custom(column, 'regulatoryClass') === undefined);
	const misnamed = namesOf(document, columns).filter(({ name }) => !snakeCase.test(name));
	const changes = before === null ? null : compare(before, contract);
	const breaking = changes?.changes.filter((c) => c.breaking) ?? [];
	const history = before === null ? earlier : [...earlier, before];
	const lowered = loweredSince(history, contract);
	const opened = openedSince(history, contract);
	return {
		facts: {
			...(contract.owner === '' ? {} : { owner: contract.owner }),
			id: idForm(document['id']),
			status: contract.status,
			classification: contract.classification,
			personal: contract.personal,
			unclassified: unclassified.map(({ name }) => name),
			unregulated: unregulated.map(({ name }) => name),
			misnamed: misnamed.map(({ name }) => name),
			promises: promisesOf(document),
			bump: changes?.bump ?? 'first',
			breaking: breaking.length > 0,
			lowered: [...lowered, ...opened.map(({ name }) => name)],
		},
		places: {
			owner: [{ path: ['team'] }],
			id: [{ path: ['id'] }],
			status: [{ path: ['status'] }],
			unclassified: unclassified.map(({ path }) => ({ path })),
			unregulated: unregulated.map(({ path }) => ({ path })),
			misnamed: misnamed.map(({ path }) => ({ path })),
			promises: [{ path: ['slaProperties'] }],
			lowered: [
				...columns.filter(({ name }) => lowered.has(name)).map(({ path }) => ({ path })),
				...opened.map(({ path, says }) => ({ path, says })),
			],
			breaking: breaking.map((c) => ({
				path: ['version'],
				says: [c.kind, [c.table, c.column].filter(Boolean).join('.') || c.from].join(' '),
			})),
		},
	};
}

/** Columns that are less confidential than where they were last seen, or no longer personal, as `table.column`. */
function loweredSince(history: readonly Contract[], contract: Contract): ReadonlySet<string> {
	const newestFirst = history.toReversed();
	const lastSeen = (table: string, column: string) =>
		newestFirst
			.flatMap((version) => version.tables.filter((t) => t.name === table).flatMap((t) => t.columns))
			.find((c) => c.name === column);
	const found = contract.tables.flatMap((table) =>
		table.columns
			.filter((column) => {
				const was = lastSeen(table.name, column.name);
				return was !== undefined && isLower(column, was);
			})
			.map((column) => `${table.name}.${column.name}`),
	);
	return new Set(found);
}

/** Rows and places that were closed to other domains where they were last seen, and are not. */
function openedSince(history: readonly Contract[], contract: Contract): (Named & { readonly says: string })[] {
	const newestFirst = history.toReversed();
	const tables = contract.tables.flatMap((table, i) => {
		const was = newestFirst.flatMap((version) => version.tables).find((t) => t.name === table.name);
		const own = customPath(list(contract.document['schema'])[i], 'rowScope') ?? [];
		return (was === undefined ? [] : droppedScopes(was, table)).map(({ column, attribute }) => ({
			name: `${table.name}.${column}`,
			path: ['schema', i, ...own],
			says: `rowScope of ${column} by ${attribute} is gone`,
		}));
	});
	const [last] = newestFirst;
	if (last === undefined || !isWider(contract.residency, last.residency)) return tables;
	const path = customPath(contract.document, 'residency') ?? ['customProperties'];
	return [...tables, { name: 'residency', path, says: `residency was ${last.residency.join(', ')}` }];
}

type Named = { readonly name: string; readonly path: Path };

/** Each column as `table.column`. */
function columnsOf(document: Contract['document']): (Named & { readonly column: unknown })[] {
	return list(document['schema']).flatMap((table, i) =>
		list(at(table, ['properties'])).map((column, k) => ({
			column,
			name: `${String(physicalName(table))}.${String(physicalName(column))}`,
			path: ['schema', i, 'properties', k],
		})),
	);
}

/** The names that Glue and the catalog know, each by itself. */
function namesOf(document: Contract['document'], columns: readonly Named[]): Named[] {
	const tables = list(document['schema']).map((table, i) => ({
		name: String(physicalName(table)),
		path: ['schema', i],
	}));
	const own = columns.map(({ name, path }) => ({ name: name.slice(name.indexOf('.') + 1), path }));
	return [{ name: String(document['dataProduct']), path: ['dataProduct'] }, ...tables, ...own];
}

function idForm(id: unknown): string {
	const text = String(id);
	if (uuid.test(text)) return 'uuid';
	return urn.test(text) ? 'urn' : 'other';
}

/** Service levels that are an amount of time: without a positive one they promise nothing. */
const amounts: ReadonlySet<string> = new Set(['frequency', 'latency', 'retention']);

/** Service levels that the contract names with a value that promises something. */
function promisesOf(document: Contract['document']): string[] {
	const promised = list(document['slaProperties']).flatMap((p) => {
		const [name, value] = [String(at(p, ['property'])), at(p, ['value'])];
		return (amounts.has(name) ? isPositive(value) : isSaid(value)) ? [name] : [];
	});
	return [...new Set(promised)].toSorted();
}

function isPositive(value: unknown): boolean {
	if (typeof value === 'string') return /^\d+(\.\d+)?$/.test(value.trim()) && isPositive(Number(value));
	return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function isSaid(value: unknown): boolean {
	return typeof value === 'string' ? value.trim() !== '' : value != null && value !== false;
}
