/** What every store of the log's files has to do, whatever it is made of. `open` opens the same one again, as another process. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Objects } from '#core/context.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** `fresh` makes an empty store, and gives what opens it. */
export function storesObjects(name: string, fresh: () => Promise<() => Objects>): void {
	describe(`the objects in ${name}`, () => {
		let open: () => Objects;
		let store: Objects;
		beforeEach(async () => {
			open = await fresh();
			store = open();
		});

		it('are not there before they are made', async () => {
			for (const key of ['checkpoint', 'tile/0/000', 'tile/entries/x001/234.p/7', 'checkpoints/7']) {
				expect(await store.get(key)).toBeNull();
			}
			await expect(store.remove('staging/1-00')).resolves.toBeUndefined();
		});

		it.each(['tile/0/000', 'tile/0/000.p/255', 'tile/entries/x001/x234/067', 'checkpoints/256', 'staging/9-ab'])(
			'%s is made once, whole, for everybody',
			async (key) => {
				const whole = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251);
				await store.create(key, whole);
				expect(await store.get(key)).toEqual(whole);
				expect(await open().get(key)).toEqual(whole);
				await expect(open().create(key, whole)).resolves.toBeUndefined();
				await expect(open().create(key, whole.with(69_999, 7))).rejects.toMatchObject({ code: 'record-corrupt' });
				await expect(store.create(key, bytes(''))).rejects.toMatchObject({ code: 'record-corrupt' });
				expect(await store.get(key)).toEqual(whole);
			},
		);

		it('of two that make the same at once, one wins, and no other bytes are ever there', async () => {
			const tried = Array.from({ length: 8 }, (_, i) =>
				open()
					.create('tile/0/001', bytes(`${i}`))
					.then(() => i),
			);
			const made = (await Promise.allSettled(tried)).filter((one) => one.status === 'fulfilled');
			expect(made).toHaveLength(1);
			expect(await store.get('tile/0/001')).toEqual(bytes(`${made[0]?.value}`));
		});

		it('the checkpoint is replaced only where it is what was seen', async () => {
			expect(await store.replace('checkpoint', bytes('2'), bytes('1'))).toBe(false);
			expect(await store.get('checkpoint')).toBeNull();
			expect(await store.replace('checkpoint', bytes('1'), null)).toBe(true);
			expect(await open().replace('checkpoint', bytes('9'), null)).toBe(false);
			expect(await open().replace('checkpoint', bytes('2'), bytes('1'))).toBe(true);
			expect(await store.replace('checkpoint', bytes('3'), bytes('1'))).toBe(false);
			expect(await store.get('checkpoint')).toEqual(bytes('2'));
		});

		it('of many that replace the same checkpoint at once, one wins', async () => {
			await store.replace('checkpoint', bytes('0'), null);
			for (let turn = 0; turn < 5; turn++) {
				const before = await store.get('checkpoint');
				const tried = Array.from({ length: 6 }, async (_, i) =>
					(await open().replace('checkpoint', bytes(`${turn}.${i}`), before)) ? [`${turn}.${i}`] : [],
				);
				const [winner = 'none', ...more] = (await Promise.all(tried)).flat();
				expect(more).toEqual([]);
				expect(await open().get('checkpoint')).toEqual(bytes(winner));
			}
		});

		it('only what is staged is taken away, and then it is made anew', async () => {
			await store.create('staging/9-ab', bytes('a'));
			await open().remove('staging/9-ab');
			expect(await store.get('staging/9-ab')).toBeNull();
			await store.create('staging/9-ab', bytes('b'));
			await store.create('tile/0/000', bytes('a'));
			await store.create('tile/0/001.p/1', bytes('a'));
			for (const key of ['tile/0/000', 'tile/0/001.p/1', 'checkpoint', 'tile/0', 'tile', 'tile/0/0.p', '.p']) {
				await expect(store.remove(key), key).rejects.toThrow();
			}
			expect(await store.get('tile/0/000')).toEqual(bytes('a'));
			expect(await store.get('tile/0/001.p/1')).toEqual(bytes('a'));
		});

		it('partial ones are taken away together, of that tile alone, once the full one is there', async () => {
			const partial = ['tile/0/x001/234.p/1', 'tile/0/x001/234.p/44', 'tile/0/x001/234.p/255'];
			const others = ['tile/0/x001/235.p/1', 'tile/entries/x001/234.p/1', 'tile/1/x001/234.p/1'];
			for (const key of [...partial, ...others]) await store.create(key, bytes(key));
			await expect(store.remove('tile/0/x001/234.p')).rejects.toThrow();
			expect(await store.get('tile/0/x001/234.p/44')).not.toBeNull();
			await store.create('tile/0/x001/234', bytes('full'));
			await open().remove('tile/0/x001/234.p');
			await open().remove('tile/0/x001/234.p');
			for (const key of partial) expect(await store.get(key), key).toBeNull();
			for (const key of [...others, 'tile/0/x001/234']) expect(await store.get(key), key).not.toBeNull();
		});
	});
}
