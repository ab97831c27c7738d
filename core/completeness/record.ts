/**
 * A record of CloudTrail's event history, as far as it is judged by: GetDataAccess (Lake Formation hands out credentials for
 * a table) and StartQueryExecution (Athena takes a query). Pure. What lacks a member that it takes to judge it is told as
 * unreadable, with the member; nothing is guessed and nothing is passed over.
 *
 * Shapes: Lake Formation best practices, "lake-formation-cloudtrail"; Athena user guide, "monitor-with-cloudtrail"; copies in
 * the account that owns a table: Lake Formation developer guide, "cross-account-logging".
 */
import * as z from 'zod';
import { AccountId, RoleArn } from '../id.ts';
import type { TableRef } from '../ledger.ts';

/** Who asked. A role is named; of anybody else `named` is what AWS calls him, which may be a person's name. */
export type Asker = {
	readonly account: string;
	readonly principal: string | null;
	readonly principalId: string | null;
	readonly session: string | null;
	readonly named: string | null;
	/** A copy for the account that owns the table: it says who by an id alone. */
	readonly copy: boolean;
};

type Seen = { readonly id: string; readonly at: string; readonly asker: Asker; readonly refused: boolean };

export type Access = Seen & {
	readonly kind: 'access';
	readonly table: TableRef;
	/** Athena's id of the query; null where the record names none. */
	readonly query: string | null;
	readonly service: string | null;
};

export type Start = Seen & {
	readonly kind: 'start';
	readonly query: string | null;
	readonly token: string | null;
	readonly workGroup: string | null;
};

export type Unreadable = { readonly kind: 'unreadable'; readonly id: string | null; readonly lacks: string };

export type EventName = 'GetDataAccess' | 'StartQueryExecution';

/** As LookupEvents gives it. */
export type Raw = { readonly id: string | null; readonly text: string | null };

const Id = z.string().regex(/^[\w-]{1,128}$/);
const text = z.string().max(2000).nullish();

const Identity = z.looseObject({
	type: text,
	accountId: AccountId,
	principalId: text,
	arn: text,
	sessionContext: z.looseObject({ sessionIssuer: z.looseObject({ arn: text }).nullish() }).nullish(),
});

const Common = z.looseObject({
	eventID: Id,
	eventTime: z.iso.datetime(),
	eventName: z.string(),
	userIdentity: Identity,
	errorCode: text,
});

const TABLE = /^arn:aws[a-z-]*:glue:[a-z0-9-]+:(\d{12}):table\/([^/]{1,255})\/(.{1,255})$/;
const TableArn = z.string().regex(TABLE);

const DataAccess = z.looseObject({
	requestParameters: z.looseObject({
		tableArn: TableArn,
		auditContext: z.looseObject({ additionalAuditContext: text }).nullish(),
	}),
	additionalEventData: z.looseObject({ requesterService: text, lakeFormationPrincipal: text }).nullish(),
});

const Started = z.looseObject({
	requestParameters: z.looseObject({ clientRequestToken: text, workGroup: text }).nullish(),
	responseElements: z.looseObject({ queryExecutionId: Id.nullish() }).nullish(),
});

export function read(name: EventName, raw: Raw): Access | Start | Unreadable {
	const content = parsed(raw.text);
	const common = Common.safeParse(content);
	if (!common.success) return { kind: 'unreadable', id: idIn(raw), lacks: lackingIn(content, common.error) };
	const { eventID: id, eventTime, eventName, userIdentity, errorCode } = common.data;
	if (eventName !== name) return { kind: 'unreadable', id, lacks: 'eventName' };
	const seen = { id, at: new Date(eventTime).toISOString(), refused: errorCode != null };
	return name === 'GetDataAccess'
		? accessOf(seen, userIdentity, content)
		: startOf(seen, askerOf(userIdentity, null), content);
}

type Told = Omit<Seen, 'asker'>;

function accessOf(seen: Told, identity: z.infer<typeof Identity>, content: unknown): Access | Unreadable {
	const { id } = seen;
	const found = DataAccess.safeParse(content);
	if (!found.success) return { kind: 'unreadable', id, lacks: lackingIn(content, found.error) };
	const { requestParameters: asked, additionalEventData: more } = found.data;
	const asker = askerOf(identity, more?.lakeFormationPrincipal ?? null);
	const service = more?.requesterService ?? null;
	// Copies tell less. Without it, nobody knows whether the engine that read is the one that the flow was given to.
	if (service === null && !asker.copy) {
		return { kind: 'unreadable', id, lacks: 'additionalEventData.requesterService' };
	}
	const table = tableOf(asked.tableArn);
	return { kind: 'access', ...seen, asker, table, query: queryIn(asked.auditContext?.additionalAuditContext), service };
}

function startOf(seen: Told, asker: Asker, content: unknown): Start | Unreadable {
	const found = Started.safeParse(content);
	if (!found.success) return { kind: 'unreadable', id: seen.id, lacks: lackingIn(content, found.error) };
	const { requestParameters: asked, responseElements: answer } = found.data;
	const query = answer?.queryExecutionId ?? null;
	if (query === null && !seen.refused) {
		return { kind: 'unreadable', id: seen.id, lacks: 'responseElements.queryExecutionId' };
	}
	const token = asked?.clientRequestToken ?? null;
	return { kind: 'start', ...seen, asker, query, token, workGroup: asked?.workGroup ?? null };
}

function askerOf(identity: z.infer<typeof Identity>, grantee: string | null): Asker {
	const { accountId: account, type, arn } = identity;
	const roles = [grantee, identity.sessionContext?.sessionIssuer?.arn ?? null];
	const principal = roles.find((role) => role !== null && RoleArn.safeParse(role).success) ?? null;
	// `<id of the role>:<name of the session>`, and a session is often named after whoever opened it.
	const [own = '', session = null] = identity.principalId?.split(':', 2) ?? [];
	const principalId = /^[A-Z0-9]{16,128}$/.test(own) ? own : null;
	const named = principal === null ? (grantee ?? arn ?? (principalId === null ? own || null : null)) : null;
	return { account, principal, principalId, session, named, copy: type === 'AWSAccount' };
}

function tableOf(arn: string): TableRef {
	const [, account = '', database = '', table = ''] = TABLE.exec(arn) ?? [];
	return { account, database: database.toLowerCase(), table: table.toLowerCase() };
}

/** `{queryId: <id>}`, which is no JSON. */
function queryIn(context: string | null | undefined): string | null {
	return /^\{\s*queryId:\s*([\w-]{1,128})\s*\}$/.exec(context ?? '')?.[1] ?? null;
}

function parsed(content: string | null): unknown {
	try {
		return content === null ? null : (JSON.parse(content) as unknown);
	} catch {
		return null;
	}
}

const idIn = ({ id }: Raw) => (Id.safeParse(id).success ? id : null);

/** The first member that is missing or wrong: a name of AWS's own, for only members that we ask for are looked at. */
function lackingIn(content: unknown, error: z.ZodError): string {
	if (typeof content !== 'object' || content === null) return 'record';
	return error.issues[0]?.path.join('.') || 'record';
}
