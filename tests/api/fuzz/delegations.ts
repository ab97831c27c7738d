/** Calls about delegations that are taken as they stand. Olga's begin next week, so that nobody decides by one meanwhile. */
import type { DelegationView } from '#core/delegation.ts';
import { type Handle, people } from '#local/people.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { get, post } from '../harness.ts';
import type { Arrange } from './arrange.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

const bodyOf = ({ bank }: TestBank, to: Handle) => ({
	domain: 'lending',
	role: 'owner',
	to: { issuer: bank.issuer.issuer, subject: people[to].subject },
	from: inDays(7),
	until: inDays(14),
	reason: 'On leave for a week',
});

async function give(test: TestBank, who: Handle, more: object = {}): Promise<string> {
	const { from: _, ...rest } = bodyOf(test, 'ruth');
	const answer = await test.world.call(post(who, '/delegations', { ...rest, ...more }));
	return (answer.body as DelegationView).id;
}

/** One of customers, in force: Ruth decides in Peter's place. */
const inForce = new WeakMap<TestBank, Promise<string>>();
export function delegatedToRuth(test: TestBank): Promise<string> {
	const known = inForce.get(test) ?? give(test, 'peter', { domain: 'customers' });
	inForce.set(test, known);
	return known;
}

/** Olga gives each once: what she gave before ends. */
async function freed({ world }: TestBank): Promise<void> {
	const { body } = await world.call(get('olga', '/delegations'));
	const standing = (body as { delegations: DelegationView[] }).delegations.filter((d) => d.state === 'ahead');
	for (const { id } of standing) await world.call(post('olga', `/delegations/${id}/end`));
}

async function ahead(test: TestBank): Promise<string> {
	await freed(test);
	return give(test, 'olga', { from: inDays(7) });
}

const one: Arrange = async (test) => ({ who: 'olga', params: { id: await ahead(test) } });

export const ofDelegations: Readonly<Record<string, Arrange>> = {
	createDelegation: async (test) => {
		await freed(test);
		return { who: 'olga', body: bodyOf(test, 'ruth') };
	},
	listDelegations: () => Promise.resolve({ who: 'olga' }),
	getDelegation: one,
	endDelegation: one,
};
