/**
 * The events that a query leaves: "Athena Query State Change" for each state, CloudTrail's StartQueryExecution, which
 * hides the text, and CloudTrail's GetDataAccess for each table that the query reads. Delivery is best effort: a crash
 * may lose those of the last states. Shapes: Athena user guide, "athena-events" and "monitor-with-cloudtrail"; aws-facts
 * section 3, "Events and bypass detection".
 */
import { createHash, randomUUID } from 'node:crypto';
import { cloudTrailEvent, second } from '../cloudtrail.ts';
import type { Caller } from '../wire.ts';
import type { Grant, Source } from './enforce.ts';
import type { Execution } from './executions.ts';
import { categoryOf } from './failure.ts';
import { statementOf } from './statement.ts';

export type Emit = (event: object) => void;

/** Where and when. */
export type Scene = { readonly region: string; readonly now: Date };

export function sceneOf({ region, clock }: { readonly region: string; readonly clock: () => Date }): Scene {
	return { region, now: clock() };
}

/** A table that a query reads, where it really is. */
export type TableRead = {
	readonly source: Source & { readonly account: string; readonly database: string; readonly name: string };
	readonly grants: readonly Grant[];
};

/** The execution has come to its state from `previous`; null: it was just submitted. */
export function stateChange(execution: Execution, previous: Execution['state'] | null, scene: Scene): object {
	const error = {
		errorCategory: categoryOf(execution.reason ?? ''),
		...(execution.errorType === null ? {} : { errorType: execution.errorType }),
		errorMessage: execution.reason ?? '',
		retryable: false,
	};
	return {
		version: '0',
		id: randomUUID(),
		'detail-type': 'Athena Query State Change',
		source: 'aws.athena',
		account: execution.account,
		time: second(scene.now),
		region: scene.region,
		resources: [],
		detail: {
			...(execution.state === 'FAILED' ? { athenaError: error } : {}),
			versionId: '0',
			currentState: execution.state,
			...(previous === null ? {} : { previousState: previous }),
			statementType: statementOf(execution.query).type,
			queryExecutionId: execution.id,
			workgroupName: execution.workGroup,
			sequenceNumber: String(execution.sequence),
		},
	};
}

/** The call that was answered with this execution, for the first time or again. */
export function startCall(caller: Caller, execution: Execution, scene: Scene): object {
	const { database, catalog, outputLocation } = execution;
	return cloudTrailEvent({
		...scene,
		caller,
		service: 'athena',
		name: 'StartQueryExecution',
		readOnly: false,
		request: {
			queryString: '***OMITTED***',
			clientRequestToken: execution.token,
			workGroup: execution.workGroup,
			...(database === null && catalog === null
				? {}
				: { queryExecutionContext: { database: database ?? undefined, catalog: catalog ?? undefined } }),
			...(outputLocation === null ? {} : { resultConfiguration: { outputLocation } }),
		},
		response: { queryExecutionId: execution.id },
	});
}

/**
 * Credentials vended for one table: a record in the caller's account and, where the table is another account's, a copy
 * there, which names the caller by an id only. [unverified] That the copy leaves the principal's ARN out of
 * `additionalEventData`, too, is read from "cross-account-logging".
 */
export function dataAccess(caller: Caller, id: string, { source, grants }: TableRead, scene: Scene): readonly object[] {
	const { account, database, name } = source;
	const foreign = account !== caller.account;
	const sharedId = foreign ? randomUUID() : undefined;
	const call = {
		...scene,
		caller,
		service: 'lakeformation',
		name: 'GetDataAccess',
		readOnly: true,
		request: {
			tableArn: `arn:aws:glue:${scene.region}:${account}:table/${database}/${name}`,
			permissions: ['SELECT'],
			auditContext: { additionalAuditContext: `{queryId: ${id}}` },
			cellLevelSecurityEnforced: isPartial(source, grants),
			expectedTableId: tableId(source),
		},
		response: null,
		invokedBy: 'athena.amazonaws.com',
	};
	const additional = { requesterService: 'ATHENA', LakeFormationTrustedCallerInvocation: 'true' };
	const whole = {
		...additional,
		lakeFormationPrincipal: caller.principal,
		lakeFormationRoleSessionName: `AWSLF-00-AT-${account}-${randomUUID().replaceAll('-', '').slice(0, 10)}`,
	};
	const own = cloudTrailEvent({ ...call, additional: whole, ...(sharedId === undefined ? {} : { sharedId }) });
	if (sharedId === undefined) return [own];
	return [own, cloudTrailEvent({ ...call, additional, copyFor: { account, sharedId } })];
}

/** Whether no grant is one of the whole table. */
function isPartial(source: Source, grants: readonly Grant[]): boolean {
	return !grants.some(({ columns, expression }) => expression === null && columns.length === source.columns.length);
}

/** A table that is dropped and made again has another id. */
function tableId({ account, database, name, created }: TableRead['source'] & { readonly created?: number }): string {
	return createHash('md5')
		.update(JSON.stringify([account, database, name, created ?? 0]))
		.digest('hex');
}
