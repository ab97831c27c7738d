/** Olga is away for a week, and Ruth decides on requests for lending's products in her place. */

const giver = 'per_01M7YD5P9QV3XK8W2E4JZ6T0AB';
const to = 'per_01M7YD5P9R1C7N5M0H8G2YQF4D';

export const delegationBody = {
	domain: 'lending',
	role: 'owner' as const,
	to: { issuer: 'https://id.bank.example', subject: 'u-a85f12c9' },
	from: '2026-11-23T00:00:00Z',
	until: '2026-11-30T00:00:00Z',
	reason: 'On leave for a week',
};

export const delegation = {
	id: 'dlg_01M7YD5PE2ZK4T9B7V1Q3N8XHC',
	domain: 'lending',
	role: 'owner' as const,
	giver,
	to,
	from: '2026-11-23T00:00:00.000Z',
	until: '2026-11-30T00:00:00.000Z',
	state: 'ahead' as const,
	reason: 'On leave for a week',
	givenAt: '2026-11-21T06:37:19.363Z',
	endedAt: null,
};

export const ended = { ...delegation, state: 'ended' as const, endedAt: '2026-11-21T06:40:02.118Z' };
