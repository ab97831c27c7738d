/** Access that is taken in an emergency, and what is found of it afterwards. */
import { accessRequest, grant, request } from '../examples.ts';

const ruth = 'per_01M7YD5NBQ3T9A0V7E2KXWJ4RC';
const until = '2026-11-21T10:37:19.363Z';
const reviewDue = '2026-11-28T10:37:19.363Z';
const { justification: _, ...asked } = accessRequest;
const reason = 'Incident 4711: limits of a borrower in default must be checked before the desk opens';

export const body = { ...asked, duration: 'PT4H', reason };

const taken = { reason, reviewDue, overdue: false, review: null };

export const broken = {
	request: {
		...request,
		requester: ruth,
		beneficiaries: [ruth],
		duration: 'PT4H',
		justification: reason,
		state: 'approved' as const,
		awaiting: [],
		lapsesAt: null,
		grant: grant.id,
		breakGlass: taken,
	},
	grant: { ...grant, beneficiaries: [ruth], until, breakGlass: taken },
};

export const review = {
	verdict: 'justified' as const,
	comment: 'The borrower was in default, and nobody else was on duty',
};

export const reviewed = {
	...broken.request,
	breakGlass: {
		...taken,
		review: { ...review, at: '2026-11-23T08:02:51.004Z', person: 'per_01M7YD5NC4XK8M1P6S0ZGHW9TD' },
	},
};

export const unreviewed = {
	request: request.id,
	product: request.product,
	consumerDomain: request.consumerDomain,
	purpose: request.purpose,
	requester: ruth,
	grant: grant.id,
	until,
	reviewDue,
	overdue: false,
};
