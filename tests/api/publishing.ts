/** Publishing changed contracts of the sample bank one after the other, for the tests of what that does to grants. */
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import type * as Grants from '#core/grants.ts';
import type { Handle } from '#local/people.ts';
import type { Call } from '#local/story/client.ts';
import { principalOf } from '#local/story/world.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { get, post, requestBody } from './harness.ts';
import { enrol } from './registration.ts';

export type Part = Record<string, unknown>;
export type Column = Part & { name: string; customProperties: Part[] };
export type Document = Part & {
	version: string;
	schema: [{ name: string; properties: Column[]; customProperties: Part[] }];
	customProperties: { property: string; value: unknown }[];
};
export type Effect = { code: string; rules: string[]; roles: string[]; columns: string[]; until: string | null };
export type Published = { version: string; affected: { grant: string; effects: Effect[]; action: string }[] };

export const CARDS = 'payments.cards';

/** A bank in which whoever takes something back that protects data answers for that, too. */
export async function bankToPublish() {
	const test = await testBank();
	await enrol(test, 'payments', { peter: ['owner'], paula: ['owner', 'privacy-officer'] });
	return { test, ...publishing(test) };
}

function publishing(test: TestBank) {
	const mias = (more: Part = {}) =>
		requestBody(test.world, {
			product: CARDS,
			tables: [{ table: 'cards', columns: ['card_id', 'type'] }],
			purpose: 'service-improvement',
			principal: principalOf(test.world, 'marketing', 'service-improvement'),
			...more,
		});
	const marketing = () => principalOf(test.world, 'marketing', 'service-improvement');
	const major = new Map<string, number>();
	const contractOf = (product: string, change: (d: Document) => unknown): string => {
		const text = test.world.contracts.find((c) => c.contract.product === product)?.text ?? '';
		const document = parse(text) as Document;
		const next = (major.get(product) ?? 1) + 1;
		document.version = `${next}.0.0`;
		change(document);
		return stringify(document);
	};

	function put(who: Handle, product: string, body: string, dryRun = false): Call {
		return { who, method: 'PUT', path: `/api/v1/dataproducts/${product}${dryRun ? '?dryRun=true' : ''}`, body };
	}

	async function publish(who: Handle, product: string, change: (d: Document) => unknown): Promise<Published> {
		const answer = await test.world.call(put(who, product, contractOf(product, change)));
		expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
		major.set(product, (major.get(product) ?? 1) + 1);
		return answer.body as Published;
	}

	const resume = (id: string, who: Handle = 'peter') => post(who, `/grants/${id}/resume`, { reason: 'Go on' });
	const read = async (who: Handle, id: string) =>
		(await test.world.call(get(who, `/grants/${id}`))).body as Grants.GrantView;
	const revoke = (who: Handle, id: string) => test.world.call(post(who, `/grants/${id}/revoke`, { reason: 'over' }));

	/** Ends all that is in force, and publishes what there was at first. */
	async function clear(): Promise<void> {
		for (const who of ['mia', 'alice'] as const) {
			const { grants } = (await test.world.call(get(who, '/grants?pageSize=100'))).body as {
				grants: Grants.GrantView[];
			};
			for (const { id, product } of grants.filter((g) => !/revoked|expired/.test(g.state)))
				await revoke(product.startsWith('lending') ? 'olga' : 'peter', id);
		}
		if (major.has(CARDS)) await publish('paula', CARDS, same);
	}
	/** The next publication is after one that was not seen to be answered. */
	const published = (product: string) => major.set(product, (major.get(product) ?? 1) + 1);
	const version = (product: string) => major.get(product) ?? 1;
	return { mias, marketing, contractOf, put, publish, resume, read, revoke, clear, published, version };
}

export const column = (d: Document, name: string) => d.schema[0].properties.find((c) => c.name === name) as Column;
export const property = (d: Document, name: string, value: unknown) => {
	d.customProperties = [...d.customProperties.filter((p) => p.property !== name), { property: name, value }];
};
export const drop = (d: Document, name: string) => {
	d.schema[0].properties = d.schema[0].properties.filter((c) => c.name !== name);
};
export const same = () => {};
