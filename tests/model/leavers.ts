/** Who has given up his part of a grant, by the grant's own entries, and that nothing brings him back. */
import { type Book, type Entry, grantOf, of, registryAt, streamsOf } from './record.ts';

const gone = ({ body }: Entry): readonly string[] =>
	body.type === 'GrantLeft' || body.type === 'GrantEnding' ? (body.persons ?? []) : [];

/** Of those for whom a grant was opened, who has not left it. */
export function staying(record: Book, grant: string): string[] {
	const entries = grantOf(record, grant);
	const left = new Set(entries.flatMap(gone));
	const [opened] = of(entries, 'GrantOpened');
	return (opened?.body.beneficiaries ?? []).filter((person) => !left.has(person));
}

/** The end of a grant, which only comes sooner; empty of what was never opened. */
export function endOf(record: Book, grant: string): string {
	const ends = grantOf(record, grant).flatMap(({ body }) =>
		body.type === 'GrantOpened' || body.type === 'GrantShortened' ? [body.until] : [],
	);
	return ends.toSorted()[0] ?? '';
}

export function leftWrongly(record: Book): string[] {
	return streamsOf(record, 'A#grant#').flatMap(([id, entries]) => {
		const [opened] = of(entries, 'GrantOpened');
		if (opened === undefined) return [];
		let rest: readonly string[] = opened.body.beneficiaries;
		const faults: string[] = [];
		for (const entry of entries) {
			const persons = gone(entry);
			if (persons.length === 0) continue;
			faults.push(...departedWrong(record, entry, persons, rest));
			rest = rest.filter((one) => !persons.includes(one));
		}
		const afterwards = entries.slice(entries.findIndex(({ body }) => body.type === 'GrantEnding') + 1);
		const late = entries.some(({ body }) => body.type === 'GrantEnding') && of(afterwards, 'GrantLeft').length > 0;
		return [...faults, ...(late ? ['left after its end'] : []), ...broughtBack(record, opened)].map(
			(what) => `${id}: ${what}`,
		);
	});
}

/** One person goes, in all his guises, and nobody else; the last one ends it. */
function departedWrong(record: Book, entry: Entry, persons: readonly string[], before: readonly string[]): string[] {
	const { self } = registryAt(record, entry.at);
	const rest = before.filter((one) => !persons.includes(one));
	const last = entry.body.type === 'GrantEnding';
	return [
		...(persons.every((one) => self(one) === self(entry.actor) && before.includes(one)) ? [] : ['somebody else left']),
		...(rest.some((one) => self(one) === self(entry.actor)) ? ['who left stays in another guise'] : []),
		...(last === (rest.length === 0) ? [] : [last ? 'ended with others in it' : 'goes on for nobody']),
	];
}

/** A renewal that was asked for before somebody left is not for him, in whatever guise. */
function broughtBack(record: Book, opened: Entry<'GrantOpened'>): string[] {
	const { renews, request, decisionLeaf, beneficiaries } = opened.body;
	if (renews === undefined) return [];
	const entries = record.streams.get(`A#request#${request}`) ?? [];
	const decided = entries.find(({ leaf }) => leaf === decisionLeaf);
	const asked = entries.findLast(
		({ body, ver }) => ver < (decided?.ver ?? 0) && (body.type === 'AccessRequested' || body.type === 'AccessEdited'),
	);
	if (decided === undefined || asked === undefined) return [];
	const { self } = registryAt(record, decided.at);
	const left = grantOf(record, renews)
		.filter(({ at }) => asked.at < at && at < decided.at)
		.flatMap(gone)
		.map(self);
	return beneficiaries.some((one) => left.includes(self(one))) ? ['brings back who left what it renews'] : [];
}
