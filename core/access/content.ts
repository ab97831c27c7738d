/**
 * What is asked for as it stands: the last thing said of it, filed, edited or narrowed. Its hash is the request's ETag,
 * and what a decision binds. Free text and constants on personal columns lie in the payload of the entry that says it.
 */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import * as Ledger from '../ledger.ts';
import { concealer, type Recalled, recall, type Scope, tableKey } from '../scope.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;

export type ReadScope = Recalled & { readonly table: Ledger.TableRef };

export type Content = {
	readonly contract: Ledger.BodyOf<'AccessRequested'>['contract'];
	readonly principal: string;
	readonly purpose: string;
	readonly legalBasis: string;
	readonly scopes: readonly ReadScope[];
	readonly beneficiaries: readonly string[];
	readonly duration: string;
	/** Null once erased. */
	readonly justification: string | null;
	readonly route: readonly string[];
	readonly contentHash: string;
};

/** What approvers can make less of. */
export type Extent = Pick<Content, 'scopes' | 'duration'>;

/**
 * The content as it stands, how much of it was asked for before approvers made it less, and each duration that was said
 * on the way: which of them ends first depends on when it begins.
 */
export async function contentOf(
	ctx: ReadCtx,
	entries: readonly Ledger.Recorded[],
	filed: Ledger.Recorded<'AccessRequested'>,
): Promise<{ content: Content; asked: Extent; durations: readonly string[]; template: string | null }> {
	const edited = entries.findLast((e) => e.body.type === 'AccessEdited');
	const said = edited === undefined ? filed : Ledger.as(edited, 'AccessEdited');
	const pii = await Ledger.payload(ctx, said.entry);
	const { contract, principal, purpose, legalBasis, beneficiaries, duration, route, contentHash } = said.body;
	const justification = typeof pii?.['justification'] === 'string' ? pii['justification'] : null;
	const scopes = recalled(said.body.tables, pii);
	const full = { contract, principal, purpose, legalBasis, scopes, beneficiaries, duration, justification };
	const content = { ...full, route, contentHash };
	const since = entries.slice(entries.findIndex((e) => e.leaf === said.leaf));
	const less = await narrowedTo(ctx, since);
	const shorter = since.flatMap(({ body }) => (body.type === 'AccessDecided' ? (body.narrowed?.duration ?? []) : []));
	const told = { asked: { scopes, duration }, durations: [duration, ...shorter], template: said.body.template ?? null };
	return { content: { ...content, ...less }, ...told };
}

/** What the last approver who made it less left of it. */
async function narrowedTo(
	ctx: ReadCtx,
	entries: readonly Ledger.Recorded[],
): Promise<Pick<Content, 'scopes' | 'duration' | 'contentHash'> | null> {
	const last = entries.findLast((e) => e.body.type === 'AccessDecided' && e.body.narrowed !== undefined);
	if (last === undefined) return null;
	const { body, entry } = Ledger.as(last, 'AccessDecided');
	if (body.narrowed === undefined) return null;
	const { tables, duration, contentHash } = body.narrowed;
	return { scopes: recalled(tables, await Ledger.payload(ctx, entry)), duration, contentHash };
}

type Tables = Ledger.BodyOf<'AccessRequested'>['tables'];

function recalled(tables: Tables, pii: Record<string, unknown> | null): ReadScope[] {
	const secrets = (pii?.['rowFilters'] ?? {}) as Record<string, unknown>;
	return tables.map(({ columns, rowFilter, ...table }) => ({
		table,
		...recall({ columns, rowFilter }, secrets[tableKey(table)]),
	}));
}

/** What the hash of a content is over, besides a nonce. */
export type Shown = Omit<Content, 'scopes' | 'route' | 'legalBasis' | 'contract' | 'contentHash'> & {
	readonly id: string;
	readonly product: string;
	/** Hash of the contract. */
	readonly contract: string;
	readonly scopes: readonly (Scope & { readonly table: Ledger.TableRef })[];
};

/** A content as an entry records it: tables with constants hidden, the hash, and what must go into the payload. */
export async function sealed(ctx: Context, shown: Shown) {
	const personal = await Catalog.personalColumns(ctx, shown.product);
	const hide = concealer(ctx.random(16));
	const scopes = shown.scopes.map(({ table, columns, rowFilter }) => ({ table, columns, rowFilter }));
	const tables = scopes.map(({ table, ...scope }) => ({
		...table,
		...hide.store(tableKey(table), scope, personal(table)),
	}));
	// Without it, the hash would confirm a guess of what the payload holds.
	const nonce = Buffer.from(ctx.random(16)).toString('hex');
	const contentHash = Ledger.sha256(Ledger.canonicalBytes({ ...shown, scopes, nonce }));
	return { tables, contentHash, pii: { nonce, ...hide.pii().pii } };
}
