/** Examples of the rules, and of what they would say. */

const risk = 'arn:aws:iam::210000000004:role/fairlead-risk-credit-risk';
const hash = '2f1c0f6c3a86655d37eea5eee910c37c9856bd8837ad07e9078d24e67ae19e67';

export const rules = {
	setHash: hash,
	rules: [
		{
			id: 'owner-approves',
			domain: null,
			effect: 'permit' as const,
			title: "A consumer may ask for any product he can see; the product's owner decides.",
			actions: ['requestAccess'],
			text: `// A consumer may ask for any product he can see; the product's owner decides.
@requires("owner")
permit (principal, action == Fairlead::Action::"requestAccess", resource)
when { principal in context.consumer.consumers };
`,
			annotations: { requires: 'owner' },
		},
	],
};

export const question = {
	action: 'requestAccess' as const,
	product: 'lending.loans',
	ask: {
		tables: [{ table: 'loans', columns: ['loan_id', 'status'], rowFilter: "status = 'D'" }],
		purpose: 'credit-risk',
		principal: risk,
		duration: 'P30D',
	},
};

export const answer = {
	allowed: true,
	code: null,
	setHash: hash,
	rules: [
		{
			id: 'owner-approves',
			domain: null,
			effect: 'permit' as const,
			title: "A consumer may ask for any product he can see; the product's owner decides.",
		},
	],
	route: ['owner' as const],
	auto: null,
	advice: [],
	could: [],
	changed: null,
	nextPageToken: null,
};
