/** Somebody asked that what a request of his said be erased. */
import { request as asked } from '../examples.ts';

export const request = { reason: 'erasure-request' as const, note: 'Case 2026-117' };

export const requested = {
	...request,
	entry: 'led_01M7YD5Q0000000000E7B4KQ2V',
	stream: `A#request#${asked.id}`,
	version: 1,
	type: 'AccessRequested',
	requestedAt: '2026-03-02T09:00:00.000Z',
	requestedBy: asked.requester,
	state: 'requested' as const,
	erasedAt: null,
	hash: null,
	found: null,
};

export const erased = {
	...requested,
	state: 'erased' as const,
	erasedAt: '2026-03-02T09:00:41.000Z',
	hash: '3f6bd0a1c24e5978f0b1de6a7c2945e8816f0d3ba92c7be45d1f08a6e7c3b952',
	found: 'whole' as const,
};
