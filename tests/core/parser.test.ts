/** Whatever a text does to the thread that reads it, its caller gets a refusal and the next text is read. */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { makeParser } from '#core/parser.ts';
import { bounds } from '#core/sql.ts';

const file = new URL('parser/thread.mjs', import.meta.url);
const real = new URL('../../local/parser.mjs', import.meta.url);

describe('a text that', () => {
	test.each(['hang', 'fill'])('makes the thread %s is refused, and the next one is read', async (text) => {
		const parser = makeParser({ file, deadlineMs: 700 });
		await expect(parser.query(text)).rejects.toMatchObject({ code: 'too-large', extensions: { line: 1, column: 1 } });
		expect(await parser.query('a')).toMatchObject({ text: 'a' });
	});

	test('shows a fault of ours is told as that, with its cause, and the next one is read', async () => {
		const parser = makeParser({ file });
		const cause = expect.objectContaining({ name: 'TypeError', message: 'broken' });
		await expect(parser.query('break')).rejects.toMatchObject({ code: 'internal', cause });
		expect(await parser.query('a')).toMatchObject({ text: 'a' });
	});

	test('was answered while this process was busy for longer than the deadline is read, and so is the next', async () => {
		const parser = makeParser({ file, deadlineMs: 100 });
		await parser.warm();
		const first = parser.query('a');
		await setTimeout(20);
		const until = performance.now() + 300;
		while (performance.now() < until);
		expect(await first).toMatchObject({ text: 'a' });
		expect(await parser.query('b')).toMatchObject({ text: 'b' });
	});

	test('waits behind one that hangs is read all the same', async () => {
		const parser = makeParser({ file, deadlineMs: 700 });
		const [hung, read] = await Promise.allSettled([parser.query('hang'), parser.query('b')]);
		expect(hung).toMatchObject({ status: 'rejected' });
		expect(read).toMatchObject({ status: 'fulfilled', value: { text: 'b' } });
	});

	test('is refused keeps its code, its sentence and its place', async () => {
		const refused = makeParser({ file }).query('refuse');
		await expect(refused).rejects.toMatchObject({
			name: 'BrokerError',
			code: 'unsupported',
			message: 'Not this.',
			extensions: { line: 3, column: 4 },
		});
	});

	test('has more bytes than Athena takes never reaches the thread', async () => {
		const parser = makeParser({ file: new URL('nowhere.mjs', import.meta.url) });
		const long = 'ü'.repeat(bounds.bytes / 2 + 1);
		await expect(parser.query(long)).rejects.toMatchObject({ code: 'too-large' });
		await expect(parser.expression(long)).rejects.toMatchObject({ code: 'too-large' });
	});
});

test('more texts than may wait are told to come back', async () => {
	const parser = makeParser({ file });
	const all = await Promise.allSettled(Array.from({ length: 120 }, (_, index) => parser.query(String(index))));
	const read = all.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
	expect(read).toHaveLength(100);
	const refused = all.find((r) => r.status === 'rejected');
	expect(refused?.reason).toMatchObject({ code: 'unavailable', extensions: { retryAfter: 1 } });
	expect(await parser.query('later')).toMatchObject({ text: 'later' });
});

test('a thread that cannot start fails, and is tried again', async () => {
	const parser = makeParser({ file: new URL('nowhere.mjs', import.meta.url) });
	await expect(parser.query('a')).rejects.toMatchObject({ code: 'internal' });
	await expect(parser.warm()).rejects.toMatchObject({ code: 'internal' });
	const none = makeParser({ file: new URL('https://fairlead.example/parser.mjs') });
	await expect(none.query('a')).rejects.toMatchObject({ name: 'BrokerError', code: 'internal' });
	await expect(none.query('a')).rejects.toMatchObject({ name: 'BrokerError', code: 'internal' });
});

describe('the real thread', () => {
	const parser = makeParser({ file: real });

	test('gives trees that have survived the way, whole numbers and all', async () => {
		const tree = await parser.query("SELECT a FROM t WHERE b = 'x' LIMIT 9223372036854775807");
		expect(tree).toMatchObject({ kind: 'query', limit: 2n ** 63n - 1n, body: { kind: 'select' } });
		expect(await parser.expression("s = 'a'")).toMatchObject({ kind: 'compare', operator: '=' });
		await expect(parser.query('SELECT FROM')).rejects.toMatchObject({ code: 'sql-syntax' });
	});

	test('leaves the event loop free while it reads', async () => {
		let turns = 0;
		const items = Array.from({ length: 2000 }, (_, index) => `'${index}'`);
		const reading = parser.query(`SELECT a FROM t WHERE b IN (${items.join(', ')})`).finally(() => {
			turns = -turns;
		});
		while (turns >= 0) {
			turns += 1;
			await setImmediate();
		}
		expect(-turns).toBeGreaterThan(1);
		expect((await reading).kind).toBe('query');
	});
});
