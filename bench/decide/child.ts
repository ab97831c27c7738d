/**
 * The deployed handler in a process of its own, called without HTTP, its sides in turns; each call with the time in which
 * at least one call to the store was under way, and how many there were.
 */
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { endWithParent } from '../child.ts';
import { timed } from '../measure.ts';
import { type Handler, toEvent } from '../server/event.ts';

type Side = {
	readonly name: string;
	readonly headers: Readonly<Record<string, string>>;
	/** Taken one after another; none: one item is read from the store by its key. */
	readonly paths: readonly string[];
};
type Job = { readonly sides: readonly Side[]; readonly rounds: number; readonly item: { pk: string; sk: string } };
type Found = { readonly name: string; readonly total: number[]; readonly store: number[]; readonly calls: number[] };

const store = { under: 0, since: 0, ms: 0, calls: 0 };

type Send = (...args: unknown[]) => Promise<unknown>;
const prototype = DynamoDBClient.prototype as unknown as { send: Send };
const { send } = prototype;
prototype.send = async function counted(this: DynamoDBClient, ...args) {
	store.calls += 1;
	store.under += 1;
	if (store.under === 1) store.since = performance.now();
	try {
		return await send.apply(this, args);
	} finally {
		store.under -= 1;
		if (store.under === 0) store.ms += performance.now() - store.since;
	}
};

const handler = (await import('#functions/api.ts')).handler as unknown as Handler;
const { buildPlatform } = await import('#functions/platform.ts');
const { platform } = buildPlatform(process.env);

async function call({ headers, paths, name }: Side, round: number, item: Job['item']): Promise<void> {
	const path = paths[round % Math.max(1, paths.length)];
	if (path === undefined) {
		const Key = { pk: { S: item.pk }, sk: { S: item.sk } };
		const TableName = platform.config.tables.ledger;
		const { Item } = await platform.aws.dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
		if (Item === undefined) throw new Error('the item is not there');
		return;
	}
	const answer = await handler(toEvent(path, '', { method: 'GET', headers }), {});
	if (answer.statusCode !== 200) throw new Error(`${name}: ${path} answered ${answer.statusCode}: ${answer.body}`);
}

async function measure({ sides, rounds, item }: Job): Promise<Found[]> {
	const found = sides.map(({ name }): Found => ({ name, total: [], store: [], calls: [] }));
	const warm = Math.ceil(rounds / 10);
	for (let round = 0; round < warm + rounds; round += 1) {
		for (let i = 0; i < sides.length; i += 1) {
			const at = (round + i) % sides.length;
			const [side, samples] = [sides[at], found[at]];
			if (side === undefined || samples === undefined) continue;
			Object.assign(store, { ms: 0, calls: 0 });
			const { ms } = await timed(() => call(side, round, item));
			if (round < warm) continue;
			samples.total.push(ms);
			samples.store.push(store.ms);
			samples.calls.push(store.calls);
		}
	}
	return found;
}

endWithParent();
process.on('message', (job: Job) => {
	measure(job).then(
		(found) => process.send?.(found),
		(error: unknown) => {
			process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
			process.exit(1);
		},
	);
});
process.send?.('ready');
