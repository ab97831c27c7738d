/**
 * Listings: index items derived from ledger entries, rebuildable from them at any time.
 *
 * They hold keys, not state: what they point to is read from its stream. So a stale or missing item can hide a line
 * from a list for a moment, and can never decide access. Applying the same projection again changes nothing.
 */
import {
	type AttributeValue,
	DeleteItemCommand,
	GetItemCommand,
	PutItemCommand,
	QueryCommand,
} from '@aws-sdk/client-dynamodb';
import type { Context } from '../context.ts';
import { sha256 } from './entry.ts';
import type { Body, TableRef } from './schema.ts';
import { text, unavailable } from './store.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

export type Projection = { readonly op: 'put' | 'delete'; readonly pk: string; readonly sk: string };

/** Work queues and flow listings are spread over this many partitions. */
export const SHARDS = 8;

export const key = {
	domains: 'domains',
	products: 'products',
	person: (person: string) => `person#${person}`,
	principal: (arn: string) => `principal#${arn}`,
	table: (database: string, table: string) => `table#${database}.${table}`,
	requestsOfDomain: (domain: string) => `requests#domain#${domain}`,
	requestsOfPerson: (person: string) => `requests#person#${person}`,
	grantsOfDomain: (domain: string) => `grants#domain#${domain}`,
	grantsOfPerson: (person: string) => `grants#person#${person}`,
	/** Grants by their end, for expiry. */
	due: (shard: number) => `due#${shard}`,
	/** Grants and queries that are on their way. */
	open: (shard: number) => `open#${shard}`,
	flows: (product: string, day: string, shard: number) => `flows#${product}#${day}#${shard}`,
} as const;

export const shardOf = (id: string) => Number.parseInt(sha256(id).slice(0, 8), 16) % SHARDS;

/** What an entry adds to, or takes from, the listings. Pure. */
export function project(recorded: { readonly body: Body; readonly entry: { readonly at: string } }): Projection[] {
	const { body } = recorded;
	switch (body.type) {
		case 'DomainRegistered':
			return [
				put(key.domains, body.domain),
				...body.members.map((m) => put(key.person(m.person), body.domain)),
				...body.principals.map((p) => put(key.principal(p.arn), body.domain)),
			];
		case 'ContractPublished':
			return [put(key.products, body.product), ...body.tables.map((t) => tableOf(t, body.product))];
		case 'AccessRequested':
			return [
				put(key.requestsOfDomain(body.productDomain), body.request),
				...unique([body.requester, ...body.beneficiaries]).map((p) => put(key.requestsOfPerson(p), body.request)),
			];
		case 'AccessDecided':
			return body.grant === undefined ? [] : [put(key.open(shardOf(body.grant)), `request#${body.request}`)];
		case 'GrantOpened':
			return [
				put(key.grantsOfDomain(body.productDomain), body.grant),
				...(body.consumerDomain === body.productDomain
					? []
					: [put(key.grantsOfDomain(body.consumerDomain), body.grant)]),
				...body.beneficiaries.map((p) => put(key.grantsOfPerson(p), body.grant)),
				put(key.due(shardOf(body.grant)), `${body.until}#${body.grant}`),
				put(key.open(shardOf(body.grant)), `grant#${body.grant}`),
				drop(key.open(shardOf(body.grant)), `request#${body.request}`),
			];
		case 'GrantSettled':
			return body.state === 'granted' ? [drop(key.open(shardOf(body.grant)), `grant#${body.grant}`)] : [];
		case 'GrantEnding':
			return [put(key.open(shardOf(body.grant)), `grant#${body.grant}`)];
		case 'GrantEnded':
			return body.state === 'revoke_failed' ? [] : [drop(key.open(shardOf(body.grant)), `grant#${body.grant}`)];
		case 'FlowIntended':
			return [
				put(key.open(shardOf(body.flow)), `query#${body.flow}`),
				...unique(body.from.map((f) => f.product)).map((product) =>
					put(
						key.flows(product, recorded.entry.at.slice(0, 10), shardOf(body.flow)),
						`${recorded.entry.at}#${body.flow}`,
					),
				),
			];
		case 'FlowCompleted':
		case 'FlowFailed':
		case 'FlowCancelled':
			return [drop(key.open(shardOf(body.flow)), `query#${body.flow}`)];
		case 'AccessCancelled':
		case 'EntitlementChanged':
		case 'FlowDelivered':
		case 'ReportRequested':
			return [];
	}
}

const put = (pk: string, sk: string): Projection => ({ op: 'put', pk, sk });
const drop = (pk: string, sk: string): Projection => ({ op: 'delete', pk, sk });
const tableOf = (t: TableRef, product: string) => put(key.table(t.database, t.table), `${product}#${t.account}`);
const unique = (values: readonly string[]) => [...new Set(values)];

export async function applyProjections(ctx: Ctx, projections: readonly Projection[]): Promise<void> {
	// In order: an entry that takes from a queue comes after the one that put it there.
	for (const p of projections) {
		const Key = { pk: { S: p.pk }, sk: { S: p.sk } };
		const TableName = ctx.config.tables.projections;
		const command =
			p.op === 'put' ? new PutItemCommand({ TableName, Item: Key }) : new DeleteItemCommand({ TableName, Key });
		await ctx.aws.dynamodb.send(command as PutItemCommand);
	}
}

/** Takes one item off a listing, once its stream shows that it no longer belongs there. */
export async function remove(ctx: Ctx, pk: string, sk: string): Promise<void> {
	await applyProjections(ctx, [drop(pk, sk)]);
}

export type Page = { readonly keys: string[]; readonly next: string | null };

export type Range = {
	readonly limit: number;
	/** Sort key to go on after. */
	readonly after?: string | null;
	/** Only sort keys up to this one, inclusive. */
	readonly upTo?: string;
	readonly newestFirst?: boolean;
};

/** Sort keys under `pk`. */
export async function list(ctx: Ctx, pk: string, range: Range): Promise<Page> {
	try {
		const answer = await ctx.aws.dynamodb.send(
			new QueryCommand({
				TableName: ctx.config.tables.projections,
				ConsistentRead: true,
				KeyConditionExpression: range.upTo === undefined ? 'pk = :pk' : 'pk = :pk AND sk <= :to',
				ExpressionAttributeValues: {
					':pk': { S: pk },
					...(range.upTo === undefined ? {} : { ':to': { S: range.upTo } }),
				},
				ScanIndexForward: range.newestFirst !== true,
				Limit: range.limit,
				...(range.after == null ? {} : { ExclusiveStartKey: { pk: { S: pk }, sk: { S: range.after } } }),
			}),
		);
		return {
			keys: (answer.Items ?? []).map((item) => text(item['sk'])),
			next: answer.LastEvaluatedKey === undefined ? null : text(answer.LastEvaluatedKey['sk']),
		};
	} catch (cause) {
		throw unavailable(cause);
	}
}

/** Every sort key under `pk`; for listings that are short by nature. */
export async function all(ctx: Ctx, pk: string): Promise<string[]> {
	const keys: string[] = [];
	let after: string | null = null;
	do {
		const page: Page = await list(ctx, pk, { limit: 500, after });
		keys.push(...page.keys);
		after = page.next;
	} while (after !== null);
	return keys;
}

/** A value kept beside the listings that only saves work: losing it costs time, never truth. */
export async function readHint(ctx: Ctx, name: string): Promise<string | null> {
	const answer = await ctx.aws.dynamodb.send(
		new GetItemCommand({ TableName: ctx.config.tables.projections, Key: hintKey(name), ConsistentRead: true }),
	);
	return answer.Item?.['value']?.S ?? null;
}

export async function writeHint(ctx: Ctx, name: string, value: string): Promise<void> {
	const Item = { ...hintKey(name), value: { S: value } };
	await ctx.aws.dynamodb.send(new PutItemCommand({ TableName: ctx.config.tables.projections, Item }));
}

const hintKey = (name: string): Record<'pk' | 'sk', AttributeValue> => ({ pk: { S: `hint#${name}` }, sk: { S: '-' } });
