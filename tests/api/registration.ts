/** A domain of the sample bank, registered as it is there after a change, by a steward who saw its last state. */
import { expect } from 'vitest';
import type { Role } from '#core/context.ts';
import type { Domain } from '#core/domains.ts';
import { registrationOf } from '#local/lake.ts';
import { type Handle, people } from '#local/people.ts';
import type { Call } from '#local/story/client.ts';
import type { TestBank } from '#tests/fixtures.ts';
import { seen } from './harness.ts';

export type Registration = ReturnType<typeof registrationOf>;
export type Member = Registration['members'][number];
export type Change = (body: Registration) => unknown;

/** Who somebody is, as a steward writes it. */
export const identityOf = ({ bank }: TestBank, who: Handle) => ({
	issuer: bank.issuer.issuer,
	subject: people[who].subject,
});

export async function registering(test: TestBank, id: string, change: Change = () => {}): Promise<Call> {
	const found = test.world.domains.find((d) => d.id === id);
	if (found === undefined) throw new Error(`the sample bank has no ${id}`);
	const body = registrationOf(structuredClone(found), test.bank.issuer.issuer);
	change(body);
	const path = `/api/v1/domains/${id}`;
	return { who: 'stella', method: 'PUT', path, body, headers: await seen(test, path) };
}

/** The registration must be taken. Without a change, the domain is again as it was at first. */
export async function registered(test: TestBank, id: string, change?: Change): Promise<Domain> {
	const answer = await test.world.call(await registering(test, id, change));
	const { status, body } = answer;
	expect([200, 201], JSON.stringify(body)).toContain(status);
	return body as Domain;
}

/** Registers a domain of the sample bank with these members in place of its own. */
export async function enrol(test: TestBank, id: string, members: Partial<Record<Handle, Role[]>>): Promise<void> {
	await registered(test, id, (body) => {
		body.members = Object.entries(members).map(([who, roles]) => ({ ...identityOf(test, who as Handle), roles }));
	});
}
