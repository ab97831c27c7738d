/**
 * A ledger on an embedded DynamoDB, without the rest of Fairlead; or on the DynamoDB that FAIRLEAD_DYNAMODB_ENDPOINT
 * names, where the folder stands for a key of its own, and a key for tables of its own.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { makeAws } from '#core/aws.ts';
import type { Config, Context } from '#core/context.ts';
import { type LocalAws, startAws } from '#local/aws.ts';
import { createTables } from '#local/tables.ts';

const REGION = 'eu-central-1';
const tables = {
	ledger: 'test-ledger',
	payloads: 'test-payloads',
	projections: 'test-projections',
	calls: 'test-calls',
};

export type LedgerContext = Pick<Context, 'aws' | 'config' | 'clock' | 'random' | 'trace' | 'warn'>;

type Store = Pick<LocalAws, 'endpoint' | 'issueKey' | 'close'>;

function elsewhere(endpoint: string, dataDir: string): Store {
	const key = createHash('sha256').update(dataDir).digest('hex');
	return { endpoint, issueKey: () => ({ accessKeyId: key.slice(0, 20), secretAccessKey: key }), close: async () => {} };
}

export async function openLedger(dataDir: string): Promise<{ ctx: LedgerContext; local: Store }> {
	const endpoint = process.env['FAIRLEAD_DYNAMODB_ENDPOINT'];
	const local = endpoint === undefined ? await startAws({ dataDir, region: REGION }) : elsewhere(endpoint, dataDir);
	const credentials = local.issueKey('arn:aws:iam::210000000000:role/fairlead-broker');
	const aws = makeAws({
		region: REGION,
		endpoint: local.endpoint,
		credentials,
		grantorRole: 'fairlead-grantor',
		consumerRole: 'fairlead-consumer',
	});
	await createTables(aws.dynamodb, tables);
	const config = { tables, unsealedShards: 4, region: REGION } as Config;
	const warn = (message: string, error: unknown) => {
		throw new Error(message, { cause: error });
	};
	return {
		local,
		ctx: { aws, config, clock: () => new Date(), random: randomBytes, trace: randomUUID().replaceAll('-', ''), warn },
	};
}

export const domain = (id: string, name: string) => ({
	type: 'DomainRegistered' as const,
	domain: id,
	name,
	account: '210000000001',
	members: [],
	principals: [],
	catalogs: [],
	rules: { policies: [], setHash: '0'.repeat(64) },
});
