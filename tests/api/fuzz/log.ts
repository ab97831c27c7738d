/** Calls of the log: something is sealed, so that there is something to be seen. */
import * as Ledger from '#core/ledger.ts';
import type { Handle } from '#local/people.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { tilePath } from '#verifier/tile.ts';
import type { Arrange } from './arrange.ts';

type Sealed = { readonly size: number; readonly entry: string };

/** Seals what waits; the first tile of the log, and an entry on a product of olga's. */
export async function sealedIn({ bank }: Pick<TestBank, 'bank'>): Promise<Sealed> {
	const { size } = await bank.seal();
	const [first] = await Ledger.read(bank.platform, Ledger.stream.product('lending.loans'));
	return { size, entry: first?.entry.id ?? '' };
}

/** Without its first part, `tile/0/`; escaped, as one part of an address. */
export const firstPlace = (size: number) => tilePath(0, 0, Math.min(size, 256)).slice('tile/0/'.length);

const of =
	(who: Handle, params?: (sealed: Sealed) => Record<string, string>): Arrange =>
	async (test) => {
		const sealed = await sealedIn(test);
		return { who, ...(params === undefined ? {} : { params: params(sealed) }) };
	};

export const ofLog: Readonly<Record<string, Arrange>> = {
	getCheckpoint: of('alice'),
	getTile: of('alice', ({ size }) => ({ path: encodeURIComponent(`0/${firstPlace(size)}`) })),
	getEntryBundle: of('rita', ({ size }) => ({ path: encodeURIComponent(firstPlace(size)) })),
	getEntryProof: of('olga', ({ entry }) => ({ id: entry })),
	getConsistency: of('alice'),
	auditLedger: of('oscar'),
};
