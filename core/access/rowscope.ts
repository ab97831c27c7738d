/**
 * The rows that a contract leaves to other domains: those where its columns equal attributes of the consuming domain.
 * They are forced into what is asked for, so that whoever approves sees the filter that will hold. A domain without such
 * an attribute sees nothing: its request is refused. Pure.
 */
import type { Product } from '../catalog.ts';
import type { ContractTable } from '../contract.ts';
import type { Domain } from '../domains.ts';
import { BrokerError, type Fault } from '../error.ts';
import { both, canonical, equal, type RowFilter } from '../rowfilter.ts';
import type { RequestedScope } from './request.ts';

type Consumer = Pick<Domain, 'id' | 'attributes'>;

/**
 * The scopes, in their order, each with the rows that the contract leaves to `consumer` and no others; for the product's
 * own domain as they are. Of what it gives, it gives the same again. Throws `request-refused` with a pointer to each
 * table of which no rows can be told, `row-filter-invalid` for a filter that becomes too long.
 */
export function withRowScope(
	product: Product,
	consumer: Consumer,
	scopes: readonly RequestedScope[],
): RequestedScope[] {
	if (consumer.id === product.domain) return [...scopes];
	const left = scopes.map((scope) => rowsLeftTo(consumer, tableOf(product, scope)));
	const errors = left.flatMap(({ faults }, i): Fault[] =>
		faults.map((detail) => ({ pointer: `/tables/${i}`, detail })),
	);
	if (errors.length > 0) {
		const detail = `${product.id} is shared by attributes that domain ${consumer.id} does not have like this; see \`errors\`.`;
		throw new BrokerError('request-refused', detail, { policies: [], errors });
	}
	return scopes.map((scope, i) => ({ ...scope, rowFilter: narrowed(scope.rowFilter, left[i]?.filters ?? [], i) }));
}

/**
 * The scopes without the rows that the contract forced on principals of domain `consumer`, for asking for the same again:
 * what is forced then is what the domain's attributes are then, and not that beside what they were, which is no row at
 * all. A value of such a column that somebody named himself looks the same and goes, too; whoever approves sees what is
 * left.
 */
export function withoutRowScope<S extends RequestedScope>(
	product: Product,
	consumer: Consumer['id'],
	scopes: readonly S[],
): S[] {
	if (consumer === product.domain) return [...scopes];
	return scopes.map((scope) => {
		const forced = tableOf(product, scope)?.rowScope.map((s) => s.column) ?? [];
		return forced.length === 0 ? scope : { ...scope, rowFilter: unforced(scope.rowFilter, forced) };
	});
}

function unforced(filter: RowFilter | null, columns: readonly string[]): RowFilter | null {
	const conjuncts = filter === null ? [] : filter.op === 'and' ? filter.operands : [filter];
	const left = conjuncts.filter((c) => !(c.op === 'compare' && c.operator === '=' && columns.includes(c.column)));
	return left.length === 0 ? null : canonical({ op: 'and', operands: left });
}

/**
 * Whether these scopes still open no more than the contract leaves to `consumer`: attributes of a domain change after a
 * request was filed, and it is what they are at the decision that counts.
 */
export function keepsRowScope(product: Product, consumer: Consumer, scopes: readonly RequestedScope[]): boolean {
	try {
		const now = withRowScope(product, consumer, scopes);
		return now.every(({ rowFilter }, i) => JSON.stringify(rowFilter) === JSON.stringify(scopes[i]?.rowFilter));
	} catch (error) {
		if (error instanceof BrokerError && error.code === 'request-refused') return false;
		throw error;
	}
}

function tableOf({ contract }: Product, { table }: RequestedScope): ContractTable | undefined {
	return contract.tables.find(
		(t) => t.account === table.account && t.database === table.database && t.name === table.table,
	);
}

type Left = { readonly filters: readonly RowFilter[]; readonly faults: readonly string[] };

function rowsLeftTo(consumer: Consumer, table: ContractTable | undefined): Left {
	if (table === undefined) return { filters: [], faults: ['is not a table of the contract'] };
	const filters: RowFilter[] = [];
	const faults: string[] = [];
	for (const { column: name, attribute } of table.rowScope) {
		const column = table.columns.find((c) => c.name === name);
		const value = Object.hasOwn(consumer.attributes, attribute) ? consumer.attributes[attribute] : undefined;
		const filter = column === undefined || value === undefined ? null : equal(column, value);
		if (filter !== null) filters.push(filter);
		else if (value === undefined) faults.push(`a steward must register the attribute \`${attribute}\` of the domain`);
		else faults.push(`the attribute \`${attribute}\` of the domain is no value that column \`${name}\` can have`);
	}
	return { filters, faults };
}

function narrowed(asked: RowFilter | null, forced: readonly RowFilter[], i: number): RowFilter | null {
	try {
		return forced.reduce<RowFilter | null>(both, asked);
	} catch (error) {
		if (!(error instanceof BrokerError)) throw error;
		const errors = [{ pointer: `/tables/${i}/rowFilter`, detail: error.message }];
		throw new BrokerError(error.code, error.message, { ...error.extensions, errors }, { cause: error });
	}
}
