/** A ledger on an embedded DynamoDB, without the rest of Fairlead. */
import { randomBytes, randomUUID } from 'node:crypto';
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

export async function openLedger(dataDir: string): Promise<{ ctx: LedgerContext; local: LocalAws }> {
	const local = await startAws({ dataDir, region: REGION });
	const credentials = local.issueKey('arn:aws:iam::210000000000:role/fairlead-broker');
	const aws = makeAws({ region: REGION, endpoint: local.endpoint, credentials, grantorRole: 'fairlead-grantor' });
	await createTables(aws.dynamodb, tables);
	const config = { tables, region: REGION } as Config;
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
	rules: { policies: [], setHash: '0'.repeat(64) },
});
