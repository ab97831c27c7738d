/**
 * The functions. Settings reach them as environment variables, encrypted with a key of our own: who may read a
 * function's configuration still needs that key to read the secret in it (Lambda Developer Guide, environment
 * variables; Lambda decrypts by a grant, so the roles need no right on the key).
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { FunctionName } from './actions.ts';
import { entries, folderOf, TASK_ROOT } from './entries.ts';
import type { LedgerLog } from './log.ts';
import { makeRole, nameOf, type RoleParts } from './roles.ts';
import type { StageSettings } from './settings.ts';
import type { Tables } from './tables.ts';

/** Builds every bundle in a process of its own: the bundler is no part of the stack. */
export function buildBundles(): void {
	execFileSync(process.execPath, ['--import', 'tsx', 'infra/bundle.ts'], {
		cwd: $cli.paths.root,
		stdio: ['ignore', 'ignore', 'inherit'],
	});
}

export type Shared = {
	readonly settings: StageSettings;
	readonly tables: Tables;
	readonly log: LedgerLog;
	readonly environment: Record<string, $util.Input<string>>;
	readonly key: aws.kms.Key;
};

type Places = { readonly tables: Tables; readonly log: LedgerLog; readonly url: $util.Input<string> };

export function makeShared(settings: StageSettings, { tables, log, url }: Places): Shared {
	const key = new aws.kms.Key('Settings', {
		description: `Fairlead ${$app.stage}: environment variables of the functions`,
		enableKeyRotation: true,
		deletionWindowInDays: 30,
	});
	const common = { ...environment(settings, tables, url), ...log.environment };
	return { settings, tables, log, key, environment: common };
}

/** What `functions/platform.ts` asks for in every function; Lambda itself adds AWS_REGION. */
function environment(settings: StageSettings, tables: Tables, url: $util.Input<string>): Shared['environment'] {
	return {
		FAIRLEAD_LEDGER_TABLE: tables.ledger.name,
		FAIRLEAD_PAYLOADS_TABLE: tables.payloads.name,
		FAIRLEAD_PROJECTIONS_TABLE: tables.projections.name,
		FAIRLEAD_CALLS_TABLE: tables.calls.name,
		FAIRLEAD_UNSEALED_SHARDS: String(settings.unsealedShards ?? 64),
		FAIRLEAD_URL: url,
		FAIRLEAD_VERSION: process.env['FAIRLEAD_VERSION'] ?? 'unversioned',
		FAIRLEAD_CALLS_PER_MINUTE: String(settings.callsPerMinute),
		FAIRLEAD_REQUEST_LAPSES_AFTER: `P${settings.requestLapsesAfterDays}D`,
		FAIRLEAD_REMIND_BEFORE: `P${settings.remindBeforeDays}D`,
		FAIRLEAD_BREAK_GLASS_REVIEW_WITHIN: `P${settings.breakGlassReviewDays}D`,
		FAIRLEAD_POLICIES: `${TASK_ROOT}/policies`,
		FAIRLEAD_DOCS: `${TASK_ROOT}/docs`,
		FAIRLEAD_GOVERNANCE_DOMAIN: settings.governanceDomain,
		FAIRLEAD_FOUNDERS: JSON.stringify(settings.founders),
		FAIRLEAD_GRANTOR_ROLE: settings.grantorRole,
		FAIRLEAD_CONSUMER_ROLE: settings.consumerRole,
		FAIRLEAD_OWN_ROLES: ownRoles(),
		FAIRLEAD_WORK_GROUP_PREFIX: settings.prefix,
		FAIRLEAD_CURSOR_KEY: new sst.Secret('CursorKey').value,
		FAIRLEAD_ISSUER: settings.issuer,
		FAIRLEAD_AUDIENCE: settings.audience,
		FAIRLEAD_JWKS_URI: settings.jwksUri,
		...(settings.tokenType === null ? {} : { FAIRLEAD_TOKEN_TYPE: settings.tokenType }),
		FAIRLEAD_TOKEN_ALGORITHMS: settings.tokenAlgorithms,
	};
}

/** By their names, which are fixed: a function's environment cannot wait for the roles of the others. */
function ownRoles(): $util.Output<string> {
	const { accountId } = aws.getCallerIdentityOutput();
	const names = (Object.keys(entries) as FunctionName[]).map(nameOf);
	return accountId.apply((id) => names.map((name) => `arn:aws:iam::${id}:role/${name}`).join(' '));
}

/** The thread that reads SQL lies beside the API alone: the others read none. Only the sealer knows the log's key. */
const ownEnvironment: Record<FunctionName, (log: LedgerLog) => Record<string, $util.Input<string>>> = {
	api: () => ({ FAIRLEAD_PARSER: `${TASK_ROOT}/parser.mjs` }),
	sweep: () => ({}),
	reconcile: () => ({}),
	seal: ({ sealing }) => sealing,
	erase: () => ({}),
	completeness: () => ({}),
};

type Size = Pick<sst.aws.FunctionArgs, 'timeout' | 'memory' | 'concurrency'> & Pick<RoleParts, 'more'>;

export type Made = { readonly run: sst.aws.Function; readonly logGroup: aws.cloudwatch.LogGroup };

export function makeFunction(name: FunctionName, shared: Shared, { more = [], ...size }: Size): Made {
	const { settings, tables, log, key } = shared;
	const logGroup = new aws.cloudwatch.LogGroup(`${name}Log`, {
		name: `/aws/lambda/${nameOf(name)}`,
		retentionInDays: days[settings.logRetention],
	});
	const role = makeRole(name, { tables, log, logGroup, settings, more });
	const run = new sst.aws.Function(`${name}Function`, {
		name: nameOf(name),
		bundle: path.join($cli.paths.root, folderOf(name)),
		handler: 'index.handler',
		runtime: 'nodejs24.x',
		architecture: 'arm64',
		environment: { ...shared.environment, ...ownEnvironment[name](log) },
		role: role.arn,
		logging: { format: 'json', logGroup: logGroup.name },
		dev: false,
		...size,
		transform: { function: { kmsKeyArn: key.arn } },
	});
	return { run, logGroup };
}

const days: Record<StageSettings['logRetention'], number> = {
	'3 months': 90,
	'6 months': 180,
	'1 year': 365,
	'2 years': 731,
	'5 years': 1827,
	'10 years': 3653,
};
