/** Athena's answers on the wire: times are epoch seconds with a fraction, what is unknown is left out. */
import { epoch } from '../wire.ts';
import { type Execution, isTerminal } from './executions.ts';

export function writtenWorkGroup(name: string): object {
	return {
		Name: name,
		State: 'ENABLED',
		Configuration: {
			EnforceWorkGroupConfiguration: true,
			PublishCloudWatchMetricsEnabled: false,
			RequesterPaysEnabled: false,
			ResultConfiguration: {},
			ManagedQueryResultsConfiguration: { Enabled: true },
			EngineVersion: { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' },
		},
	};
}

export function written(execution: Execution): object {
	const { state, reason, submitted, started, completed } = execution;
	const end = completed ?? submitted;
	const begun = started ?? end;
	const failure = {
		ErrorCategory: 2,
		ErrorType: execution.errorType ?? undefined,
		Retryable: false,
		ErrorMessage: reason ?? '',
	};
	return {
		QueryExecutionId: execution.id,
		Query: execution.query,
		StatementType: 'DML',
		SubstatementType: 'SELECT',
		WorkGroup: execution.workGroup,
		ResultConfiguration: {},
		ManagedQueryResultsConfiguration: { Enabled: true },
		ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: false } },
		QueryExecutionContext: { Database: execution.database ?? undefined, Catalog: execution.catalog?.toLowerCase() },
		EngineVersion: { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' },
		Status: {
			State: state,
			StateChangeReason: reason ?? undefined,
			SubmissionDateTime: epoch(submitted),
			CompletionDateTime: isTerminal(execution) ? epoch(end) : undefined,
			AthenaError: state === 'FAILED' ? failure : undefined,
		},
		Statistics: {
			EngineExecutionTimeInMillis: end - begun,
			DataScannedInBytes: execution.scannedBytes,
			TotalExecutionTimeInMillis: end - submitted,
			QueryQueueTimeInMillis: begun - submitted,
			ServiceProcessingTimeInMillis: 0,
			ResultReuseInformation: { ReusedPreviousResult: false },
		},
	};
}
