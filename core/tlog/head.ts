/**
 * The head of the log: one item of the ledger table, the only thing that decides what the log is.
 *
 * It moves by compare-and-swap alone, from clean to committed (a batch is staged, the new tree goes on from the old one)
 * and back to clean (all of it is published and marked). What it goes on from and the hash of what is staged stand in it,
 * so that nobody who can only write objects has a say in what is done with a committed batch. UpdateItem, so that IAM can hold the sealer to keys that begin with `L#`
 * (`dynamodb:LeadingKeys`). A lost answer leaves the next reader to see what became of it.
 */
import { type AttributeValue, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { sameBytes } from '#verifier/encoding.ts';
import { EMPTY_ROOT } from '#verifier/merkle.ts';
import { errorName } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { alarm, type ReadCtx } from './ports.ts';

export type Tree = { readonly size: number; readonly root: Uint8Array };
export type Head = Tree & {
	/** The tree that its last batch was added to, and the SHA-256 of that batch as it is staged. */
	readonly from: Tree;
	readonly staged: Uint8Array;
	readonly state: 'committed' | 'clean';
	/** When it was committed, in milliseconds; every later one is later. */
	readonly at: number;
};

/** Before the first batch there is no item. */
const NO_TREE: Tree = { size: 0, root: EMPTY_ROOT };
export const NO_HEAD: Head = { ...NO_TREE, from: NO_TREE, staged: new Uint8Array(32), state: 'clean', at: -1 };

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
export const sameTree = (a: Tree, b: Tree) => a.size === b.size && sameBytes(a.root, b.root);
export const sameHead = (a: Head, b: Head) =>
	sameTree(a, b) && sameTree(a.from, b.from) && sameBytes(a.staged, b.staged) && a.state === b.state && a.at === b.at;

/** Where the batch is staged that leads from one tree to another: what another batch leads to lies elsewhere. */
export const stagingKey = (from: Tree, { size, root }: Tree) => `staging/${from.size}-${size}-${hex(root)}`;

/** The head, read consistently. Throws an alarm where it is not one that was written here. */
export async function readHead(ctx: ReadCtx): Promise<Head> {
	const Key = Ledger.headKey(ctx.log.origin);
	const command = new GetItemCommand({ TableName: ctx.config.tables.ledger, Key, ConsistentRead: true });
	const { Item } = await ctx.aws.dynamodb.send(command).catch((cause: unknown) => {
		throw Ledger.unavailable(cause);
	});
	if (Item === undefined) return NO_HEAD;
	const tree = treeIn(Item['size'], Item['root']);
	const from = treeIn(Item['fromSize'], Item['fromRoot']);
	const at = Number(Item['at']?.N);
	const staged = Item['staged']?.B;
	const state = Item['state']?.S;
	if (tree === null || from === null || tree.size <= from.size || !Number.isSafeInteger(at)) throw unreadable();
	if (staged?.length !== 32 || (state !== 'committed' && state !== 'clean')) throw unreadable();
	if (Item['staging']?.S !== stagingKey(from, tree)) throw unreadable();
	return { ...tree, from, staged, state, at };
}

function treeIn(size: AttributeValue | undefined, root: AttributeValue | undefined): Tree | null {
	const count = Number(size?.N);
	return Number.isSafeInteger(count) && count >= 0 && root?.B?.length === 32 ? { size: count, root: root.B } : null;
}

const unreadable = () => alarm('head-unreadable', 'The head of the log cannot be read.');

/** Commits a tree that was staged after `from`. Null where the head has moved on meanwhile, or is another's. */
export async function commit(ctx: ReadCtx, from: Head, to: Tree & Pick<Head, 'staged' | 'at'>): Promise<Head | null> {
	const { size, root, staged, at } = to;
	const tree: Tree = { size: from.size, root: from.root };
	const head: Head = { size, root, from: tree, staged, state: 'committed', at };
	return (await swap(ctx, from, head)) ? head : null;
}

/** All of the batch is done. False where somebody else has said so already. */
export async function settle(ctx: ReadCtx, head: Head): Promise<boolean> {
	return swap(ctx, head, { ...head, state: 'clean' });
}

const MEMBERS = ['size', 'root', 'fromSize', 'fromRoot', 'staging', 'staged', 'state', 'at'];

async function swap(ctx: ReadCtx, from: Head, to: Head): Promise<boolean> {
	const was = { ':size0': { N: String(from.size) }, ':root0': { B: from.root }, ':state0': { S: from.state } };
	const first = from.size === 0;
	const command = new UpdateItemCommand({
		TableName: ctx.config.tables.ledger,
		Key: Ledger.headKey(ctx.log.origin),
		UpdateExpression: `SET ${MEMBERS.map((name) => `#${name} = :${name}`).join(', ')}`,
		ConditionExpression: first ? 'attribute_not_exists(pk)' : '#size = :size0 AND #root = :root0 AND #state = :state0',
		ExpressionAttributeNames: Object.fromEntries(MEMBERS.map((name) => [`#${name}`, name])),
		ExpressionAttributeValues: { ...attributesOf(to), ...(first ? {} : was) },
	});
	try {
		await ctx.aws.dynamodb.send(command);
		return true;
	} catch (cause) {
		if (errorName(cause) !== 'ConditionalCheckFailedException') throw Ledger.unavailable(cause);
		// The client asks again by itself when an answer is lost: what it finds then may be its own work.
		return sameHead(await readHead(ctx), to);
	}
}

const attributesOf = (head: Head): Record<string, AttributeValue> => ({
	':size': { N: String(head.size) },
	':root': { B: head.root },
	':fromSize': { N: String(head.from.size) },
	':fromRoot': { B: head.from.root },
	':staging': { S: stagingKey(head.from, head) },
	':staged': { B: head.staged },
	':state': { S: head.state },
	':at': { N: String(head.at) },
});
