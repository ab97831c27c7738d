/** What Fairlead or Athena would not take of a query that is understood: told by the plan, before anything is stored. */
import { canonicalBytes, MAX_ENTRY_BYTES } from '../ledger.ts';
import { type ColumnMap, MAX_COLUMN_BYTES, sizeOf } from '../lineage.ts';
import { bounds, type Resolved, tooLarge } from '../sql.ts';

/** No one place of the text is at fault. */
const start = { line: 1, column: 1 };

/** What else an entry of the ledger says of a flow: who, for what, when. */
const ROOM_BYTES = 4096;

/** Columns times sources: a short text can make more of them than anybody reads. */
export function demandFewLinks({ outputs, rows }: Pick<Resolved, 'outputs' | 'rows'>): void {
	const links = outputs.reduce((sum, { sources, indirect }) => sum + sources.length + indirect.length, rows.length);
	if (links <= bounds.links) return;
	throw tooLarge(start, `The lineage has more than ${bounds.links} links; read fewer columns at once.`);
}

/** `printed` is what Athena would get: its own bound holds for that, not for the caller's text alone. */
export function demandPrintable(printed: string): void {
	const bytes = Buffer.byteLength(printed);
	if (bytes <= bounds.bytes) return;
	const what = `Printed with its views and row filters, the query has ${bytes} bytes`;
	throw tooLarge(start, `${what}; Athena takes at most ${bounds.bytes}. Read fewer columns at once.`);
}

/** `record`: what the flow's entry says of the query, but for its columns, which stand there too where there is room. */
export function demandRecordable(record: object, map: ColumnMap): void {
	const { bytes, apart } = sizeOf(map);
	const own = canonicalBytes(record).length + (apart ? 0 : bytes);
	const most = MAX_ENTRY_BYTES - ROOM_BYTES;
	if (own > most) throw unrecordable(own, most, 'Read fewer tables at once.');
	if (bytes > MAX_COLUMN_BYTES) throw unrecordable(bytes, MAX_COLUMN_BYTES, 'Read fewer columns at once.');
}

function unrecordable(bytes: number, most: number, advice: string) {
	const what = `The record of what the query reads would take ${bytes} bytes; at most ${most} fit`;
	return tooLarge(start, `${what}. ${advice}`);
}
