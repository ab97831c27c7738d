/** Decisions as they were made, also those that nothing came of, and delegations as they were given and ended. */
import { type Book, type Entry, is, of, registryAt, streamsOf } from './record.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS = 90;
/** Who holds no role decides nothing; these are written by nobody. */
const unattended: readonly string[] = ['policy', 'break-glass'];

/** Why a decision that was made in somebody's place should not have been; nothing of one in one's own. */
export function mandated(record: Book, { actor, at, body }: Entry<'AccessDecided'>, domain: string): string[] {
	const { as, delegation } = body;
	if (delegation === undefined) return [];
	const entries = record.streams.get(`A#delegation#${delegation.id}`) ?? [];
	const [given] = of(entries, 'DelegationGiven');
	if (given === undefined) return ['by a delegation that there is not'];
	const { giver, to, from, until } = given.body;
	const is = [delegation.leaf, delegation.giver, actor, domain, as];
	const was = [given.leaf, giver, to, given.body.domain, given.body.role];
	const ended = of(entries, 'DelegationEnded').some((end) => end.at <= at);
	const then = registryAt(record, at);
	return [
		...(is.join() === was.join() ? [] : ['by a delegation that is another']),
		...(from <= at && at < until && !ended ? [] : ['by a delegation that was not in force']),
		...(then.holds(giver, domain, as) && !then.isProgram(giver) ? [] : [`for one who was not ${as}`]),
		...(then.isKnown(actor) ? [] : ['by a delegation of nobody who is registered']),
		...(then.self(giver) === then.self(actor) ? ['by a delegation to himself'] : []),
	];
}

/** Every decision of a person's, also one that rejects, and of which nothing came. */
export function decidedWrongly(record: Book): string[] {
	return streamsOf(record, 'A#request#').flatMap(([id, entries]) =>
		of(entries, 'AccessDecided')
			.filter(({ actor, body }) => actor !== 'system' || !unattended.includes(body.as))
			.flatMap((decided) => decisionWrong(record, entries, decided).map((what) => `${id}: decided ${what}`)),
	);
}

function decisionWrong(record: Book, entries: readonly Entry[], decided: Entry<'AccessDecided'>): string[] {
	const { actor, at, ver, body } = decided;
	const [filed] = of(entries, 'AccessRequested');
	if (filed === undefined) return ['on nothing'];
	const { productDomain: domain, requester, breakGlass } = filed.body;
	const said = entries.filter((e) => e.ver < ver && (is(e, 'AccessRequested') || is(e, 'AccessEdited')));
	const stands = said.at(-1)?.body;
	const beneficiaries = stands !== undefined && 'beneficiaries' in stands ? stands.beneficiaries : [];
	const then = registryAt(record, at);
	const parties = [requester, ...said.map((e) => e.actor), ...beneficiaries].map(then.self);
	const voices = body.delegation === undefined ? [actor] : [actor, body.delegation.giver];
	const holds = body.delegation !== undefined || then.holds(actor, domain, body.as);
	return [
		...mandated(record, decided, domain),
		...(holds ? [] : [`as ${body.as}, which he was not`]),
		...(then.isProgram(actor) ? ['by a program'] : []),
		...(voices.some(then.isRegulator) ? ['by or for a regulator'] : []),
		...(voices.some((one) => parties.includes(then.self(one))) ? ['on what he had a part in'] : []),
		...(breakGlass !== undefined && body.verdict === 'approve' ? ['on what was taken in an emergency'] : []),
	];
}

/** Delegations that nobody should have given, or ended. */
export function delegatedWrongly(record: Book): string[] {
	return streamsOf(record, 'A#delegation#').flatMap(([id, entries]) => {
		const [given] = of(entries, 'DelegationGiven');
		const ends = of(entries, 'DelegationEnded');
		if (given === undefined) return [`${id} was never given`];
		const faults = [...givenWrong(record, given), ...ends.flatMap((end) => endedWrong(record, given, end))];
		return [...faults, ...(ends.length > 1 ? ['was ended twice'] : [])].map((what) => `${id}: ${what}`);
	});
}

function givenWrong(record: Book, { actor, at, body }: Entry<'DelegationGiven'>): string[] {
	const { domain, role, giver, to, from, until } = body;
	const then = registryAt(record, at);
	return [
		...(actor === giver && then.holds(giver, domain, role) ? [] : ['given by one who does not hold the role himself']),
		...([giver, to].some(then.isProgram) ? ['given by or to a program'] : []),
		...([giver, to].some(then.isRegulator) ? ['given by or to a regulator'] : []),
		...(then.isKnown(to) ? [] : ['given to nobody']),
		...(then.self(to) === then.self(giver) ? ['given to himself'] : []),
		...(from < until && Date.parse(until) - Date.parse(at) <= MOST_DAYS * DAY_MS ? [] : ['given for too long']),
	];
}

function endedWrong(record: Book, { body }: Entry<'DelegationGiven'>, { actor, at }: Entry<'DelegationEnded'>) {
	const may = actor === body.giver || actor === body.to || registryAt(record, at).holds(actor, body.domain, 'owner');
	return may ? [] : ['ended by one whom it does not concern'];
}
