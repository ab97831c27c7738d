/** Athena's answers on the wire: times are epoch seconds with a fraction, what is unknown is left out. */
import { epoch } from '../wire.ts';
import { type Execution, isTerminal } from './executions.ts';
import { categoryOf } from './failure.ts';
import { statementOf } from './statement.ts';

export function written(execution: Execution): object {
	const { state, reason, submitted, database, catalog } = execution;
	const { type, subtype } = statementOf(execution.query);
	const failure = {
		ErrorCategory: categoryOf(reason ?? ''),
		ErrorType: execution.errorType ?? undefined,
		Retryable: false,
		ErrorMessage: reason ?? '',
	};
	const end = execution.completed ?? submitted;
	return {
		QueryExecutionId: execution.id,
		Query: execution.query,
		StatementType: type,
		SubstatementType: subtype,
		WorkGroup: execution.workGroup,
		...place(execution),
		ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: false } },
		QueryExecutionContext: { Database: database ?? undefined, Catalog: catalog?.toLowerCase() },
		EngineVersion: { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' },
		Status: {
			State: state,
			StateChangeReason: reason ?? undefined,
			SubmissionDateTime: epoch(submitted),
			CompletionDateTime: isTerminal(execution) ? epoch(end) : undefined,
			AthenaError: state === 'FAILED' ? failure : undefined,
		},
		Statistics: {
			...timeline(execution),
			DataScannedInBytes: execution.scannedBytes,
			ResultReuseInformation: { ReusedPreviousResult: false },
		},
	};
}

function place({ id, output }: Execution): object {
	if (output === null) return { ResultConfiguration: {}, ManagedQueryResultsConfiguration: { Enabled: true } };
	return { ResultConfiguration: { OutputLocation: `${output.replace(/\/*$/, '')}/${id}.csv` } };
}

function timeline({ submitted, started, completed }: Execution) {
	const end = completed ?? submitted;
	const begun = started ?? end;
	return {
		EngineExecutionTimeInMillis: end - begun,
		TotalExecutionTimeInMillis: end - submitted,
		QueryQueueTimeInMillis: begun - submitted,
		ServiceProcessingTimeInMillis: 0,
	};
}

/** The timeline alone: rows and bytes are left out where row filters apply, and may be missing in any case. */
export function writtenRuntimeStatistics(execution: Execution): object {
	return { QueryRuntimeStatistics: { Timeline: timeline(execution) } };
}
