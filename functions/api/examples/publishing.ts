/** Examples of publishing a contract version. */
import { grant, product } from '../examples.ts';

export const published = {
	...product,
	affected: [
		{
			grant: grant.id,
			effects: [
				{ code: 'route-grew' as const, rules: [], roles: ['privacy-officer'], columns: [], until: null },
				{ code: 'retires' as const, rules: [], roles: [], columns: [], until: '2026-12-01T00:00:00.000Z' },
			],
			action: 'suspend' as const,
		},
	],
	affectedWhole: true,
};
