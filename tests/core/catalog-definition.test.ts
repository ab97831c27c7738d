/** Definitions of views: as long as the query has room for them, and parsed once however often they are read. */
import { expect, it, vi } from 'vitest';
import { readDefinition } from '#core/catalog/definition.ts';
import { parseQuery } from '#core/syntax.ts';
import { column, prestoView } from '#tests/api/views.ts';

function counted() {
	const query = vi.fn(async (text: string) => parseQuery(text));
	return { query, ctx: { parser: { query, expression: vi.fn(), warm: vi.fn() } } };
}

const made = (sql: string) => prestoView({ sql, columns: [column('a')], schema: null });

it('one that is longer than there is room is never parsed', async () => {
	const { query, ctx } = counted();
	const sql = 'SELECT a FROM t';
	await expect(readDefinition(ctx, made(sql), 's', sql.length - 1)).rejects.toMatchObject({ code: 'too-large' });
	const long = made(`SELECT a FROM t -- ${'x'.repeat(40_000)}`);
	await expect(readDefinition(ctx, long, 's')).rejects.toMatchObject({ code: 'too-large' });
	expect(query).not.toHaveBeenCalled();
	expect((await readDefinition(ctx, made(sql), 's', sql.length)).bytes).toBe(sql.length);
});

it('the same text is parsed once, and means what it means in its schema', async () => {
	const { query, ctx } = counted();
	const text = made('SELECT a FROM once');
	const first = await readDefinition(ctx, text, 's1');
	expect(await readDefinition(ctx, text, 's1')).toBe(first);
	expect(query).toHaveBeenCalledTimes(1);
	const other = await readDefinition(ctx, text, 's2');
	expect(other.query.body).toMatchObject({ from: [{ name: { database: 's2', table: 'once' } }] });
	expect(first.query.body).toMatchObject({ from: [{ name: { database: 's1', table: 'once' } }] });
});

it('one that is kept is refused as one that is not, where there is no room', async () => {
	const { ctx } = counted();
	const text = made('SELECT a FROM kept');
	await readDefinition(ctx, text, 's');
	await expect(readDefinition(ctx, text, 's', 3)).rejects.toMatchObject({ code: 'too-large' });
});

it('a definition that cannot be read is asked for again', async () => {
	const { query, ctx } = counted();
	for (let i = 0; i < 2; i += 1) {
		await expect(readDefinition(ctx, made('DROP TABLE t'), 's')).rejects.toMatchObject({ code: 'unsupported' });
	}
	expect(query).toHaveBeenCalledTimes(2);
});
