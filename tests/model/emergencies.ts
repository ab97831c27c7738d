/** Access that was taken without approvers: by whom, for how long, after how many others, and what became of it. */
import type { Proof } from './chain.ts';
import { type Book, type Entry, isOver, of, registryAt, streamsOf } from './record.ts';

const HOUR_MS = 3_600_000;
const MOST_MS = 8 * HOUR_MS;
/** So many may wait for a review when another one is taken. */
const UNREVIEWED = 3;
const REMEMBERED_MS = 90 * 24 * HOUR_MS;

/** Of days and hours, which is all that a history asks for. */
export function lengthOf(duration: string): number {
	const [, days = '0', hours = '0'] = /^P(?:(\d+)D)?(?:T(\d+)H)?$/.exec(duration) ?? [];
	return (Number(days) * 24 + Number(hours)) * HOUR_MS;
}

export const takenAtOnce: Proof = (record, { decided, content, approvals, editors }, opened, entries) => {
	const [filed] = of(entries, 'AccessRequested');
	if (filed?.body.breakGlass === undefined) return ['nobody said that it was an emergency'];
	const { actor, body } = filed;
	const then = registryAt(record, decided.at);
	const holds = ['consumer', 'risk-officer'].every((role) => then.holds(actor, body.consumerDomain, role));
	const { until } = opened.body;
	const lasts = Date.parse(until) - Date.parse(filed.at);
	return [
		...(holds ? [] : ['taken by one who was not both consumer and risk officer']),
		...(then.isProgram(actor) ? ['taken by a program'] : []),
		...(decided.actor === 'system' ? [] : ['somebody decided in an emergency']),
		...(decided.body.rules.policies.length > 0 ? [] : ['no rule let it be taken']),
		...(approvals.length === 1 && editors.length === 0 ? [] : ['others had a part in an emergency']),
		...([body.requester, ...content.said.body.beneficiaries].every((one) => one === actor) ? [] : ['taken for others']),
		...(lasts <= MOST_MS && until === body.breakGlass?.until ? [] : ['taken for longer than the hours that there are']),
		...afterOthers(record, filed, decided.at),
	];
};

/** What one person took before, in whatever guise, is looked at first; who was found to have had no need waits. */
function afterOthers(record: Book, filed: Entry<'AccessRequested'>, at: string): string[] {
	const then = registryAt(record, at);
	const before = streamsOf(record, 'A#request#').flatMap(([, entries]) => {
		const [other] = of(entries, 'AccessRequested');
		const same = other?.body.breakGlass !== undefined && then.self(other.actor) === then.self(filed.actor);
		const taken = of(entries, 'AccessDecided').some((d) => d.body.as === 'break-glass' && d.at < at);
		return same && taken && other.body.request !== filed.body.request
			? [of(entries, 'AccessReviewed').find((review) => review.at <= at)]
			: [];
	});
	const unreviewed = before.filter((review) => review === undefined).length;
	const remembered = new Date(Date.parse(at) - REMEMBERED_MS).toISOString();
	const condemned = before.some((review) => review?.body.verdict === 'unjustified' && review.at > remembered);
	return [
		...(unreviewed <= UNREVIEWED ? [] : [`taken when ${unreviewed} others had not been reviewed`]),
		...(condemned ? ['taken by one who had had no need before'] : []),
	];
}

/** Who said afterwards whether there was a need, and what came of it. */
export function reviewedWrongly(record: Book, now: string): string[] {
	return streamsOf(record, 'A#request#').flatMap(([id, entries]) => {
		const reviews = of(entries, 'AccessReviewed');
		const faults = reviews.flatMap((review) => reviewWrong(record, entries, review, now));
		return [...faults, ...(reviews.length > 1 ? ['was reviewed twice'] : [])].map((what) => `${id}: ${what}`);
	});
}

function reviewWrong(record: Book, entries: readonly Entry[], review: Entry<'AccessReviewed'>, now: string): string[] {
	const [filed] = of(entries, 'AccessRequested');
	if (filed?.body.breakGlass === undefined) return ['was reviewed, and no emergency'];
	const { actor, at, body } = review;
	const then = registryAt(record, at);
	const { productDomain, requester, beneficiaries } = filed.body;
	const party = [filed.actor, requester, ...beneficiaries].some((one) => then.self(one) === then.self(actor));
	const answers = ['owner', 'privacy-officer'].some((role) => then.holds(actor, productDomain, role));
	const taken = of(entries, 'AccessDecided').some((d) => d.body.as === 'break-glass' && d.body.grant === body.grant);
	const ended = isOver(record, body.grant) || filed.body.breakGlass.until <= now;
	return [
		...(party ? ['was reviewed by who took it'] : []),
		...(answers && !then.isProgram(actor) ? [] : ['was reviewed by one who does not answer for the product']),
		...(taken ? [] : ['a review is of something else']),
		...(body.verdict === 'justified' || ended ? [] : [`${body.grant} was found to be without need, and goes on`]),
	];
}
