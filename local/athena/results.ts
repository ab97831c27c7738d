/**
 * GetQueryResults: the header is the first row of the first page and counts as one; NULL is a cell without a value.
 * Checked in Athena's order, after the execution was found: page size, state, token (measured; aws-facts section 3).
 */
import { type AwsError, readToken, writeToken } from '../wire.ts';
import type { Execution, Executions } from './executions.ts';
import { invalid } from './refusal.ts';

/** Rows, the header among them. */
const LARGEST_PAGE = 1000;

export async function getResults(
	executions: Executions,
	execution: Execution,
	most: number,
	token: string | null,
): Promise<object> {
	if (most > LARGEST_PAGE) throw invalid(`MaxResults is more than maximum allowed length ${LARGEST_PAGE}`);
	const columns = mustHaveResults(execution);
	const badToken = () => invalid(`Malformed nextPageToken ${token}`);
	const position = token === null ? 0 : readToken(token, badToken);
	const header = token === null ? [columns.map(({ name }) => name)] : [];
	const room = most - header.length;
	const page = await executions.rows(execution.id, position, room);
	if (page === undefined) throw badToken();
	const { rows, next } = page;
	return {
		UpdateCount: 0,
		ResultSet: {
			Rows: [...header, ...rows].map((row) => ({
				Data: row.map((value) => (value === null ? {} : { VarCharValue: value })),
			})),
			ResultSetMetadata: { ColumnInfo: columns.map(writtenColumn) },
		},
		...(next === null ? {} : { NextToken: writeToken(next) }),
	};
}

function wrongState(message: string): AwsError {
	return invalid(message, 'INVALID_QUERY_EXECUTION_STATE');
}

function mustHaveResults(execution: Execution): NonNullable<Execution['columns']> {
	const { state, columns } = execution;
	if (state === 'QUEUED' || state === 'RUNNING')
		throw wrongState(`Query has not yet finished. Current state: ${state}`);
	if (state === 'CANCELLED') throw invalid('Could not find results', 'RESULT_NOT_FOUND');
	if (state === 'FAILED' || columns === null)
		throw wrongState(`Query did not finish successfully. Final query state: ${state}`);
	return columns;
}

function writtenColumn(column: NonNullable<Execution['columns']>[number]) {
	return {
		CatalogName: 'hive',
		SchemaName: '',
		TableName: '',
		Name: column.name,
		Label: column.name,
		Type: column.type,
		Precision: column.precision,
		Scale: column.scale,
		Nullable: 'UNKNOWN',
		CaseSensitive: column.caseSensitive,
	};
}
