/** What any API on Hono over the same AWS services would be made of: nothing of Fairlead, every client of core/aws.ts. */
import { AthenaClient, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetTableCommand, GlueClient } from '@aws-sdk/client-glue';
import { GrantPermissionsCommand, LakeFormationClient } from '@aws-sdk/client-lakeformation';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';

const { AWS_REGION: region = '', AWS_ENDPOINT_URL: endpoint = '', FAIRLEAD_PAYLOADS_TABLE: TableName } = process.env;
const base = { region, endpoint };
const as = { ...base, credentials: fromTemporaryCredentials({ params: { RoleArn: '', RoleSessionName: 'bench' } }) };
const dynamodb = new DynamoDBClient(base);
const others = [new AthenaClient(as), new GlueClient(as), new LakeFormationClient(as)];
const commands = [StartQueryExecutionCommand, GetTableCommand, GrantPermissionsCommand];

const app = new Hono();
app.get('/healthz', (c) => c.json({ status: 'ok', clients: others.length, commands: commands.length }));
app.get('/read', async (c) => {
	const found = await dynamodb.send(new GetItemCommand({ TableName, Key: { pk: { S: 'none' }, sk: { S: '-' } } }));
	return c.json({ found: found.Item !== undefined });
});

export const handler = handle(app);
