/**
 * Whether entries hold what is asked for: told before anything of it is stored, so that no request is taken and decided on
 * whose grant could not be recorded. What one table of it adds to what the principal holds there is looked at by `mustFit`.
 */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { concealer, type Scope, tableKey } from '../scope.ts';

/** What such an entry says besides tables and persons: names, contract, rules, hashes. */
const REST_BYTES = 12 * 1024;

/** Throws `too-large`. */
export async function mustBeRecordable(
	ctx: Pick<Context, 'aws' | 'config'>,
	scopes: readonly (Scope & { readonly table: Ledger.TableRef })[],
	{ product, beneficiaries }: { readonly product: string; readonly beneficiaries: readonly string[] },
): Promise<void> {
	const personal = await Catalog.personalColumns(ctx, product);
	// Hidden constants take the room of a hash each, whatever the salt is.
	const hide = concealer(new Uint8Array(16));
	const tables = scopes.map(({ table, columns, rowFilter }) => ({
		...table,
		...hide.store(tableKey(table), { columns, rowFilter }, personal(table)),
	}));
	const { length } = Ledger.canonicalBytes({ tables, beneficiaries });
	const most = Ledger.MAX_ENTRY_BYTES - REST_BYTES;
	if (length <= most) return;
	throw new BrokerError(
		'too-large',
		`The record of these tables, columns and row filters would take ${length} bytes; at most ${most} fit. ` +
			'Ask for fewer columns or with shorter row filters, or for some of the tables in another request.',
	);
}
