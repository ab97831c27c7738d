/** Who held a grant back, and that nobody lifted that but who has the same office. */
import { staying } from './leavers.ts';
import { type Book, type Entry, of, registryAt, streamsOf } from './record.ts';

/** The role in the product's domain that lifts a hold: what Fairlead found by itself is the owner's to lift. */
const lifter = (cause: string) => (cause === 'officer' ? 'privacy-officer' : 'owner');

export function liftedWrongly(record: Book): string[] {
	return streamsOf(record, 'A#grant#').flatMap(([id, entries]) => {
		const [opened] = of(entries, 'GrantOpened');
		if (opened === undefined) return [];
		const faults: string[] = [];
		let on: string[] = [];
		for (const { body, actor, at } of entries) {
			const holds = (role: string) => registryAt(record, at).holds(actor, opened.body.productDomain, role);
			if (body.type === 'GrantSuspending' || body.type === 'GrantHeld') on.push(body.cause);
			if (body.type === 'GrantReleased') {
				const { offices } = body;
				if (!offices.map(lifter).every(holds)) faults.push('a hold was lifted by one of another office');
				on = on.filter((cause) => !offices.some((office) => office === cause));
			}
			if (body.type !== 'GrantResuming') continue;
			if (!on.map(lifter).every(holds)) faults.push('was taken up while others held it back');
			faults.push(...takenUpWrong(record, opened, { actor, at }));
			on = [];
		}
		return faults.map((what) => `${id} ${what}`);
	});
}

/** Nobody who asked for it or gains from it, in whatever guise. */
function takenUpWrong(
	record: Book,
	{ body }: Entry<'GrantOpened'>,
	{ actor, at }: Pick<Entry, 'actor' | 'at'>,
): string[] {
	const { self, isProgram } = registryAt(record, at);
	const [filed] = of(record.streams.get(`A#request#${body.request}`) ?? [], 'AccessRequested');
	const parties = [...(filed === undefined ? [] : [filed.actor]), ...staying(record, body.grant)].map(self);
	return [
		...(parties.includes(self(actor)) ? ['was taken up by one who gains from it'] : []),
		...(isProgram(actor) ? ['was taken up by a program'] : []),
	];
}
