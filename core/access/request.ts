/** What a consumer asks for: the body as sent, checked against contract, registry and Lake Formation's grammar. */
import { end as durationEnd, parse as parseDuration } from 'iso8601-duration';
import * as z from 'zod';
import { lifeOf, type Product, refOf } from '../catalog.ts';
import { type ContractTable, LONGEST_DAYS } from '../contract.ts';
import { BrokerError } from '../error.ts';
import { Issuer, ProductId, RoleArn, Slug } from '../id.ts';
import type { TableRef } from '../ledger.ts';
import type { Parser } from '../parser.ts';
import { readRowFilter } from '../rowfilter.ts';
import type { Scope } from '../scope.ts';
import { Text } from '../text.ts';

/** What is asked for, spelled out. */
export const AccessRequest = z.strictObject({
	product: ProductId.meta({ example: 'lending.loans' }),
	version: z.string().optional().meta({ description: 'Contract version; the current one if absent' }),
	tables: z
		.array(
			z.strictObject({
				table: z.string().min(1).max(255).meta({ description: 'Table of the product', example: 'loans' }),
				columns: z.array(z.string().min(1).max(255)).min(1).max(1000),
				rowFilter: z.string().min(1).max(10_000).nullish().meta({
					description: 'Predicate in Lake Formation grammar; all rows if absent',
					example: "status IN ('B','D')",
				}),
			}),
		)
		.min(1)
		.max(50),
	purpose: Slug.meta({ example: 'credit-risk' }),
	principal: RoleArn,
	beneficiaries: z
		.array(z.strictObject({ issuer: Issuer, subject: z.string().min(1).max(255) }))
		.min(1)
		.max(100)
		.optional()
		.meta({ description: 'Who may query under the grant; the requester if absent' }),
	duration: z.iso.duration().max(40).meta({ description: 'ISO 8601 duration from the decision', example: 'P30D' }),
	justification: Text,
});
export type AccessRequest = z.infer<typeof AccessRequest>;

export type RequestedScope = Scope & { readonly table: TableRef };

/** The scopes asked for, canonical. Throws `table-not-found`, `column-not-found` or `row-filter-invalid`. */
export async function scopesOf(
	parser: Parser,
	product: Product,
	asked: AccessRequest['tables'],
): Promise<RequestedScope[]> {
	const scopes = await Promise.all(asked.map((a, i) => scopeOf(parser, product, a, `/tables/${i}`)));
	const names = scopes.map((s) => JSON.stringify(s.table));
	const twice = names.findIndex((n, i) => names.indexOf(n) !== i);
	if (twice !== -1) throw invalid(`/tables/${twice}/table`, 'the same table twice; put its columns into one');
	return scopes;
}

async function scopeOf(
	parser: Parser,
	product: Product,
	asked: AccessRequest['tables'][number],
	pointer: string,
): Promise<RequestedScope> {
	const table = tableOf(product, asked.table);
	if (table === undefined) {
		throw new BrokerError('table-not-found', `${product.id} has no table \`${asked.table}\`.`, {
			errors: [
				{ pointer: `${pointer}/table`, detail: `one of: ${product.contract.tables.map((t) => t.name).join(', ')}` },
			],
		});
	}
	const columns = [...new Set(asked.columns.map((c) => c.toLowerCase()))];
	const unknown = columns.find((c) => !table.columns.some((known) => known.name === c));
	if (unknown !== undefined) throw unknownColumn(product, table, unknown, pointer);
	// Lake Formation cannot hide partition keys (Developer Guide, "Data filtering notes"): say so instead of pretending.
	const key = table.columns.find((c) => c.partition && !columns.includes(c.name));
	if (key !== undefined)
		throw invalid(`${pointer}/columns`, `must list partition key \`${key.name}\`: it is always visible`);
	const inTableOrder = table.columns.map((c) => c.name).filter((c) => columns.includes(c));
	return {
		table: refOf(table),
		columns: inTableOrder.toSorted(),
		rowFilter: await filterOf(parser, table, asked.rowFilter, pointer),
	};
}

/** The table of the product that is asked for, with its database or without. */
export function tableOf({ contract }: Product, asked: string): ContractTable | undefined {
	const name = asked.toLowerCase();
	return contract.tables.find((t) => t.name === name || `${t.database}.${t.name}` === name);
}

async function filterOf(parser: Parser, table: ContractTable, text: string | null | undefined, pointer: string) {
	if (text == null) return null;
	try {
		return await readRowFilter(parser, text, table.columns);
	} catch (error) {
		if (!(error instanceof BrokerError)) throw error;
		throw new BrokerError(error.code, error.message, {
			...error.extensions,
			errors: [{ pointer: `${pointer}/rowFilter`, detail: error.message }],
		});
	}
}

function unknownColumn(product: Product, table: ContractTable, column: string, pointer: string): BrokerError {
	return new BrokerError('column-not-found', `${product.id} has no column \`${column}\` in ${table.name}.`, {
		errors: [{ pointer: `${pointer}/columns`, detail: `no column \`${column}\`` }],
	});
}

/** The instant that lies `duration` after `from`. Throws `validation` unless it is a positive ISO 8601 duration in bounds. */
export function until(duration: string, from: Date): Date {
	let at: Date;
	try {
		at = durationEnd(parseDuration(duration), from);
	} catch {
		throw invalid('/duration', 'must be an ISO 8601 duration such as P30D or PT8H');
	}
	const ms = at.getTime() - from.getTime();
	if (!(ms > 0 && ms <= LONGEST_DAYS * 86_400_000))
		throw invalid('/duration', `must be more than nothing and at most P${LONGEST_DAYS}D`);
	return at;
}

/** Access ends no later than the product does. Throws `product-retired`, or `validation` for what would outlive it. */
export function mustEndInTime({ id, contract }: Product, ends: Date, now: Date): void {
	const { retires } = lifeOf(contract);
	if (retires === null) return;
	const at = retires.toISOString();
	if (now >= retires) throw new BrokerError('product-retired', `${id} retired at ${at}.`);
	if (ends > retires) throw invalid('/duration', `${id} retires at ${at}, before the end of this; ask for less`);
}

export function invalid(pointer: string, detail: string): BrokerError {
	return new BrokerError('validation', `The request is not valid: ${detail}.`, { errors: [{ pointer, detail }] });
}
