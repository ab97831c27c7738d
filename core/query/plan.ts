/**
 * From the caller's SQL to SQL that may run: every table gated, every column read authorised, printed again from the
 * tree. Pure but for the reads it is given.
 */
import type { FoundTable, FoundView } from '../catalog.ts';
import { BrokerError } from '../error.ts';
import type { Gate } from '../grants.ts';
import type { BodyOf } from '../ledger.ts';
import type { ColumnMap } from '../lineage.ts';
import { normalise, printTrino, type Query, type Relation, type Resolved, resolve } from '../sql.ts';
import { demandFewLinks, demandPrintable, demandRecordable } from './limits.ts';
import { influenceOf } from './lineage-view.ts';
import { lookupOf, type ReadThrough, readThrough, wholeRelation } from './lookup.ts';

/** A table that the query reads, itself or through a view, with the caller's gate on it. */
export type Bound = FoundTable & {
	readonly gate: Gate;
	/** The database under which the principal's account sees the table: its own name, or that of a resource link. */
	readonly seenAs: string;
};

export type Binding = { readonly tables: readonly Bound[]; readonly views: readonly FoundView[] };

type Opened = Bound & { readonly gate: Extract<Gate, { open: true }> };

export type Plan = {
	readonly printed: string;
	readonly normalised: string;
	readonly columns: readonly (string | null)[];
	readonly auth: BodyOf<'FlowIntended'>['auth'];
	readonly from: readonly Omit<BodyOf<'FlowIntended'>['from'][number], 'columns'>[];
	/** What is read of each of those, and what becomes of it. */
	readonly map: ColumnMap;
	/** When the first of the grants used ends. */
	readonly until: string;
};

/**
 * What a query reads, whether the caller may or not: a table that no grant opens, or of which a view reads more than is
 * granted (`beyond`), is taken with all its columns.
 */
export function examine(
	query: Query,
	binding: Binding,
	beyond: readonly ReadThrough[] = beyondGrants(binding),
): Resolved {
	const whole = new Set(beyond.map(({ table }) => table));
	const resolved = resolve(
		query,
		lookupOf(binding, (bound) => (isOpen(bound) && !whole.has(bound.id) ? relationOf(bound) : wholeRelation(bound))),
	);
	if (resolved.tables.length === 0) {
		throw new BrokerError('unsupported', 'The query reads no data product.', { line: 1, column: 1 });
	}
	demandFewLinks(resolved);
	return resolved;
}

/** Throws the refusal of the first table or column that the caller may not read, else says what to run. */
export function plan(query: Query, binding: Binding): Plan {
	const opened = binding.tables.map(opens);
	const beyond = beyondGrants(binding);
	const [first] = beyond;
	if (first !== undefined) throw columnNotGranted({ ...first, at: first.via.at }, opened, first.via.view);
	return planOf(query, opened, examine(query, binding, beyond));
}

/**
 * The plan of a query that was examined, all its tables open. Throws what else the run would refuse: a column that is not
 * granted, and `too-large` for what Athena or the ledger would not take.
 */
export function planOf(query: Query, opened: readonly Opened[], resolved: Resolved): Plan {
	const refused = resolved.reads.find((r) => !r.granted);
	if (refused !== undefined) throw columnNotGranted(refused, opened);
	const used = opened.filter((o) => resolved.tables.includes(o.id));
	const planned: Plan = {
		printed: printTrino(resolved),
		normalised: normalise(query),
		columns: resolved.outputs.map((o) => o.name),
		auth: used.map((o) => ({
			table: o.ref,
			grants: o.gate.holdings.map((h) => h.grant),
			ver: o.gate.recorded.ver,
			leaf: o.gate.recorded.leaf,
		})),
		from: used.map((o) => ({ ...o.ref, product: o.product.id, version: o.product.contract.version })),
		map: {
			from: used.map((o) => readsOf(o, resolved)),
			to: { columns: outputsOf(resolved), rows: resolved.rows.map(influenceOf) },
		},
		until: used.flatMap((o) => o.gate.holdings.map((h) => h.until)).toSorted()[0] ?? '',
	};
	demandPrintable(planned.printed);
	demandRecordable({ auth: planned.auth, from: planned.from }, planned.map);
	return planned;
}

/** What views read of open tables, and no grant opens. */
function beyondGrants(binding: Binding): ReadThrough[] {
	const opened = new Map(binding.tables.filter(isOpen).map((o) => [o.id, o.gate.scope.columns]));
	return readThrough(binding).filter(({ table, column }) => opened.get(table)?.includes(column) === false);
}

function opens(bound: Bound): Opened {
	if (isOpen(bound)) return bound;
	throw closedBy(bound);
}

/** Whether these rows can be read: where Lake Formation holds wider rows, ours must be told by granted columns. */
export function isOpen(bound: Bound): bound is Opened {
	return bound.gate.open && (bound.gate.exact || bound.gate.printable);
}

/** Why a table is not open to the caller, and whom to ask. The table is named, also below a view: metadata is open. */
export function closedBy(bound: Bound): BrokerError {
	const { gate, product, table, via } = bound;
	const name = `${table.database}.${table.name}`;
	const about = { product: product.id, owner: product.contract.owner, table: name };
	const members = { ...about, ...(via === null ? {} : { view: via.view }), ...bound.at };
	if (gate.open) {
		const detail = 'your rows cannot be separated from those of others on this principal';
		return new BrokerError('table-not-granted', detail, members);
	}
	const through = via === null ? '' : `, which the view \`${via.view}\` reads`;
	const where = `\`${name}\` (data product ${product.id})${through}`;
	const how = `Ask ${product.contract.owner} for access: POST /api/v1/requests with product ${product.id}.`;
	return new BrokerError(gate.code, `${reasons[gate.code] ?? 'No grant opens'} ${where}. ${how}`, members);
}

const reasons: Record<string, string> = {
	'table-not-granted': 'You hold no grant on',
	'purpose-mismatch': 'Your grant does not serve this purpose on',
	'grant-expired': 'Your grant has expired on',
	'grant-revoked': 'Your grant was revoked on',
	'grant-suspended': 'Your grant is suspended on',
	'grant-not-proven': 'Your grant is not in force in Lake Formation on',
};

function relationOf(opened: Opened): Relation {
	const { columns, rowFilter } = opened.gate.scope;
	const whole = wholeRelation(opened);
	const printed = [opened.seenAs, opened.table.name];
	return {
		...whole,
		printed,
		columns: whole.columns.map((c) => ({ ...c, granted: columns.includes(c.name) })),
		rowFilter,
	};
}

type Refused = Pick<Resolved['reads'][number], 'table' | 'column' | 'at'>;

/** `view`: the one that reads it. */
function columnNotGranted({ table, column, at }: Refused, opened: readonly Opened[], view?: string): BrokerError {
	const of = opened.find((o) => o.id === table);
	const owner = of?.product.contract.owner ?? '';
	const what = `Column \`${column}\` of data product ${of?.product.id}`;
	const which = view === undefined ? what : `${what}, which the view \`${view}\` reads,`;
	return new BrokerError('column-not-granted', `${which} is not granted. Ask ${owner} for it: POST /api/v1/requests.`, {
		product: of?.product.id,
		name: column,
		owner,
		...(view === undefined ? {} : { view }),
		...at,
	});
}

function readsOf(o: Opened, resolved: Resolved): ColumnMap['from'][number] {
	const reads = resolved.reads.filter((r) => r.table === o.id);
	return reads.map((r) => ({ name: r.column, uses: [...r.uses] }));
}

function outputsOf(resolved: Resolved): ColumnMap['to']['columns'] {
	return resolved.outputs.map((o) => ({
		name: o.name !== null && o.sources.some((s) => s.column === o.name) ? o.name : null,
		sources: o.sources.map((s) => ({ ...s })),
		indirect: o.indirect.map(influenceOf),
	}));
}
