/** What the scripts do: make a filter, grant, ask a query, look again until nothing changes any more. */
import { randomUUID } from 'node:crypto';
import {
	type AthenaClient,
	GetQueryExecutionCommand,
	GetQueryResultsCommand,
	StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import {
	CreateDataCellsFilterCommand,
	type DataCellsFilter,
	DeleteDataCellsFilterCommand,
	GrantPermissionsCommand,
	type Permission,
	type Resource,
	RevokePermissionsCommand,
} from '@aws-sdk/client-lakeformation';
import { type Answer, isSame, type Stage } from './stage.ts';

export const tableOf = (stage: Stage, name: string): Resource => ({
	Table: { CatalogId: stage.account, DatabaseName: stage.database, Name: name },
});

export const databaseOf = (stage: Stage, name = stage.database): Resource => ({
	Database: { CatalogId: stage.account, Name: name },
});

const addressOf = (stage: Stage, table: string) => ({
	TableCatalogId: stage.account,
	DatabaseName: stage.database,
	TableName: table,
});

export const filterOf = (stage: Stage, table: string, name: string): Resource => ({
	DataCellsFilter: { ...addressOf(stage, table), Name: name },
});

export function contentOf(
	stage: Stage,
	table: string,
	name: string,
	{ columns, rows }: { readonly columns: readonly string[]; readonly rows?: string },
): DataCellsFilter {
	const RowFilter = rows === undefined ? { AllRowsWildcard: {} } : { FilterExpression: rows };
	return { ...addressOf(stage, table), Name: name, ColumnNames: [...columns], RowFilter };
}

/** Makes a filter; its end is undone with everything else. */
export async function makeFilter(
	stage: Stage,
	table: string,
	name: string,
	content: { readonly columns: readonly string[]; readonly rows?: string },
): Promise<Resource> {
	const { lakeformation } = stage.admin;
	await lakeformation.send(new CreateDataCellsFilterCommand({ TableData: contentOf(stage, table, name, content) }));
	stage.undo(`filter ${name}`, () => dropFilter(stage, table, name));
	return filterOf(stage, table, name);
}

export async function dropFilter(stage: Stage, table: string, name: string): Promise<void> {
	const address = { ...addressOf(stage, table), Name: name };
	await gone(stage.admin.lakeformation.send(new DeleteDataCellsFilterCommand(address)));
}

/** Grants to the principal; taken back with everything else. */
export async function grant(
	stage: Stage,
	resource: Resource,
	permissions: readonly Permission[] = ['SELECT'],
	principal = stage.principal,
): Promise<void> {
	const right = rightOf(resource, permissions, principal);
	await patiently(stage, () => stage.admin.lakeformation.send(new GrantPermissionsCommand(right)));
	stage.undo(`${permissions.join()} on ${JSON.stringify(resource)}`, () =>
		revoke(stage, resource, permissions, principal),
	);
}

export async function revoke(
	stage: Stage,
	resource: Resource,
	permissions: readonly Permission[] = ['SELECT'],
	principal = stage.principal,
): Promise<void> {
	const right = rightOf(resource, permissions, principal);
	await gone(patiently(stage, () => stage.admin.lakeformation.send(new RevokePermissionsCommand(right))));
}

const rightOf = (resource: Resource, permissions: readonly Permission[], principal: string) => ({
	Principal: { DataLakePrincipalIdentifier: principal },
	Resource: resource,
	Permissions: [...permissions],
});

/** What is gone already need not go. */
async function gone(call: Promise<unknown>): Promise<void> {
	const { name, message } = await refusalOf(call);
	const expected = name === 'EntityNotFoundException' || /no permissions|not found/i.test(message);
	if (name !== '' && !expected) throw new Error(`${name}: ${message}`);
}

/** The name and text of a refusal; both empty for a call that went well. */
export async function refusalOf(call: Promise<unknown>): Promise<{ readonly name: string; readonly message: string }> {
	try {
		await call;
		return { name: '', message: '' };
	} catch (error) {
		if (error instanceof Error) return { name: error.name, message: error.message };
		throw error;
	}
}

const TRANSIENT = /ConcurrentModification|OperationTimeout|Throttl|TooManyRequests/;

/** A change of rights, again while Lake Formation asks for that. */
async function patiently<T>(stage: Stage, call: () => Promise<T>): Promise<T> {
	const end = performance.now() + stage.patienceMs;
	for (;;) {
		try {
			return await call();
		} catch (error) {
			if (!(error instanceof Error) || !TRANSIENT.test(error.name) || performance.now() > end) throw error;
			await pause(stage.everyMs);
		}
	}
}

/** Looks again until it sees what is assumed, or patience ends: what it sees then counts. */
export async function look(stage: Stage, assumed: Answer, see: () => Promise<Answer>): Promise<Answer> {
	return (await lookFor(stage, assumed, see)).seen;
}

/** The same, with how long it took. */
export async function lookFor(
	stage: Stage,
	assumed: Answer,
	see: () => Promise<Answer>,
): Promise<{ readonly seen: Answer; readonly seconds: number }> {
	const start = performance.now();
	for (;;) {
		const seen = await see();
		const elapsed = performance.now() - start;
		if (isSame(seen, assumed) || elapsed > stage.patienceMs) return { seen, seconds: Math.round(elapsed / 100) / 10 };
		await pause(stage.everyMs);
	}
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export type Asked = { readonly rows: (string | null)[][] } | { readonly failed: string };

/** Header and rows of a query, or the reason that it ended with. */
export async function ask(
	stage: Stage,
	athena: AthenaClient,
	sql: string,
	workGroup = stage.workGroup,
): Promise<Asked> {
	const started = await athena.send(
		new StartQueryExecutionCommand({ QueryString: sql, WorkGroup: workGroup, ClientRequestToken: randomUUID() }),
	);
	const id = started.QueryExecutionId;
	const { state, reason } = await ended(stage, athena, id);
	if (state !== 'SUCCEEDED') return { failed: reason };
	const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId: id }));
	return { rows: (ResultSet?.Rows ?? []).map((row) => (row.Data ?? []).map((cell) => cell.VarCharValue ?? null)) };
}

export async function ended(stage: Stage, athena: AthenaClient, id: string | undefined) {
	for (;;) {
		const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id }));
		const { State: state = '', StateChangeReason: reason = '' } = QueryExecution?.Status ?? {};
		if (state !== 'QUEUED' && state !== 'RUNNING') return { state, reason };
		await pause(Math.min(stage.everyMs, 500));
	}
}

/** A query's answer as a script compares it: the rows, or the reason in one line. */
export async function told(stage: Stage, athena: AthenaClient, sql: string): Promise<Answer> {
	const asked = await ask(stage, athena, sql);
	return 'failed' in asked ? asked.failed : asked.rows;
}
