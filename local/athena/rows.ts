/**
 * Reads a result file page by page. A page ends at a number of rows or of bytes, whichever comes first, so
 * that rows of long values do not make an answer of any size; one row is given however long it is.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import * as z from 'zod';

export type Page = {
	readonly rows: (string | null)[][];
	/** Where the next page begins; null after the last one. */
	readonly next: number | null;
};

const LARGEST_PAGE = 4 * 1024 * 1024;
const LINE_FEED = 10;
const Row = z.array(z.string().nullable());

/** Undefined if no row begins at the position. */
export async function readRows(file: string, position: number, most: number): Promise<Page | undefined> {
	if (position > 0 && !(await beginsRow(file, position))) return undefined;
	const rows: (string | null)[][] = [];
	let at = position;
	for await (const line of lines(file, position)) {
		const full = rows.length > 0 && at + line.length - position > LARGEST_PAGE;
		if (rows.length === most || full) return { rows, next: at };
		rows.push(Row.parse(JSON.parse(line.toString())));
		at += line.length + 1;
	}
	return { rows, next: null };
}

/** Whether the file goes on at the position, after the end of a line. */
async function beginsRow(file: string, position: number): Promise<boolean> {
	let handle: FileHandle | undefined;
	try {
		handle = await open(file, 'r');
		const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, position - 1);
		return bytesRead === 2 && buffer[0] === LINE_FEED;
	} finally {
		await handle?.close();
	}
}

/** Lines end at a line feed and nowhere else: the separators of Unicode stand in values. */
async function* lines(file: string, position: number): AsyncGenerator<Buffer> {
	/** The parts of a line that is not complete yet, joined once it is. */
	let parts: Buffer[] = [];
	for await (const chunk of createReadStream(file, { start: position }) as AsyncIterable<Buffer>) {
		let start = 0;
		for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
			yield Buffer.concat([...parts, chunk.subarray(start, end)]);
			parts = [];
			start = end + 1;
		}
		if (start < chunk.length) parts.push(chunk.subarray(start));
	}
}
