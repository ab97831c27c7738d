/**
 * CloudTrail's event history of an account: LookupEvents over the records that the embedded AWS tells of itself, newest
 * first, for 90 days. What is not delivered yet is not there yet, and what is delivered twice is there twice, with one id.
 * Read from the file of events alone: a crash leaves nothing here.
 *
 * Sources: CloudTrail API reference, LookupEvents; CloudTrail user guide, "view-cloudtrail-events". Which refusal meets
 * which input, where several could, is read from their descriptions [unverified]. Of reads, GetDataAccess alone is recorded
 * (trail.ts). IAM policies are not emulated: any role of the account may look.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { AwsError, type Caller, epoch, type Operations, operation } from '../wire.ts';
import type { Events } from './events.ts';

const KEYS = [
	'EventId',
	'EventName',
	'ReadOnly',
	'Username',
	'ResourceType',
	'ResourceName',
	'EventSource',
	'AccessKeyId',
] as const;
type Key = (typeof KEYS)[number];

const Input = z.object({
	LookupAttributes: z.array(z.object({ AttributeKey: z.string(), AttributeValue: z.string().max(2000) })).nullish(),
	StartTime: z.number().nullish(),
	EndTime: z.number().nullish(),
	EventCategory: z.string().nullish(),
	MaxResults: z.number().int().nullish(),
	NextToken: z.string().nullish(),
});
type Input = z.infer<typeof Input>;

/** As a record says it; other members are carried along unread. */
const Record = z.looseObject({
	recipientAccountId: z.string(),
	eventTime: z.string(),
	eventID: z.string().optional(),
	eventName: z.string().optional(),
	eventSource: z.string().optional(),
	readOnly: z.boolean().optional(),
	userIdentity: z
		.looseObject({
			principalId: z.string().optional(),
			userName: z.string().optional(),
			accessKeyId: z.string().optional(),
		})
		.optional(),
});
const Envelope = z.looseObject({ 'detail-type': z.literal('AWS API Call via CloudTrail'), detail: Record });

/** What is kept of a record to find it by; the rest is read from the file when it is shown. */
type Line = {
	readonly at: number;
	readonly position: number;
	readonly attributes: Readonly<Partial<{ [K in Key]: string }>>;
};

const MOST = 50;
const HISTORY_MS = 90 * 86_400_000;
const READ_AT_ONCE = 500;

const refuse = {
	attributes: (message: string) => new AwsError('InvalidLookupAttributesException', message),
	max: () => new AwsError('InvalidMaxResultsException', `MaxResults must be from 1 to ${MOST}.`),
	token: () => new AwsError('InvalidNextTokenException', 'The token is not valid for these parameters.'),
	range: () => new AwsError('InvalidTimeRangeException', 'The start time is after the end time.'),
	category: () => new AwsError('InvalidEventCategoryException', 'Only management events are kept here.'),
} as const;

export function makeCloudTrail(events: Pick<Events, 'read'>, clock: () => Date): Operations {
	const history = makeHistory(events);
	const lookup = operation(Input, refuse.attributes, (caller, input) => {
		const oldest = clock().getTime() - HISTORY_MS;
		return answer(
			history.of(caller).filter((line) => line.at >= oldest),
			input,
			(position) => history.record(position),
		);
	});
	return new Map([['LookupEvents', lookup]]);
}

/** The records of each account, as far as they are delivered. */
function makeHistory({ read }: Pick<Events, 'read'>) {
	const accounts = new Map<string, Line[]>();
	let seen = 0;
	const follow = () => {
		for (;;) {
			const page = read({ after: seen, limit: READ_AT_ONCE });
			for (const { position, event } of page) {
				seen = position;
				const found = Envelope.safeParse(event);
				if (!found.success) continue;
				const { recipientAccountId: account } = found.data.detail;
				const lines = accounts.get(account) ?? [];
				lines.push(lineOf(found.data.detail, position));
				accounts.set(account, lines);
			}
			if (page.length < READ_AT_ONCE) return;
		}
	};
	return {
		/** Newest first. */
		of({ account }: Caller): Line[] {
			follow();
			return (accounts.get(account) ?? []).toSorted((a, b) => b.at - a.at || b.position - a.position);
		},
		record(position: number): object {
			const [found] = read({ after: position - 1, limit: 1 });
			return Envelope.parse(found?.event).detail;
		},
	};
}

function lineOf({ eventTime, ...record }: z.infer<typeof Record>, position: number): Line {
	const { userIdentity: who } = record;
	const named = {
		EventId: record.eventID,
		EventName: record.eventName,
		EventSource: record.eventSource,
		ReadOnly: record.readOnly === undefined ? undefined : String(record.readOnly),
		AccessKeyId: who?.accessKeyId,
		Username: who?.userName ?? who?.principalId?.split(':')[1],
	};
	const attributes = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
	return { at: Date.parse(eventTime), position, attributes };
}

function answer(lines: readonly Line[], input: Input, record: (position: number) => object): object {
	const { wanted, limit } = checked(input);
	const from = (input.StartTime ?? Number.NEGATIVE_INFINITY) * 1000;
	const until = (input.EndTime ?? Number.POSITIVE_INFINITY) * 1000;
	const after = input.NextToken == null ? null : placeIn(input.NextToken, input);
	const left = lines.filter(
		(line) =>
			line.at >= from &&
			line.at <= until &&
			(wanted === null || line.attributes[wanted.key] === wanted.value) &&
			(after === null || line.at < after.at || (line.at === after.at && line.position < after.position)),
	);
	const page = left.slice(0, limit);
	const last = page.at(-1);
	const next = last === undefined || left.length <= page.length ? {} : { NextToken: tokenOf(last, input) };
	return { Events: page.map((line) => written(line, record(line.position))), ...next };
}

function checked(input: Input): { readonly wanted: { key: Key; value: string } | null; readonly limit: number } {
	const { LookupAttributes: attributes, MaxResults: most, StartTime: start, EndTime: end } = input;
	if (input.EventCategory != null) throw refuse.category();
	if (attributes != null && attributes.length > 1) throw refuse.attributes('Only one lookup attribute is allowed.');
	if (most != null && (most < 1 || most > MOST)) throw refuse.max();
	if (start != null && end != null && start > end) throw refuse.range();
	const limit = most ?? MOST;
	const [asked] = attributes ?? [];
	if (asked === undefined) return { wanted: null, limit };
	const key = KEYS.find((known) => known === asked.AttributeKey);
	if (key === undefined || asked.AttributeValue === '') throw refuse.attributes('The lookup attribute is not valid.');
	return { wanted: { key, value: asked.AttributeValue }, limit };
}

function written({ at, attributes }: Line, record: object): object {
	return { ...attributes, EventTime: epoch(at), Resources: [], CloudTrailEvent: JSON.stringify(record) };
}

/** A token is good for the parameters that it was given for. */
function tokenOf({ at, position }: Line, input: Input): string {
	return Buffer.from(JSON.stringify([at, position, parametersOf(input)])).toString('base64');
}

const Token = z.tuple([z.number(), z.int(), z.string()]);

function placeIn(token: string, input: Input): { readonly at: number; readonly position: number } {
	const [at, position, parameters] = readToken(token);
	if (parameters !== parametersOf(input)) throw refuse.token();
	return { at, position };
}

function readToken(token: string): z.infer<typeof Token> {
	try {
		return Token.parse(JSON.parse(Buffer.from(token, 'base64').toString()));
	} catch {
		throw refuse.token();
	}
}

function parametersOf({ LookupAttributes: attributes, StartTime: start, EndTime: end }: Input): string {
	const asked = JSON.stringify([attributes ?? [], start ?? null, end ?? null]);
	return createHash('sha256').update(asked).digest('hex').slice(0, 16);
}
