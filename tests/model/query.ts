/** A statement, run as somebody: he gets cells that a grant of his opens now, with their values, and no others. */
import { setTimeout as pause } from 'node:timers/promises';
import type { QueryView } from '#core/query.ts';
import type { Row } from '#local/lake.ts';
import type { Handle } from '#local/people.ts';
import { cellsOf, together } from './cells.ts';
import { nameOf } from './chain.ts';
import { type Given, type History, post, principal as principalOf, send, tableOf } from './history.ts';
import { approved, grantsOf, isLive } from './holds.ts';
import { endOf, staying } from './leavers.ts';
import { grantOf, of, readRecord } from './record.ts';

type Statement = {
	readonly who: Handle;
	readonly given: Given;
	/** First the one that tells rows apart. */
	readonly columns: readonly string[];
	readonly where: string | null;
};

/** The status with which it began. */
export async function query(history: History, { who, given, columns, where }: Statement): Promise<number> {
	const { ask, purpose } = given;
	const sql = `SELECT ${columns.join(', ')} FROM ${ask.product}${where === null ? '' : ` WHERE ${where}`}`;
	const principal = principalOf(history, ask, purpose);
	const started = await send(history, post(who, '/queries', { sql, principal }));
	if (started.status !== 202) return started.status;
	const rows = await results(history, who, (started.body as QueryView).id);
	if (rows === null) return started.status;
	const open = await openTo(history, who, principal, `${ask.product.split('.')[0]}.${tableOf(ask)}`);
	history.wrong.push(
		...judged(history.tables.all(ask.product), columns, rows, open).map((what) => `${who}, ${sql}: ${what}`),
	);
	return started.status;
}

/** Null where the query was refused on the way. */
async function results(history: History, who: Handle, id: string): Promise<(string | null)[][] | null> {
	const path = `/api/v1/queries/${id}`;
	for (let i = 0; i < 400; i += 1) {
		const answer = await history.mesh.call({ who, path });
		const { state } = answer.body as Partial<QueryView>;
		if (state !== 'running') break;
		await pause(10);
	}
	const rows: (string | null)[][] = [];
	let token: string | null = null;
	do {
		const at: string = token === null ? '' : `&pageToken=${encodeURIComponent(token)}`;
		const page = await send(history, { who, path: `${path}/results?pageSize=999${at}` });
		if (page.status !== 200) return null;
		const body = page.body as { rows: (string | null)[][]; nextPageToken: string | null };
		rows.push(...body.rows);
		token = body.nextPageToken;
	} while (token !== null);
	return rows;
}

/** Cells of all rows that grants in force open to this person, by what was approved. */
async function openTo(history: History, who: Handle, principal: string, table: string) {
	const record = await readRecord(history.mesh.platform);
	const now = history.mesh.platform.clock().toISOString();
	const me = await history.mesh.call({ who, path: '/api/v1/me' });
	const { person } = me.body as { person: string };
	const scopes = grantsOf(record).flatMap((grant) => {
		const [opened] = of(grantOf(record, grant), 'GrantOpened');
		if (opened?.body.principal !== principal || opened.body.from > now || endOf(record, grant) <= now) return [];
		if (!isLive(record, grant) || !staying(record, grant).includes(person)) return [];
		return opened.body.tables.filter((t) => nameOf(t) === table).map((t) => approved(record, grant, t));
	});
	const rows = history.tables.all(table);
	return together(scopes.flatMap((scope) => (scope === null ? [] : [cellsOf(scope, rows)])));
}

/** The first column tells rows apart. */
export function judged(
	all: readonly Row[],
	columns: readonly string[],
	rows: readonly (readonly (string | null)[])[],
	open: ReadonlySet<string>,
): string[] {
	const at = new Map(all.map((row, i) => [row[columns[0] ?? ''] ?? '', i]));
	return rows
		.flatMap((cells) => {
			const i = at.get(cells[0] ?? '') ?? -1;
			return columns.flatMap((column, c) => {
				if (!open.has(`${i}.${column}`)) return [`shows ${cells[0]}.${column}, which nobody approved`];
				return all[i]?.[column] === cells[c] ? [] : [`shows ${cells[c]} for ${cells[0]}.${column}`];
			});
		})
		.slice(0, 3);
}
