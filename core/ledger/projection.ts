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
import { errorName } from '../error.ts';
import { bypassLines } from './bypass.ts';
import { sha256 } from './entry.ts';
import { key, SHARDS } from './keys.ts';
import { attributesOf, conditionOf, type Projection } from './mark.ts';
import type { Body, BodyOf, TableRef } from './schema.ts';
import { text, unavailable } from './store.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

export { key, SHARDS } from './keys.ts';
export type { Projection } from './mark.ts';

export const shardOf = (id: string) => Number.parseInt(sha256(id).slice(0, 8), 16) % SHARDS;

type Told = {
	readonly body: Body;
	readonly leaf: string;
	readonly entry: { readonly at: string; readonly ver: number };
};

/** What an entry adds to, or takes from, the listings. Pure. */
export function project(recorded: Told): Projection[] {
	const { ver } = recorded.entry;
	// Versions of two streams do not compare: what takes off the line of another stream says whose it is.
	return linesOf(recorded).map((line) => (line.op === 'delete' && line.by !== undefined ? line : { ...line, ver }));
}

function linesOf(recorded: Told): Projection[] {
	const { body } = recorded;
	switch (body.type) {
		case 'DomainRegistered':
			return [
				put(key.domains, body.domain),
				...body.members.map((m) => put(key.person(m.person), body.domain)),
				...affecting(`domain#${body.domain}`, recorded.entry),
			];
		case 'ContractPublished':
			return [
				put(key.products, body.product),
				...body.tables.map((t) => tableOf(t, body.product)),
				...affecting(`product#${body.product}`, recorded.entry),
			];
		case 'AccessRequested':
			return [
				put(key.requestsOfDomain(body.productDomain), body.request),
				...unique([body.requester, ...body.beneficiaries]).map((p) => put(key.requestsOfPerson(p), body.request)),
				put(key.pending(shardOf(body.request)), `${recorded.entry.at}#${body.request}`),
				...(body.breakGlass === undefined ? [] : taking(body, body.breakGlass)),
			];
		case 'AccessReviewed':
			return [
				...reviewLines(body).map((l) => drop(...l)),
				// What it opened, if anything, is to be ended.
				...(body.verdict === 'justified' ? [] : condemning(body, recorded.entry)),
			];
		case 'AccessReviewOverdue':
			return [drop(key.reviews(shardOf(body.request)), `${body.reviewDue}#${body.request}`)];
		case 'AccessReopened':
			// What its decision brought into being, if anything, is still to be ended.
			return [{ ...put(key.open(shardOf(body.request)), `request#${body.request}`), by: recorded.leaf }];
		case 'AccessEdited':
			return body.beneficiaries.map((p) => put(key.requestsOfPerson(p), body.request));
		case 'AccessDecided':
			if (body.grant === undefined) return [];
			return [{ ...put(key.open(shardOf(body.grant)), `request#${body.request}`), by: recorded.leaf }];
		case 'GrantOpened':
			return [
				put(key.grantsOfDomain(body.productDomain), body.grant),
				...(body.consumerDomain === body.productDomain
					? []
					: [put(key.grantsOfDomain(body.consumerDomain), body.grant)]),
				...body.beneficiaries.map((p) => put(key.grantsOfPerson(p), body.grant)),
				put(key.grantsOfProduct(body.product), body.grant),
				put(key.grantsOfConsumer(body.consumerDomain), body.grant),
				put(key.due(shardOf(body.grant)), `${body.until}#${body.grant}`),
				put(key.open(shardOf(body.grant)), `grant#${body.grant}`),
				// Of this decision alone: a later one may stand in the same line.
				{ ...drop(key.open(shardOf(body.grant)), `request#${body.request}`), by: body.decisionLeaf },
			];
		case 'GrantSettled':
			// One that may take the place of another is looked at once more.
			if (body.renews !== undefined) return [put(key.open(shardOf(body.grant)), `grant#${body.grant}`)];
			return body.state === 'granted' ? [drop(key.open(shardOf(body.grant)), `grant#${body.grant}`)] : [];
		case 'GrantSuspending':
		case 'GrantResuming':
		case 'GrantNarrowed':
		case 'GrantEnding':
			return [put(key.open(shardOf(body.grant)), `grant#${body.grant}`)];
		case 'GrantLeft':
			return [
				...body.persons.map((p) => drop(key.grantsOfPerson(p), body.grant)),
				put(key.open(shardOf(body.grant)), `grant#${body.grant}`),
			];
		case 'GrantShortened':
			return [
				put(key.due(shardOf(body.grant)), `${body.until}#${body.grant}`),
				drop(key.due(shardOf(body.grant)), `${body.was}#${body.grant}`),
				put(key.open(shardOf(body.grant)), `grant#${body.grant}`),
			];
		case 'GrantSuspended':
			return body.state === 'suspended' ? [drop(key.open(shardOf(body.grant)), `grant#${body.grant}`)] : [];
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
			return [
				drop(key.open(shardOf(body.flow)), `query#${body.flow}`),
				body.execution === null
					? put(key.unnoted, `${recorded.entry.at}#${body.flow}`)
					: put(key.execution(body.execution), body.flow),
			];
		case 'CompletenessChecked':
			return [put(key.completeness, body.day)];
		case 'BypassDetected':
			return bypassLines(body).map((l) => put(...l));
		case 'EntitlementChanged':
			return holdingOf(body, recorded.entry);
		case 'DelegationGiven':
			return [
				...unique([body.giver, body.to]).map((p) => put(key.delegationsOfPerson(p), body.delegation)),
				put(key.delegationsOfDomain(body.domain), body.delegation),
				...delegationLines(body, body.domain).map((l) => put(...l)),
			];
		case 'DelegationEnded':
			// One that does not say of which domain it was leaves its lines, which lead to its end.
			return body.domain === undefined ? [] : delegationLines(body, body.domain).map((l) => drop(...l));
		case 'ErasureRequested':
			return [put(key.erasures, `${recorded.entry.at}#${body.entry}`), put(key.erasing, body.entry)];
		case 'PayloadErased':
			return [drop(key.erasing, body.entry)];
		case 'AccessCancelled':
		case 'AccessLapsed':
		case 'AccessReminded':
		case 'ColumnsRecorded':
		case 'DomainRegistering':
		case 'DriftRecorded':
		case 'FlowDelivered':
		case 'GrantHeld':
		case 'GrantReleased':
		case 'ReportRequested':
		case 'RecordsRead':
		case 'IntegrityFault':
			return [];
	}
}

const put = (pk: string, sk: string): Projection => ({ op: 'put', pk, sk });
const drop = (pk: string, sk: string): Projection => ({ op: 'delete', pk, sk });

/** Where a delegation is listed by its end. */
function delegationLines(
	of: { readonly delegation: string; readonly to: string; readonly until: string },
	domain: string,
) {
	const line = `${of.until}#${of.delegation}`;
	return [key.mandates(of.to, domain), key.delegationsByEnd(domain)].map((pk) => [pk, line] as const);
}

/** Where access that is to be reviewed is listed. */
export function reviewLines(of: {
	readonly request: string;
	readonly productDomain: string;
	readonly reviewDue: string;
	/** Pseudonyms of whoever took it. */
	readonly takers?: readonly string[] | undefined;
}) {
	const line = `${of.reviewDue}#${of.request}`;
	const places = [key.unreviewed, key.unreviewedOfDomain(of.productDomain), key.reviews(shardOf(of.request))];
	return [...places, ...(of.takers ?? []).map(key.emergenciesOf)].map((pk) => [pk, line] as const);
}

/** Asked for in an emergency: to be reviewed, and on its way until it is taken, or cannot be any more. */
function taking(
	{ request, productDomain, requester }: BodyOf<'AccessRequested'>,
	{ reviewDue, of }: NonNullable<BodyOf<'AccessRequested'>['breakGlass']>,
): Projection[] {
	const takers = unique([requester, ...(of === undefined ? [] : [of])]);
	const lines = reviewLines({ request, productDomain, reviewDue, takers });
	return [...lines.map((l) => put(...l)), followed(request)];
}

function condemning({ request, takers = [] }: BodyOf<'AccessReviewed'>, { at }: { readonly at: string }): Projection[] {
	return [followed(request), ...takers.map((p) => put(key.condemnedOf(p), `${at}#${request}`))];
}

/** In a line of its own, which no entry of another stream takes off: entries are listed again in no order of streams. */
const followed = (request: string) => put(key.open(shardOf(request)), `emergency#${request}`);

const tableOf = (t: TableRef, product: string) => put(key.table(t.database, t.table), `${product}#${t.account}`);

/** After that no call that began before a change still acts on what it read then. */
const OVERTAKEN_MS = 20 * 60_000;

/** When what was changed is to be looked at, as it stands in the listing. */
export const affectedAt = (what: string, at: string, laterMs = 0) =>
	`${new Date(Date.parse(at) + laterMs).toISOString()}#${what}`;

/**
 * At once, and again when nobody can be opening a grant any more under what was before. The first version of anything
 * affects no grant.
 */
function affecting(what: string, { at, ver }: { readonly at: string; readonly ver: number }): Projection[] {
	if (ver === 1) return [];
	return [0, OVERTAKEN_MS].map((later) => put(key.affected(shardOf(what)), affectedAt(what, at, later)));
}

function holdingOf(
	{ principal, table, step }: BodyOf<'EntitlementChanged'>,
	{ at, ver }: { readonly at: string; readonly ver: number },
): Projection[] {
	const name = `${table.account}.${table.database}.${table.table}`;
	const consumer = principal.split(':')[4] ?? '';
	const moving = step === 'settled' ? [] : [put(key.moving(shardOf(name)), `${at}#${name}#${principal}`)];
	// Only the first version adds these: later ones change what is read there, not that it is there.
	if (ver > 1) return moving;
	return [
		...moving,
		put(key.held, name),
		put(key.holdersOf(table), principal),
		...(consumer === table.account ? [] : [put(key.heldFrom(consumer), `${name}#${principal}`)]),
	];
}

const unique = (values: readonly string[]) => [...new Set(values)];

/**
 * In order: an entry that takes from a queue comes after the one that put it there. Whoever comes late, as a process that
 * stood still does, changes no line that a later entry of the stream has put; a line that one has taken off he may put
 * again, which leads to a stream that says so.
 */
export async function applyProjections(ctx: Ctx, projections: readonly Projection[]): Promise<void> {
	for (const line of projections) {
		try {
			await ctx.aws.dynamodb.send(commandOf(ctx, line) as PutItemCommand);
		} catch (error) {
			if (errorName(error) !== 'ConditionalCheckFailedException') throw error;
		}
	}
}

function commandOf({ config }: Ctx, line: Projection): PutItemCommand | DeleteItemCommand {
	const Key = { pk: { S: line.pk }, sk: { S: line.sk } };
	const where = { TableName: config.tables.projections, ...conditionOf(line) };
	return line.op === 'put'
		? new PutItemCommand({ ...where, Item: { ...Key, ...attributesOf(line) } })
		: new DeleteItemCommand({ ...where, Key });
}

/**
 * Takes one item off a listing, once its stream shows that it no longer belongs there. `seen`: the last version of the
 * stream that was looked at; what a later one has put meanwhile stays.
 */
export async function remove(ctx: Ctx, pk: string, sk: string, seen?: number): Promise<void> {
	await applyProjections(ctx, [{ ...drop(pk, sk), ver: seen === undefined ? undefined : seen + 1 }]);
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

/** Keeps this value unless there is one: whichever stays. Of two who claim a name at once, both are told the same. */
export async function claimHint(ctx: Ctx, name: string, value: string): Promise<string> {
	const Item = { ...hintKey(name), value: { S: value } };
	const TableName = ctx.config.tables.projections;
	try {
		await ctx.aws.dynamodb.send(
			new PutItemCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }),
		);
		return value;
	} catch (error) {
		if (errorName(error) !== 'ConditionalCheckFailedException') throw error;
		return (await readHint(ctx, name)) ?? value;
	}
}

const hintKey = (name: string): Record<'pk' | 'sk', AttributeValue> => ({ pk: { S: `hint#${name}` }, sk: { S: '-' } });
