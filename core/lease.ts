/**
 * One at a time: a lease in the projections table, by conditional writes alone. It saves work and keeps the record calm;
 * whoever loses it may still be in the middle of something, so what it guards must be safe beside another one.
 *
 * A crash leaves the lease until it runs out. Whoever finds it run out takes it (clocks of one deployment agree within
 * seconds; the lease is minutes long).
 */
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Context } from './context.ts';
import { BrokerError, errorName } from './error.ts';

type Ctx = Pick<Context, 'aws' | 'config' | 'clock' | 'random' | 'warn'>;

export type Lease = {
	/** Whether it is still ours; makes it last longer when little of it is left. */
	readonly held: () => Promise<boolean>;
	readonly release: () => Promise<void>;
};

export const LEASE_MS = 120_000;

/** The lease of this name, or null while somebody else has it. */
export async function take(ctx: Ctx, name: string): Promise<Lease | null> {
	const owner = Buffer.from(ctx.random(16)).toString('hex');
	let end = ctx.clock().getTime() + LEASE_MS;
	if (!(await write(ctx, name, { owner, until: end }, 'free'))) return null;
	let lost = false;
	const renew = async (): Promise<boolean> => {
		const now = ctx.clock().getTime();
		if (lost || end - now > LEASE_MS / 2) return !lost;
		const until = now + LEASE_MS;
		lost = !(await write(ctx, name, { owner, until }, 'ours'));
		end = until;
		return !lost;
	};
	let turn: Promise<boolean> = Promise.resolve(true);
	return {
		held() {
			turn = turn.then(renew, renew);
			return turn;
		},
		async release() {
			if (!lost) await remove(ctx, name, owner);
		},
	};
}

type Held = { readonly owner: string; readonly until: number };

/** Writes the lease if it is free, or ours; false where it is somebody else's. */
async function write(ctx: Ctx, name: string, { owner, until }: Held, where: 'free' | 'ours'): Promise<boolean> {
	const ours = { names: { '#owner': 'owner' }, values: { ':me': { S: owner } }, text: '#owner = :me' };
	const free = {
		names: { ...ours.names, '#until': 'until' },
		values: { ...ours.values, ':now': { N: String(ctx.clock().getTime()) } },
		// Its own owner may take it, too: that is how a retry after a lost answer looks.
		text: `attribute_not_exists(pk) OR #until < :now OR ${ours.text}`,
	};
	const condition = where === 'free' ? free : ours;
	try {
		await ctx.aws.dynamodb.send(
			new PutItemCommand({
				TableName: ctx.config.tables.projections,
				Item: { ...keyOf(name), owner: { S: owner }, until: { N: String(until) } },
				ConditionExpression: condition.text,
				ExpressionAttributeNames: condition.names,
				ExpressionAttributeValues: condition.values,
			}),
		);
		return true;
	} catch (cause) {
		if (errorName(cause) === 'ConditionalCheckFailedException') return false;
		throw new BrokerError('unavailable', 'The store does not answer; try again.', {}, { cause });
	}
}

async function remove(ctx: Ctx, name: string, owner: string): Promise<void> {
	try {
		await ctx.aws.dynamodb.send(
			new DeleteItemCommand({
				TableName: ctx.config.tables.projections,
				Key: keyOf(name),
				ConditionExpression: '#owner = :me',
				ExpressionAttributeNames: { '#owner': 'owner' },
				ExpressionAttributeValues: { ':me': { S: owner } },
			}),
		);
	} catch (error) {
		// Somebody else has it, or it runs out by itself.
		if (errorName(error) !== 'ConditionalCheckFailedException') ctx.warn('lease: left to run out', error);
	}
}

const keyOf = (name: string) => ({ pk: { S: `lease#${name}` }, sk: { S: '-' } });
