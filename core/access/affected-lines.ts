/**
 * The sweep's part of a change: all grants of a product, or of a consuming domain, are looked at, page by page. Where that
 * stands is kept as a hint, so that a pass which is cut off, or had its fill, is gone on with. A grant that could not be
 * looked at is put aside as a line of its own, before that is kept, and holds up no other.
 */
import type { Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { follow } from './affected-grants.ts';
import { type Grounds, grounds } from './affected-ground.ts';

const PAGE = 100;
/** What one pass looks at for one change. */
const PAGES = 10;
const { key } = Ledger.Listing;

const whatOf = (line: string) => line.slice(line.indexOf('#') + 1);
const shardFor = (line: string) => key.affected(Ledger.Listing.shardOf(whatOf(line)));

/** Looks at grants that a line of the listing is about, does what is due, and takes it and the earlier ones off at the end. */
export async function followChange(ctx: Context, line: string): Promise<void> {
	const [at = '', kind, id = '', of] = line.split('#');
	const ground = grounds(ctx);
	if (kind === 'grant') {
		const { failed } = await follow(ctx, ground, [id], of === 'domain' ? 'domain' : 'contract');
		if (failed.length > 0) throw new BrokerError('record-corrupt', 'A grant that a change may affect cannot be read.');
		return takeOff(ctx, line);
	}
	const cause = kind === 'domain' ? 'domain' : 'contract';
	if (!(await isThere(ground, cause, id))) throw new BrokerError('record-corrupt', 'What changed has no entries.');
	const pk = cause === 'domain' ? key.grantsOfConsumer(id) : key.grantsOfProduct(id);
	const hint = `affected-${whatOf(line)}`;
	const stood = (await Ledger.Listing.readHint(ctx, hint)) ?? '';
	let after = stood.startsWith(`${line} `) ? stood.slice(line.length + 1) : null;
	for (let page = 0; page < PAGES; page += 1) {
		const found: Ledger.Listing.Page = await Ledger.Listing.list(ctx, pk, { limit: PAGE, after });
		const { failed, over } = await follow(ctx, ground, found.keys, cause);
		for (const grant of over) await Ledger.Listing.remove(ctx, pk, grant);
		await putAside(ctx, at, failed, cause);
		after = found.next;
		if (after === null) break;
		await Ledger.Listing.writeHint(ctx, hint, `${line} ${after}`);
	}
	if (after !== null) return;
	await takeOff(ctx, line);
	if (stood !== '') await Ledger.Listing.writeHint(ctx, hint, '');
}

/** Without it none of its grants can be looked at: the line stays. */
async function isThere(ground: Grounds, cause: 'contract' | 'domain', id: string): Promise<boolean> {
	return (cause === 'domain' ? await ground.domain(id) : await ground.present(id)) !== null;
}

async function putAside(ctx: Context, at: string, grants: readonly string[], cause: string): Promise<void> {
	const lines = grants.map((grant) => Ledger.Listing.affectedAt(`grant#${grant}#${cause}`, at));
	const puts = lines.map((line) => ({ op: 'put' as const, pk: shardFor(line), sk: line }));
	await Ledger.Listing.applyProjections(ctx, puts);
}

/** This line, and the earlier ones of the same. */
async function takeOff(ctx: Context, line: string): Promise<void> {
	const shard = shardFor(line);
	let after: string | null = null;
	do {
		const page: Ledger.Listing.Page = await Ledger.Listing.list(ctx, shard, { limit: PAGE, upTo: line, after });
		for (const one of page.keys) if (whatOf(one) === whatOf(line)) await Ledger.Listing.remove(ctx, shard, one);
		after = page.next;
	} while (after !== null);
}
