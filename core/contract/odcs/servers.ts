/** Servers of the standard: which members a server of each type has, and which of them it must have. */
import * as z from 'zod';
import { by, customProperties, memberOf, oneOf, part, roles, text, uri } from './common.ts';

const may = text.optional();
const port = z.int();
const mayPort = port.optional();
const mayUri = uri.optional();

const hosted = { host: text, port, database: text };
const hostedSchema = { ...hosted, schema: text };
const hive = { host: text, port: mayPort, database: text };

const members: Readonly<Record<string, z.ZodRawShape>> = {
	api: { location: uri },
	athena: { stagingDir: uri, schema: text, catalog: may, regionName: may },
	azure: { location: uri, format: text, delimiter: may },
	bigquery: { project: text, dataset: text },
	clickhouse: hosted,
	cloudsql: hostedSchema,
	custom: {
		...Object.fromEntries(['account', 'catalog', 'database', 'dataset', 'delimiter', 'format'].map((m) => [m, may])),
		...Object.fromEntries(['host', 'path', 'project', 'region', 'regionName', 'schema'].map((m) => [m, may])),
		...Object.fromEntries(['serviceName', 'stagingDir', 'stream', 'warehouse'].map((m) => [m, may])),
		endpointUrl: mayUri,
		location: mayUri,
		port: mayPort,
	},
	databricks: { host: may, catalog: text, schema: text },
	db2: { ...hosted, schema: may },
	denodo: { host: text, port, database: may },
	dremio: { host: text, port, schema: may },
	duckdb: { database: text, schema: may },
	glue: { account: text, database: text, location: mayUri, format: may },
	hive,
	impala: hive,
	informix: hive,
	kafka: { host: text, format: may },
	kinesis: { region: may, format: may },
	local: { path: text, format: text },
	mysql: hosted,
	oracle: { host: text, port, serviceName: text },
	postgres: hostedSchema,
	postgresql: hostedSchema,
	presto: { host: text, catalog: may, schema: may },
	pubsub: { project: text },
	redshift: { host: may, database: text, schema: text, region: may, account: may },
	s3: { location: uri, endpointUrl: mayUri, format: may, delimiter: may },
	sftp: { location: uri.regex(/^sftp:\/\//, 'must be an sftp:// URI'), format: may, delimiter: may },
	snowflake: { host: may, port: mayPort, account: text, database: text, schema: text, warehouse: may },
	sqlserver: { host: text, port: mayPort, database: text, schema: text },
	synapse: hosted,
	trino: { host: text, port, catalog: text, schema: text },
	vertica: hostedSchema,
	zen: hive,
};

const types = Object.keys(members) as [string, ...string[]];

const shapes = new Map(
	types.map((type) => [
		type,
		part({
			server: text,
			type: text,
			description: may,
			environment: may,
			roles,
			customProperties,
			...members[type],
		}) as z.ZodType,
	]),
);

/** Of a server whose type there is not, only that is told. */
const unknown = z.looseObject({ server: text, type: oneOf(...types) });

export const server = by((value) => {
	const type = memberOf(value, 'type');
	return (typeof type === 'string' ? shapes.get(type) : undefined) ?? unknown;
});
