/** What an owner is told of the rows that the request of examples.ts would open. */
import { request } from '../examples.ts';

const of = { request: request.id, contentHash: request.contentHash };
const about = { table: request.tables[0]?.table ?? '', query: 'qry_01M7YD5Q0000000000VA8E4671' };

export const running = { ...of, tables: [{ ...about, state: 'running' as const }] };

export const counted = {
	...of,
	tables: [
		{
			...about,
			state: 'counted' as const,
			rows: 682,
			before: 0,
			after: 76,
			shareBefore: 0,
			shareAfter: 76 / 682,
			at: '2026-03-02T09:00:00.000Z',
		},
	],
};
