/** What the tests of completeness share: a day that is over, reads past Fairlead, and records made by hand. */
import { randomUUID } from 'node:crypto';
import { GetQueryExecutionCommand } from '@aws-sdk/client-athena';
import { GrantPermissionsCommand } from '@aws-sdk/client-lakeformation';
import { expect } from 'vitest';
import { readCatalog } from '#core/completeness/catalog.ts';
import { checkOne } from '#core/completeness/check.ts';
import { lastOver } from '#core/completeness/days.ts';
import * as Completeness from '#core/completeness.ts';
import { type Platform, systemContext } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import { type Bank, BROKER } from '#local/bank.ts';
import { rawAthena } from '#local/story/aws.ts';
import { seenAs, type World } from '#local/story/world.ts';
import { administratorOf } from '#tests/administrator.ts';

export const LENDING = '210000000001';
export const RISK = '210000000004';
export const LOANS = { account: LENDING, database: 'lending', table: 'loans' };
const HOUR_MS = 3_600_000;

const days = new Map<string, string>();

/** The day on which a test file began, all through it. */
export function today(): string {
	const file = expect.getState().testPath ?? '';
	const day = days.get(file) ?? new Date().toISOString().slice(0, 10);
	days.set(file, day);
	return day;
}

/** From any time of a day to one at which that day can be checked, and the next one cannot. */
export const OVER_MS = overMs();

function overMs(): number {
	const day = '2026-01-01';
	const begin = Date.parse(day);
	let ms = 0;
	while (lastOver(new Date(begin + ms)) !== day) ms += HOUR_MS / 4;
	return ms;
}
export const FAST = { lookupMs: 0, athenaMs: 0 };

/** As the same bank will be once today is over. */
export function tomorrow({ platform }: Pick<Bank, 'platform'>, more: Partial<Platform> = {}): Platform {
	const clock = () => new Date(Date.now() + OVER_MS);
	return { ...platform, policies: platform.policies, clock, ...more };
}

export const check = (platform: Platform, forMs: number | null = null) =>
	Completeness.scheduled(platform, '0'.repeat(32), { pace: FAST, forMs });

export const checkedOn = (platform: Platform, day = today()) =>
	Ledger.last(platform, Ledger.stream.completeness(day), 'CompletenessChecked');

/** Every entry of the streams of this kind. */
export async function entriesOf(platform: Platform, kind: 'bypass' | 'completeness'): Promise<Ledger.Recorded[]> {
	const found: Ledger.Recorded[] = [];
	let start: string | null = null;
	do {
		const page = await Ledger.rawPage(platform, start, 500);
		const ours = page.items.filter(({ stream }) => stream.startsWith(`A#${kind}#`));
		found.push(...ours.map((stored) => Ledger.recordedOf(stored)));
		start = page.next;
	} while (start !== null);
	return found;
}

export async function bypasses(platform: Platform): Promise<Ledger.Recorded<'BypassDetected'>[]> {
	return (await entriesOf(platform, 'bypass')).map((e) => Ledger.as(e, 'BypassDetected'));
}

/** A query as a principal's role, sent straight to Athena. */
export async function directly(world: World, principal: string, workGroup = 'fairlead-risk'): Promise<void> {
	const { bank } = world;
	const database = principal.split(':')[4] === LENDING ? 'lending' : await seenAs(world, principal, 'lending.loans');
	const { state, reason } = await rawAthena(bank, principal, workGroup, `SELECT loan_id FROM ${database}.loans`);
	if (state !== 'SUCCEEDED') throw new Error(`the query ${state}: ${reason}`);
}

/** Waits until Athena is through with an execution, without anybody else being told. */
export async function over({ platform }: Pick<Bank, 'platform'>, principal: string, execution: string): Promise<void> {
	const command = new GetQueryExecutionCommand({ QueryExecutionId: execution });
	for (;;) {
		const { QueryExecution: seen } = await platform.aws.athena(principal).send(command);
		if (!/^(QUEUED|RUNNING)$/.test(seen?.Status?.State ?? '')) return;
		await new Promise((resolve) => setTimeout(resolve, 25));
	}
}

/** A role of an account that no domain has registered, with a right on the loans that no grant of ours gave. */
export async function withRole({ bank }: World, account: string, name: string): Promise<string> {
	const arn = `arn:aws:iam::${account}:role/${name}`;
	await bank.aws.provision({
		region: 'eu-central-1',
		accounts: [],
		roles: [{ arn, trusts: [BROKER] }],
		databases: [],
		links: [],
		tables: [],
		workGroups: [{ account, name: 'adhoc' }],
	});
	await administratorOf(bank)
		.lakeformation(LENDING)
		.send(
			new GrantPermissionsCommand({
				Principal: { DataLakePrincipalIdentifier: arn },
				Resource: { Table: { CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans' } },
				Permissions: ['SELECT', 'DESCRIBE'],
			}),
		);
	return arn;
}

type Made = {
	readonly account?: string;
	readonly name?: 'GetDataAccess' | 'StartQueryExecution';
	readonly at?: Date;
	/** Members of the record, over those of a whole one. */
	readonly record?: Record<string, unknown>;
};

/** Tells the trail of an account of one more read of the loans, by a role of the risk domain's account. */
export function tell(
	{ aws }: Pick<Bank, 'aws'>,
	{ account = RISK, name = 'GetDataAccess', at, record = {} }: Made = {},
): string {
	const eventID = randomUUID();
	const eventTime = `${(at ?? new Date()).toISOString().slice(0, 19)}Z`;
	const role = `arn:aws:iam::${RISK}:role/analyst`;
	const detail = {
		eventVersion: '1.11',
		eventID,
		eventTime,
		eventName: name,
		eventSource: name === 'GetDataAccess' ? 'lakeformation.amazonaws.com' : 'athena.amazonaws.com',
		recipientAccountId: account,
		readOnly: name === 'GetDataAccess',
		userIdentity: {
			type: 'AssumedRole',
			principalId: 'AROAEXAMPLEEXAMPLE01:ada.lovelace',
			accountId: RISK,
			arn: `arn:aws:sts::${RISK}:assumed-role/analyst/ada.lovelace`,
			sessionContext: { sessionIssuer: { arn: role } },
		},
		requestParameters: {
			tableArn: `arn:aws:glue:eu-central-1:${LENDING}:table/lending/loans`,
			permissions: ['SELECT'],
			auditContext: { additionalAuditContext: `{queryId: ${randomUUID()}}` },
		},
		additionalEventData: { requesterService: 'ATHENA', lakeFormationPrincipal: role },
		...record,
	};
	aws.emit({ 'detail-type': 'AWS API Call via CloudTrail', account, detail });
	return eventID;
}

/** Today once more, whether it was checked or not. */
export async function again(platform: Platform, day = today()): Promise<Ledger.Recorded<'CompletenessChecked'> | null> {
	const ctx = systemContext(platform, '0'.repeat(32));
	return checkOne(ctx, { day, catalog: await readCatalog(ctx), deadline: null, pace: FAST });
}
