/**
 * Roles of the functions, made here and not by the deployment tool: its own trust the whole account besides Lambda, and
 * write to every log group. These trust Lambda alone and hold the actions of `actions.ts`, each on what it is used on.
 * Their names are fixed, since the trust policies of other accounts name them.
 */
import { type FunctionName, uses } from './actions.ts';
import { schema, type TableName, type TableSchema } from './schema.ts';
import { principalRoles, type StageSettings } from './settings.ts';
import type { Tables } from './tables.ts';

type Text = $util.Input<string>;
export type Statement = {
	readonly Sid: string;
	readonly Effect: 'Allow';
	readonly Action: readonly string[];
	readonly Resource: readonly Text[];
	readonly Condition?: Record<string, Record<string, Text>>;
};

export const nameOf = (name: FunctionName) => `${$app.name}-${$app.stage}-${name}`;

export type RoleParts = {
	readonly tables: Tables;
	readonly logGroup: aws.cloudwatch.LogGroup;
	readonly settings: StageSettings;
	readonly more?: readonly Statement[];
};

export function makeRole(name: FunctionName, { tables, logGroup, settings, more = [] }: RoleParts): aws.iam.Role {
	const statements: Statement[] = [
		...onTables(name, tables),
		assume(settings),
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
		];
	});
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

/** The grantor of any account, the principals of the consuming ones; nobody outside the organization. */
function assume(settings: StageSettings): Statement {
	return {
		Sid: 'Assume',
		Effect: 'Allow',
		Action: ['sts:AssumeRole'],
		Resource: [
			`arn:aws:iam::*:role/${settings.grantorRole}`,
			...settings.consumers.map((c) => `arn:aws:iam::${c.account}:role/${principalRoles(settings, c)}`),
		],
		...(settings.organization === null
			? {}
			: { Condition: { StringEquals: { 'aws:ResourceOrgID': settings.organization } } }),
	};
}
