/**
 * CloudTrail records of API calls, in the envelope in which EventBridge delivers them ("AWS API Call via CloudTrail").
 * Shapes: CloudTrail user guide, "record contents" and "userIdentity element"; aws-facts section 3, "Events and bypass
 * detection". Delivery is best effort; a record says what was called and by whom, never a row.
 */
import { randomUUID } from 'node:crypto';
import type { Caller } from './wire.ts';

export type Call = {
	readonly caller: Caller;
	/** Id of the key that signed, where it is known: it leads to the AssumeRole that gave it out. */
	readonly accessKeyId?: string;
	readonly region: string;
	readonly now: Date;
	/** As in the service's endpoint: `athena`, `lakeformation`. */
	readonly service: string;
	readonly name: string;
	readonly readOnly: boolean;
	readonly request: object | null;
	readonly response: object | null;
	/** A call that was refused. */
	readonly error?: { readonly code: string; readonly message: string };
	readonly additional?: object;
	/** The service that made the call in the caller's name. */
	readonly invokedBy?: string;
	/** For the account that owns the resource, where it is not the caller's: who called is told by an opaque id alone. */
	readonly copyFor?: { readonly account: string; readonly sharedId: string };
	/** The same in the record of each account, where there are several. */
	readonly sharedId?: string;
};

export function cloudTrailEvent(call: Call): object {
	const account = call.copyFor?.account ?? call.caller.account;
	const sharedId = call.copyFor?.sharedId ?? call.sharedId;
	const time = second(call.now);
	const agent = call.invokedBy ?? 'aws-sdk';
	return {
		version: '0',
		id: randomUUID(),
		'detail-type': 'AWS API Call via CloudTrail',
		source: `aws.${call.service}`,
		account,
		time,
		region: call.region,
		resources: [],
		detail: {
			eventVersion: '1.11',
			userIdentity:
				call.copyFor === undefined
					? userIdentity(call.caller, call.invokedBy, call.accessKeyId)
					: stranger(call.caller),
			eventTime: time,
			eventSource: `${call.service}.amazonaws.com`,
			eventName: call.name,
			awsRegion: call.region,
			sourceIPAddress: call.invokedBy ?? '127.0.0.1',
			userAgent: agent,
			...(call.error === undefined ? {} : { errorCode: call.error.code, errorMessage: call.error.message }),
			requestParameters: call.request,
			responseElements: call.response,
			...(call.additional === undefined ? {} : { additionalEventData: call.additional }),
			requestID: randomUUID(),
			eventID: randomUUID(),
			readOnly: call.readOnly,
			eventType: 'AwsApiCall',
			managementEvent: true,
			recipientAccountId: account,
			...(sharedId === undefined ? {} : { sharedEventID: sharedId }),
			eventCategory: 'Management',
		},
	};
}

/** Whole seconds, as events carry them. */
export function second(time: Date): string {
	return `${time.toISOString().slice(0, 19)}Z`;
}

export function userIdentity(caller: Caller, invokedBy?: string, accessKeyId?: string): object {
	const { account: accountId, arn, principal, userId: principalId } = caller;
	const userName = principal.slice(principal.lastIndexOf('/') + 1);
	const key = accessKeyId === undefined ? {} : { accessKeyId };
	const via = invokedBy === undefined ? {} : { invokedBy };
	if (!principal.includes(':role/')) return { type: 'IAMUser', principalId, arn, accountId, ...key, userName, ...via };
	const issuer = principalId.split(':')[0];
	return {
		type: 'AssumedRole',
		principalId,
		arn,
		accountId,
		...key,
		sessionContext: {
			sessionIssuer: { type: 'Role', principalId: issuer, arn: principal, accountId, userName },
			attributes: { mfaAuthenticated: 'false' },
		},
		...via,
	};
}

function stranger({ userId, account }: Caller): object {
	return { type: 'AWSAccount', principalId: userId, accountId: account };
}
