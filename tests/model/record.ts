/**
 * The ledger and its payloads as they lie in the store, read by nothing of core: what the invariants go by. Only the
 * shapes of entries are taken from there.
 */
import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import { parse } from 'yaml';
import type { Platform } from '#core/context.ts';
import type * as Ledger from '#core/ledger.ts';

export type Type = Ledger.Recorded['body']['type'];

export type Entry<T extends Type = Type> = {
	readonly stream: string;
	readonly ver: number;
	readonly at: string;
	readonly actor: string;
	readonly leaf: string;
	readonly body: Ledger.BodyOf<T>;
	/** What lies apart; null where nothing does. */
	readonly pii: Readonly<Record<string, unknown>> | null;
};

/** One stream each, its versions in order. */
export type Book = {
	readonly streams: ReadonlyMap<string, readonly Entry[]>;
	/** Texts of contracts, by hash. */
	readonly texts: ReadonlyMap<string, string>;
};

export async function readRecord(platform: Platform): Promise<Book> {
	const { ledger, payloads } = platform.config.tables;
	const apart = new Map((await scan(platform, payloads)).map((item) => [text(item['pk']), item]));
	const streams = new Map<string, Entry[]>();
	for (const item of await scan(platform, ledger)) {
		// What is no version of a stream is no entry.
		if (!text(item['sk']).startsWith('V#')) continue;
		const entry = entryOf(item, apart);
		streams.set(entry.stream, [...(streams.get(entry.stream) ?? []), entry]);
	}
	for (const entries of streams.values()) entries.sort((a, b) => a.ver - b.ver);
	const texts = [...apart].flatMap(([key, item]): [string, string][] =>
		key.startsWith('D#') ? [[key.slice(2), inflated(item['text'])]] : [],
	);
	return { streams, texts: new Map(texts) };
}

type Item = { readonly [name: string]: AttributeValue };

async function scan({ aws }: Platform, TableName: string): Promise<Item[]> {
	const found: Item[] = [];
	let start: Item | undefined;
	do {
		const page = await aws.dynamodb.send(
			new ScanCommand({
				TableName,
				ConsistentRead: true,
				...(start === undefined ? {} : { ExclusiveStartKey: start }),
			}),
		);
		found.push(...(page.Items ?? []));
		start = page.LastEvaluatedKey;
	} while (start !== undefined);
	return found;
}

const text = (value: AttributeValue | undefined): string => value?.S ?? '';
const inflated = (value: AttributeValue | undefined): string =>
	inflateRawSync(value?.B ?? new Uint8Array()).toString('utf8');

function entryOf(item: Item, apart: ReadonlyMap<string, Item>): Entry {
	const stored = item['b']?.B ?? new Uint8Array();
	const bytes = item['z']?.BOOL === true ? inflateRawSync(stored) : stored;
	const entry = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
		readonly id: string;
		readonly at: string;
		readonly actor: string;
	};
	const payload = apart.get(`P#${entry.id}`);
	return {
		stream: text(item['pk']),
		ver: Number(text(item['sk']).slice(2)),
		at: entry.at,
		actor: entry.actor,
		leaf: createHash('sha256').update(Uint8Array.of(0)).update(bytes).digest('hex'),
		body: entry as unknown as Entry['body'],
		pii: payload === undefined ? null : (JSON.parse(inflated(payload['pii'])) as Entry['pii']),
	};
}

/** Whether an entry is of this type. */
export function is<T extends Type>(entry: Entry, type: T): entry is Entry<T> & Entry {
	return entry.body.type === type;
}

export function of<T extends Type>(entries: readonly Entry[], type: T): (Entry<T> & Entry)[] {
	return entries.filter((entry) => is(entry, type));
}

/** Entries of all streams whose name begins so, by what follows. */
export function streamsOf({ streams }: Book, prefix: string): [id: string, entries: readonly Entry[]][] {
	return [...streams].flatMap(([name, entries]): [string, readonly Entry[]][] =>
		name.startsWith(prefix) ? [[name.slice(prefix.length), entries]] : [],
	);
}

export const grantOf = ({ streams }: Book, grant: string): readonly Entry[] => streams.get(`A#grant#${grant}`) ?? [];

export const isOver = (record: Book, grant: string): boolean => of(grantOf(record, grant), 'GrantEnding').length > 0;

/** Last entries of the streams whose name begins so, as of an instant. */
function standing<T extends Type>({ streams }: Book, prefix: string, type: T, at: string) {
	return [...streams].flatMap(([name, entries]) => {
		if (!name.startsWith(prefix)) return [];
		const last = of(entries, type).findLast((entry) => entry.at <= at);
		return last === undefined ? [] : [last];
	});
}

/** Who is who in the registry, and in which roles, as of an instant. */
export type Registry = {
	readonly holds: (person: string, domain: string, role: string) => boolean;
	readonly isKnown: (person: string) => boolean;
	readonly isProgram: (person: string) => boolean;
	/** Who supervises the mesh decides nothing, whatever else he is. */
	readonly isRegulator: (person: string) => boolean;
	/** The person behind all identities. */
	readonly self: (person: string) => string;
};

export function registryAt(record: Book, at: string): Registry {
	const known = registries.get(record) ?? new Map<string, Registry>();
	registries.set(record, known);
	const registry = known.get(at) ?? readRegistry(record, at);
	known.set(at, registry);
	return registry;
}

const registries = new WeakMap<Book, Map<string, Registry>>();

function readRegistry(record: Book, at: string): Registry {
	const domains = standing(record, 'A#domain#', 'DomainRegistered', at).map(({ body }) => body);
	const members = domains.flatMap((d) => d.members);
	const behind = (person: string) => members.find((m) => m.person === person && m.of !== undefined)?.of;
	const holds: Registry['holds'] = (person, domain, role) =>
		domains.some((d) => d.domain === domain && d.members.some((m) => m.person === person && m.roles.includes(role)));
	return {
		holds,
		isRegulator: (person) => holds(person, 'governance', 'regulator'),
		isKnown: (person) => members.some((m) => m.person === person),
		isProgram: (person) => members.some((m) => m.person === person && m.service === true),
		self: (person) => {
			let self = person;
			for (let next = behind(self); next !== undefined; next = behind(self)) self = next;
			return self;
		},
	};
}

type Property = { readonly property?: string; readonly value?: unknown };
type Document = {
	readonly schema?: readonly {
		readonly name: string;
		readonly properties?: readonly {
			readonly name: string;
			readonly classification?: string;
			readonly customProperties?: readonly Property[];
		}[];
	}[];
	readonly customProperties?: readonly Property[];
};

export type Column = { readonly classification: string; readonly personal: boolean };

/** A text has one hash for good. */
const documents = new Map<string, Document>();

function documentOf({ texts }: Book, contract: string): Document {
	const document = documents.get(contract) ?? (parse(texts.get(contract) ?? '{}') as Document);
	documents.set(contract, document);
	return document;
}

function columnIn(record: Book, contract: string, table: string, name: string) {
	const found = documentOf(record, contract).schema?.find((s) => s.name === table);
	return found?.properties?.find((p) => p.name === name);
}

export const hasColumn = (record: Book, contract: string, table: string, name: string): boolean =>
	columnIn(record, contract, table, name) !== undefined;

/** What a contract says of a column; a column that it does not know is as closely kept as any. */
export function columnOf(record: Book, contract: string, table: string, name: string): Column {
	const property = columnIn(record, contract, table, name);
	if (property === undefined) return { classification: 'restricted', personal: true };
	const regulatory = property.customProperties?.find((p) => p.property === 'regulatoryClass')?.value;
	return { classification: property.classification ?? 'restricted', personal: regulatory !== 'none' };
}

/** A word of the contract's own, as it was sent; undefined where it says nothing of it. */
export function termOf(record: Book, contract: string, name: string): unknown {
	return documentOf(record, contract).customProperties?.find(({ property }) => property === name)?.value;
}
