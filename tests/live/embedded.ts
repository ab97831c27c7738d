/** The stage on the embedded AWS: the tables of `sample.sql` as files, and the roles that a real account has to have. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { AthenaClient } from '@aws-sdk/client-athena';
import { GlueClient } from '@aws-sdk/client-glue';
import { IAMClient } from '@aws-sdk/client-iam';
import { GrantPermissionsCommand, LakeFormationClient } from '@aws-sdk/client-lakeformation';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { emptyLanding } from '#local/aws.ts';
import { BROKER, GRANTOR, LENDING, openLake, REGION } from '#tests/local/harness.ts';
import type { Clients, Stage } from './stage.ts';

const READER = `arn:aws:iam::${LENDING}:role/fl-live-reader`;
const WORK_GROUP = 'fl-live';
const DATABASE = 'fl_live';
/** Nothing lags here: what is not seen by then is not coming. */
const PATIENCE_MS = 2000;

const ROWS = [
	'1;A;first;10.50;2026-01-01;2026-01-01 10:00:00',
	'2;B;second;20.00;2026-01-02;2026-01-02 10:00:00',
	'3;;third;30.25;2026-01-03;2026-01-03 10:00:00',
	'4;D;fourth;1.00;2026-01-04;2026-01-04 10:00:00',
];
const NAMES = ['id', 'status', 'note', 'amount', 'on_day', 'at'];
const TYPES = ['bigint', 'varchar(1)', 'string', 'decimal(10,2)', 'date', 'timestamp'];

function landing(folder: string) {
	const format = { kind: 'csv' as const, delimiter: ';', header: true, quote: '"' };
	const file = (name: string, lines: readonly string[]) => {
		const at = path.join(folder, `${name}.csv`);
		writeFileSync(at, [...lines, ''].join('\n'));
		return at;
	};
	const table = (name: string, width: number) => ({
		account: LENDING,
		database: DATABASE,
		name,
		location: `s3://fl-live/${name}`,
		columns: NAMES.slice(0, width).map((column, index) => ({ name: column, type: TYPES[index] ?? '' })),
		format,
		registered: true,
		files: [
			file(
				name,
				[NAMES, ...ROWS.map((row) => row.split(';'))].map((row) => row.slice(0, width).join(';')),
			),
		],
	});
	const part = (region: string, rows: readonly string[]) => ({
		values: [region],
		location: `s3://fl-live/parts/region=${region}`,
		files: [file(`parts-${region}`, ['id;note', ...rows])],
	});
	const parts = {
		...table('parts', 0),
		columns: [
			{ name: 'id', type: 'bigint' },
			{ name: 'note', type: 'string' },
			{ name: 'region', type: 'string' },
		],
		files: [],
		partitionKeys: ['region'],
		partitions: [part('north', ['1;first']), part('south', ['2;second'])],
	};
	return {
		...emptyLanding(REGION),
		roles: [{ arn: READER, trusts: [BROKER] }],
		databases: [DATABASE, 'default'].map((name) => ({ account: LENDING, name })),
		tables: [table('rows', 6), table('plain', 4), parts],
		workGroups: [{ account: LENDING, name: WORK_GROUP }],
	};
}

export type Embedded = {
	readonly stage: (undo: Stage['undo']) => Promise<Stage>;
	/**
	 * What Lake Formation holds, to be the same after a script as before; without the administrator's own rights, since
	 * those on what he made and dropped stay with its name.
	 */
	readonly held: () => unknown;
	readonly close: () => Promise<void>;
};

export async function openEmbedded(): Promise<Embedded> {
	const lake = await openLake();
	await lake.aws.provision(landing(lake.folder));
	const clients = (keys: Parameters<typeof lake.settings>[0]): Clients => ({
		lakeformation: new LakeFormationClient(lake.settings(keys)),
		glue: new GlueClient(lake.settings(keys)),
		athena: new AthenaClient(lake.settings(keys)),
	});
	const grantor = await lake.assume(GRANTOR);
	const admin = { ...clients(grantor), iam: new IAMClient(lake.settings(grantor)) };
	await admin.lakeformation.send(
		new GrantPermissionsCommand({
			Principal: { DataLakePrincipalIdentifier: READER },
			Resource: { Database: { Name: 'default' } },
			Permissions: ['DESCRIBE'],
		}),
	);
	const as: Stage['as'] = async (tags = {}) => {
		const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
		const sts = new STSClient(lake.settings(lake.broker));
		const { Credentials } = await sts.send(
			new AssumeRoleCommand({ RoleArn: READER, RoleSessionName: 'fl-live', ...(Tags.length === 0 ? {} : { Tags }) }),
		);
		const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
		return clients({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken });
	};
	const fixed = {
		region: REGION,
		account: LENDING,
		database: DATABASE,
		tables: { rows: 'rows', plain: 'plain', parts: 'parts' },
		administrator: GRANTOR,
		principal: READER,
		workGroup: WORK_GROUP,
		admin,
		as,
		dynamodb: lake.dynamodb,
		inserter: null,
		patienceMs: PATIENCE_MS,
		everyMs: 20,
	};
	return {
		stage: async (undo) => ({ ...fixed, undo }),
		held: () => {
			const { filters, permissions } = lake.aws.lakeFormationState();
			const others = permissions.filter(({ principal }) => principal !== GRANTOR);
			const rights = others.map(({ principal, resource, permissions: names, grantable }) =>
				JSON.stringify({ principal, resource, names, grantable }),
			);
			return { filters: filters.map(({ name }) => name), rights: rights.toSorted() };
		},
		close: lake.close,
	};
}
