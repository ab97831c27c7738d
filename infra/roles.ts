/**
 * Roles of the functions, made here and not by the deployment tool: its own trust the whole account besides Lambda, and
 * write to every log group. These trust Lambda alone and hold the actions of `actions.ts`, each on what it is used on.
 * Their names are fixed, since the trust policies of other accounts name them.
 */
import {
	consumerUses,
	eraserDeletes,
	type FunctionName,
	grantorUses,
	logUses,
	principalUses,
	sealerUpdates,
	uses,
} from './actions.ts';
import type { LedgerLog } from './log.ts';
import { schema, type TableName, type TableSchema } from './schema.ts';
import { principalRoles, type StageSettings } from './settings.ts';
import type { Tables } from './tables.ts';

type Text = $util.Input<string>;
export type Statement = {
	readonly Sid: string;
	readonly Effect: 'Allow';
	readonly Action: readonly string[];
	readonly Resource: readonly Text[];
	readonly Condition?: Record<string, Record<string, $util.Input<string | readonly string[]>>>;
};

export const nameOf = (name: FunctionName) => `${$app.name}-${$app.stage}-${name}`;

export type RoleParts = {
	readonly tables: Tables;
	readonly log: LedgerLog;
	readonly logGroup: aws.cloudwatch.LogGroup;
	readonly settings: StageSettings;
	readonly more?: readonly Statement[];
};

export function makeRole(name: FunctionName, { tables, log, logGroup, settings, more = [] }: RoleParts): aws.iam.Role {
	const statements: Statement[] = [
		...onTables(name, tables),
		...onLog(name, log),
		...assume(name, settings),
		{
			Sid: 'Log',
			Effect: 'Allow',
			Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
			Resource: [$interpolate`${logGroup.arn}:*`],
		},
		...more,
	];
	return new aws.iam.Role(`${name}Role`, {
		name: nameOf(name),
		description: `Fairlead ${$app.stage}: the ${name} function`,
		assumeRolePolicy: $jsonStringify({
			Version: '2012-10-17',
			Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
		}),
		inlinePolicies: [{ name: 'uses', policy: $jsonStringify({ Version: '2012-10-17', Statement: statements }) }],
	});
}

function onTables(name: FunctionName, tables: Tables): Statement[] {
	return (Object.keys(schema) as TableName[]).flatMap((table) => {
		const { table: actions, index = [] } = uses[name][table];
		const { arn } = tables[table];
		return [
			...(actions.length === 0 ? [] : [allow(sid(table), actions, arn)]),
			...(index.length === 0 ? [] : [allow(`${sid(table)}Index`, index, indexArn(table, arn))]),
			...(name === 'seal' && table === 'ledger' ? updates(arn) : []),
			...(name === 'erase' && table === 'payloads' ? [erasing(arn)] : []),
		];
	});
}

/** Nothing else of a payload, and nothing of an entry, is ever deleted. */
const erasing = (arn: Text): Statement => ({
	...allow('PayloadsErase', ['dynamodb:DeleteItem'], arn),
	Condition: eraserDeletes,
});

/** Nothing else is ever updated there. */
function updates(arn: Text): Statement[] {
	return Object.entries(sealerUpdates).map(([Sid, Condition]) => ({
		...allow(`Ledger${Sid}`, ['dynamodb:UpdateItem'], arn),
		Condition,
	}));
}

/** Where a bucket may not be listed, what is not there is refused and not missing (S3 API reference, GetObject). */
function onLog(name: FunctionName, { fixed, moving, key }: LedgerLog): Statement[] {
	const { objects, key: signing } = logUses[name];
	const Effect = 'Allow' as const;
	const inAll = objects.filter((action) => action === 's3:GetObject' || action === 's3:PutObject');
	const removing = objects.filter((action) => action === 's3:DeleteObject');
	// Batches that are sealed, and what a full tile replaced: all of it in the bucket of what comes and goes.
	const removed = [$interpolate`${moving.arn}/staging/*`, $interpolate`${moving.arn}/tile/*`];
	const all = [$interpolate`${fixed.arn}/*`, $interpolate`${moving.arn}/*`];
	return [
		{ Sid: 'LogFiles', Effect, Action: inAll, Resource: all },
		{ Sid: 'LogList', Effect, Action: ['s3:ListBucket'], Resource: [fixed.arn, moving.arn] },
		...(removing.length === 0 ? [] : [{ Sid: 'LogTidy', Effect, Action: removing, Resource: removed }]),
		...(signing.length === 0 ? [] : [allow('LogKey', signing, key.arn)]),
	];
}

const allow = (Sid: string, Action: readonly string[], Resource: Text): Statement => ({
	Sid,
	Effect: 'Allow',
	Action,
	Resource: [Resource],
});
const sid = (table: string) => `${table[0]?.toUpperCase()}${table.slice(1)}`;

function indexArn(table: TableName, arn: Text): Text {
	const { index }: TableSchema = schema[table];
	if (index === undefined) throw new Error(`${table} has no index`);
	return $interpolate`${arn}/index/${index.name}`;
}

/**
 * The grantor of any account and our role of the consuming ones; their principals for who does something as these; nobody
 * outside the organization.
 */
function assume(name: FunctionName, settings: StageSettings): Statement[] {
	if ([grantorUses, consumerUses, principalUses].every((done) => done[name].length === 0)) return [];
	const queries = principalUses[name].length > 0;
	const statement: Statement = {
		Sid: 'Assume',
		Effect: 'Allow',
		Action: ['sts:AssumeRole'],
		Resource: [
			`arn:aws:iam::*:role/${settings.grantorRole}`,
			...settings.consumers.flatMap((c) =>
				[settings.consumerRole, ...(queries ? [principalRoles(settings, c)] : [])].map(
					(role) => `arn:aws:iam::${c.account}:role/${role}`,
				),
			),
		],
		...(settings.organization === null
			? {}
			: { Condition: { StringEquals: { 'aws:ResourceOrgID': settings.organization } } }),
	};
	return [statement];
}
