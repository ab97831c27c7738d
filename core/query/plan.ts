/**
 * From the caller's SQL to SQL that may run: every table gated, every column read authorised, printed again from the
 * tree. Pure but for the reads it is given.
 */
import type { Product } from '../catalog.ts';
import type { ContractTable } from '../contract.ts';
import { BrokerError } from '../error.ts';
import type { Gate } from '../grants.ts';
import type { BodyOf, TableRef } from '../ledger.ts';
import { normalise, printTrino, type Query, type Relation, type Resolved, resolve, type TableName } from '../sql.ts';

/** A table of the query that the catalog knows, with the caller's gate on it. */
export type Bound = {
	readonly name: TableName;
	readonly product: Product;
	readonly table: ContractTable;
	readonly ref: TableRef;
	readonly gate: Gate;
};

export type Plan = {
	readonly printed: string;
	readonly normalised: string;
	readonly columns: readonly (string | null)[];
	readonly auth: BodyOf<'FlowIntended'>['auth'];
	readonly from: BodyOf<'FlowIntended'>['from'];
	readonly to: BodyOf<'FlowIntended'>['to']['columns'];
	/** When the first of the grants used ends. */
	readonly until: string;
};

type Opened = Bound & { readonly gate: Extract<Gate, { open: true }> };

/** Throws the refusal of the first table or column that the caller may not read, else says what to run. */
export function plan(query: Query, bound: readonly Bound[]): Plan {
	const opened = bound.map(opens);
	const relations = opened.map(relationOf);
	const resolved = resolve(query, (name) => relations[opened.findIndex((o) => sameName(o.name, name))]);
	const refused = resolved.reads.find((r) => !r.granted);
	if (refused !== undefined) throw columnNotGranted(refused, opened);
	const used = opened.filter((o) => resolved.tables.includes(idOf(o)));
	if (used.length === 0)
		throw new BrokerError('unsupported', 'The query reads no data product.', { line: 1, column: 1 });
	return {
		printed: printTrino(resolved),
		normalised: normalise(query),
		columns: resolved.outputs.map((o) => o.name),
		auth: used.map((o) => ({
			table: o.ref,
			grants: o.gate.holdings.map((h) => h.grant),
			ver: o.gate.recorded.ver,
			leaf: o.gate.recorded.leaf,
		})),
		from: used.map((o) => readsOf(o, resolved)),
		to: outputsOf(resolved),
		until: used.flatMap((o) => o.gate.holdings.map((h) => h.until)).toSorted()[0] ?? '',
	};
}

const idOf = (b: Bound) => `${b.product.id}/${b.table.name}`;
const sameName = (a: TableName, b: TableName) => a.database === b.database && a.table === b.table;

function opens(bound: Bound): Opened {
	const { gate, product, table, name } = bound;
	if (gate.open) {
		if (gate.exact || gate.printable) return { ...bound, gate };
		// Lake Formation holds wider rows for others on this principal, and these rows cannot be told apart without
		// reading a column that was not granted.
		throw refusal(bound, 'table-not-granted', 'your rows cannot be separated from those of others on this principal');
	}
	const where = `\`${name.database}.${table.name}\` (data product ${product.id})`;
	const how = `Ask ${product.contract.owner} for access: POST /api/v1/requests with product ${product.id}.`;
	throw refusal(bound, gate.code, `${reasons[gate.code] ?? 'No grant opens'} ${where}. ${how}`);
}

const reasons: Record<string, string> = {
	'table-not-granted': 'You hold no grant on',
	'purpose-mismatch': 'Your grant does not serve this purpose on',
	'grant-expired': 'Your grant has expired on',
	'grant-revoked': 'Your grant was revoked on',
	'grant-not-proven': 'Your grant is not in force in Lake Formation on',
};

function refusal(bound: Bound, code: ConstructorParameters<typeof BrokerError>[0], detail: string): BrokerError {
	const { product, table } = bound;
	return new BrokerError(code, detail, {
		product: product.id,
		table: `${table.database}.${table.name}`,
		owner: product.contract.owner,
	});
}

function relationOf(o: Opened): Relation {
	return {
		id: idOf(o),
		printed: [o.table.database, o.table.name],
		columns: o.table.columns.map((c) => ({
			name: c.name,
			type: c.type,
			granted: o.gate.scope.columns.includes(c.name),
		})),
		rowFilter: o.gate.scope.rowFilter,
	};
}

function columnNotGranted(read: Resolved['reads'][number], opened: readonly Opened[]): BrokerError {
	const of = opened.find((o) => idOf(o) === read.table);
	const owner = of?.product.contract.owner ?? '';
	return new BrokerError(
		'column-not-granted',
		`Column \`${read.column}\` of data product ${of?.product.id} is not granted. Ask ${owner} for it: POST /api/v1/requests.`,
		{ product: of?.product.id, name: read.column, owner, line: read.at.line, column: read.at.column },
	);
}

function readsOf(o: Opened, resolved: Resolved): Plan['from'][number] {
	const reads = resolved.reads.filter((r) => r.table === idOf(o));
	return {
		...o.ref,
		product: o.product.id,
		version: o.product.contract.version,
		columns: reads.map((r) => ({ name: r.column, uses: [...r.uses] })),
	};
}

function outputsOf(resolved: Resolved): Plan['to'] {
	return resolved.outputs.map((o) => ({
		name: o.name !== null && o.sources.some((s) => s.column === o.name) ? o.name : null,
		sources: o.sources.map((s) => ({ table: s.table, column: s.column, kind: s.kind })),
	}));
}
