/**
 * Who holds a grant back, and who lifts that. Pure. What somebody holds back is lifted by his office alone: by any of the
 * people who have it, and by nobody else. What Fairlead held back by itself is the owner's to lift, as is his own.
 */
import * as z from 'zod';
import { type Caller, holds } from '../context.ts';
import type * as Ledger from '../ledger.ts';

export type Hold = Pick<Ledger.BodyOf<'GrantSuspending'>, 'cause' | 'effects'>;
type Office = Ledger.BodyOf<'GrantReleased'>['offices'][number];

/** The role in the product's domain that an office is. Nobody but these ever held a grant back. */
export const roleOf = { owner: 'owner', officer: 'privacy-officer' } as const satisfies Record<Office, string>;

export const Holder = z.enum([...Object.values(roleOf), 'fairlead']);
export type Holder = z.infer<typeof Holder>;

/** Whose hold it is; null where nobody's, but what Fairlead itself found. */
const officeOf = ({ cause }: Hold): Office | null => (cause === 'owner' || cause === 'officer' ? cause : null);

/** What it is held back for, oldest first: all that was said since it was last taken up, and not released. */
export function holdsOn(entries: readonly Ledger.Recorded[]): Hold[] {
	let on: Hold[] = [];
	for (const { body } of entries) {
		if (body.type === 'GrantSuspending' || body.type === 'GrantHeld') on.push(body);
		if (body.type === 'GrantReleased') on = on.filter((hold) => !body.offices.some((o) => o === officeOf(hold)));
		if (body.type === 'GrantResuming' || body.type === 'GrantEnding') on = [];
	}
	return on;
}

/** The offices that hold it back. */
export function officesOn(entries: readonly Ledger.Recorded[]): Office[] {
	const found = new Set(holdsOn(entries).map(officeOf));
	return (['owner', 'officer'] as const).filter((office) => found.has(office));
}

/** The same by their roles, and Fairlead where it found something. */
export function holdersOf(entries: readonly Ledger.Recorded[]): Holder[] {
	const itself = holdsOn(entries).some((hold) => officeOf(hold) === null);
	return [...officesOn(entries).map((office) => roleOf[office]), ...(itself ? (['fairlead'] as const) : [])];
}

/** The office in which somebody holds back what is of this domain: who is both officer and owner does so as the former. */
export const officeFor = (caller: Caller, domain: string): Office =>
	holds(caller, domain, roleOf.officer) || !holds(caller, domain, roleOf.owner) ? 'officer' : 'owner';

/** Of what holds it back: the offices that this person speaks for, and whether it would be open without them. */
export function liftedBy(
	caller: Caller,
	domain: string,
	entries: readonly Ledger.Recorded[],
): { readonly offices: Office[]; readonly opens: boolean } {
	const lifts = (hold: Hold) => holds(caller, domain, roleOf[officeOf(hold) ?? 'owner']);
	const offices = officesOn(entries).filter((office) => holds(caller, domain, roleOf[office]));
	return { offices, opens: holdsOn(entries).every(lifts) };
}

export const isOfChange = ({ cause }: Hold) => cause === 'contract' || cause === 'domain';

/** Whether it is held back, for that among others, because the contract or a domain changed. */
export const isOvertaken = (entries: readonly Ledger.Recorded[]) => holdsOn(entries).some(isOfChange);
