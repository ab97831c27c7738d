/** The stage on a real account: the default credentials are a data lake administrator's; names come as options. */
import { AthenaClient } from '@aws-sdk/client-athena';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GlueClient } from '@aws-sdk/client-glue';
import { IAMClient } from '@aws-sdk/client-iam';
import { LakeFormationClient } from '@aws-sdk/client-lakeformation';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { Clients, Stage } from './stage.ts';

/** What must be named, and what has a name already; `inserter` is a role with dynamodb:PartiQLInsert alone. */
export const OPTIONS = {
	region: { type: 'string' },
	account: { type: 'string' },
	administrator: { type: 'string' },
	principal: { type: 'string' },
	'work-group': { type: 'string' },
	database: { type: 'string', default: 'fl_live' },
	rows: { type: 'string', default: 'rows' },
	plain: { type: 'string', default: 'plain' },
	parts: { type: 'string', default: 'parts' },
	inserter: { type: 'string' },
	'patience-seconds': { type: 'string', default: '180' },
} as const;

export type Values = { readonly [name in keyof typeof OPTIONS]?: string | undefined };

export function accountStage(values: Values): (undo: Stage['undo']) => Promise<Stage> {
	const need = (name: keyof typeof OPTIONS): string => {
		const value = values[name];
		if (value === undefined) throw new Error(`--${name} is missing`);
		return value;
	};
	const region = need('region');
	const assumed = (role: string, tags: Readonly<Record<string, string>> = {}) => {
		const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
		const params = { RoleArn: role, RoleSessionName: 'fl-live', ...(Tags.length === 0 ? {} : { Tags }) };
		return { region, credentials: fromTemporaryCredentials({ params, clientConfig: { region } }) };
	};
	const clients = (settings: object): Clients => ({
		lakeformation: new LakeFormationClient({ region, ...settings }),
		glue: new GlueClient({ region, ...settings }),
		athena: new AthenaClient({ region, ...settings }),
	});
	const { inserter } = values;
	return async (undo) => ({
		region,
		account: need('account'),
		database: need('database'),
		tables: { rows: need('rows'), plain: need('plain'), parts: need('parts') },
		administrator: need('administrator'),
		principal: need('principal'),
		workGroup: need('work-group'),
		admin: { ...clients({}), iam: new IAMClient({ region }) },
		as: async (tags) => clients(assumed(need('principal'), tags)),
		dynamodb: new DynamoDBClient({ region }),
		inserter: inserter === undefined ? null : new DynamoDBClient(assumed(inserter)),
		patienceMs: Number(need('patience-seconds')) * 1000,
		everyMs: 3000,
		undo,
	});
}
