/** Calls of erasing: a request that was withdrawn, so that nothing needs its words any more. */
import * as Ledger from '#core/ledger.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { file, post, requestBody } from '../harness.ts';
import type { Arrange } from './arrange.ts';

/** The entry of a request of alice's that she took back. */
export async function withdrawn(world: TestBank['world']): Promise<string> {
	const { view } = await file(world, 'alice', requestBody(world));
	await world.call(post('alice', `/requests/${view.id}/cancel`));
	const [filed] = await Ledger.read(world.bank.platform, Ledger.stream.request(view.id));
	return filed?.entry.id ?? '';
}

export const ofErasures: Readonly<Record<string, Arrange>> = {
	eraseEntry: async (test, body) => ({ who: 'paula', params: { id: await withdrawn(test.world) }, body }),
	listErasures: () => Promise.resolve({ who: 'rita' }),
};
