/**
 * Pseudonyms. The ledger names a person by a random id; which identity that is stands only here, in the erasable
 * payload table. Erasing the two items makes the ledger's id mean nobody; the ledger still verifies.
 */
import type { Context, Identity } from './context.ts';
import { BrokerError } from './error.ts';
import { newId } from './id.ts';
import { insertPayload, readPayload, sha256 } from './ledger.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;

const forwardKey = (who: Identity) => `I#${sha256(JSON.stringify([who.issuer, who.subject]))}`;
/** For whoever must resolve or erase a person; nothing here reads it. */
const reverseKey = (person: string) => `N#${person}`;

/** The pseudonym of an identity that some domain registered, or null. */
export async function personOf(ctx: ReadCtx, who: Identity): Promise<string | null> {
	return (await readPayload(ctx, forwardKey(who)))?.['person']?.S ?? null;
}

/** The pseudonym of an identity, made on first use. The forward item decides; a lost race leaves an unused id. */
export async function ensurePerson(ctx: ReadCtx & Pick<Context, 'now' | 'random'>, who: Identity): Promise<string> {
	const known = await personOf(ctx, who);
	if (known !== null) return known;
	const person = newId('person', ctx);
	await insertPayload(ctx, reverseKey(person), { issuer: { S: who.issuer }, subject: { S: who.subject } });
	await insertPayload(ctx, forwardKey(who), { person: { S: person } });
	const settled = await personOf(ctx, who);
	if (settled === null) throw new BrokerError('unavailable', 'The store does not answer; try again.');
	return settled;
}
