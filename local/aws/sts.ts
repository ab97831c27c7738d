/**
 * STS: AssumeRole and GetCallerIdentity, with the Query protocol's XML. A role is assumed only by whom its trust
 * policy admits; the session carries its name, its tags and what a session policy leaves of its rights. MFA, source
 * identities and managed session policies would change what a session may do, so they are refused instead of being ignored. Rules: STS API reference, AssumeRole; IAM user
 * guide, "Role chaining" and "Pass session tags in AWS STS".
 */
import { AwsError, accountOf, type Caller } from '../wire.ts';
import { type Keys, roleId, type Session, type SessionTags } from './keys.ts';
import { actionsIn } from './session-policy.ts';
import type { Store } from './store.ts';
import { type Asked, trusts } from './trust.ts';
import { answer, tag, type Xml } from './xml.ts';

export { tag } from './xml.ts';

type Parameters = ReadonlyMap<string, string>;
type Options = { readonly keys: Keys; readonly store: Store; readonly clock: () => Date };

const KNOWN = new Set(['Action', 'Version', 'RoleArn', 'RoleSessionName', 'DurationSeconds', 'ExternalId', 'Policy']);
const LISTS = /^(Tags\.member\.\d+\.(Key|Value)|TransitiveTagKeys\.member\.\d+)$/;
const SHORTEST = 900;
const LONGEST = 43_200;
const CHAINED = 3600;
const MOST_TAGS = 50;

export type Sts = (caller: Caller, parameters: Parameters) => Xml;

export function makeSts(options: Options): Sts {
	return (caller, parameters) => {
		const action = parameters.get('Action');
		if (action === 'GetCallerIdentity') return callerIdentity(caller);
		if (action === 'AssumeRole') return assumeRole(caller, parameters, options);
		throw new AwsError(
			'InvalidAction',
			`Could not find operation ${action ?? ''} for version ${parameters.get('Version') ?? ''}`,
		);
	};
}

function callerIdentity(caller: Caller): Xml {
	return answer(
		'sts',
		'GetCallerIdentity',
		`${tag('Arn', caller.arn)}${tag('UserId', caller.userId)}${tag('Account', caller.account)}`,
	);
}

function assumeRole(caller: Caller, parameters: Parameters, options: Options): Xml {
	for (const name of parameters.keys()) {
		// An empty list is sent as its bare name.
		if (KNOWN.has(name) || LISTS.test(name) || parameters.get(name) === '') continue;
		throw invalid(`${name} is not supported by the embedded STS`);
	}
	const roleArn = parameters.get('RoleArn') ?? '';
	const name = parameters.get('RoleSessionName') ?? '';
	if (roleArn.length < 20) throw constraint(roleArn, 'roleArn', 'Member must have length greater than or equal to 20');
	if (!/^[\w+=,.@-]{2,64}$/.test(name)) {
		throw constraint(name, 'roleSessionName', 'Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}');
	}
	const externalId = parameters.get('ExternalId');
	if (externalId !== undefined && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId)) {
		throw constraint(externalId, 'externalId', 'Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*');
	}
	const seconds = duration(parameters.get('DurationSeconds'));
	const policy = parameters.get('Policy');
	const limit = policy === undefined ? {} : { only: actionsIn(policy) };
	const sent = readTags(parameters);
	mustTrust(caller, roleArn, { name, externalId, tags: sent.tags }, options.store);
	const tags = inherited(caller, sent);
	if (caller.principal.includes(':role/') && seconds > CHAINED) {
		throw invalid('The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining');
	}
	const expires = new Date(options.clock().getTime() + seconds * 1000);
	return opened(roleArn, name, options.keys.openSession(roleArn, name, expires, { ...tags, ...limit }));
}

function opened(roleArn: string, name: string, session: Session): Xml {
	const roleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
	const user =
		tag('AssumedRoleId', `${roleId(roleArn)}:${name}`) +
		tag('Arn', `arn:aws:sts::${accountOf(roleArn)}:assumed-role/${roleName}/${name}`);
	const credentials =
		tag('AccessKeyId', session.accessKeyId) +
		tag('SecretAccessKey', session.secretAccessKey) +
		tag('SessionToken', session.sessionToken) +
		tag('Expiration', session.expires.toISOString());
	return answer(
		'sts',
		'AssumeRole',
		`<AssumedRoleUser>${user}</AssumedRoleUser><Credentials>${credentials}</Credentials>`,
	);
}

/** A role that is not there is denied in the same words as one that does not trust the caller. */
function mustTrust(caller: Caller, roleArn: string, asked: Asked, store: Store): void {
	const role = store.read().landing.roles.find((candidate) => candidate.arn === roleArn);
	const actions = ['sts:AssumeRole', ...(Object.keys(asked.tags).length > 0 ? ['sts:TagSession'] : [])];
	const refused = actions.find((action) => role === undefined || !trusts(role, caller, asked, [action]));
	if (refused === undefined) return;
	const message = `User: ${caller.arn} is not authorized to perform: ${refused} on resource: ${roleArn}`;
	throw new AwsError('AccessDenied', message, { status: 403 });
}

/** The tags of a request. Keys are told apart without regard to case. */
function readTags(parameters: Parameters): SessionTags {
	const pairs: [string, string][] = [];
	for (let n = 1; parameters.has(`Tags.member.${n}.Key`); n++) {
		const [key, value] = ['Key', 'Value'].map((part) => parameters.get(`Tags.member.${n}.${part}`) ?? '');
		pairs.push([tagText(key, `tags.${n}.member.key`, KEY), tagText(value, `tags.${n}.member.value`, VALUE)]);
	}
	if (pairs.length > MOST_TAGS)
		throw constraint('', 'tags', `Member must have length less than or equal to ${MOST_TAGS}`);
	if (new Set(pairs.map(([key]) => key.toLowerCase())).size !== pairs.length) {
		throw conflict('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
	}
	const transitive: string[] = [];
	for (let n = 1; parameters.has(`TransitiveTagKeys.member.${n}`); n++) {
		transitive.push(tagText(parameters.get(`TransitiveTagKeys.member.${n}`), `transitiveTagKeys.${n}.member`, KEY));
	}
	return { tags: Object.fromEntries(pairs), transitive };
}

const KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;

function tagText(text = '', member: string, form: RegExp): string {
	if (!form.test(text))
		throw constraint(text, member, `Member must satisfy regular expression pattern: ${form.source}`);
	return text;
}

/**
 * The session's tags with those that the calling session hands on. A tag that was handed on cannot be set anew
 * ([unverified] in its words and code; the rule: IAM user guide, "Chaining roles with session tags").
 */
function inherited(caller: Caller, sent: SessionTags): SessionTags {
	const handed = (caller.transitive ?? []).filter((key) => caller.tags?.[key] !== undefined);
	const names = new Set(handed.map((key) => key.toLowerCase()));
	const twice = [...Object.keys(sent.tags), ...sent.transitive].find((key) => names.has(key.toLowerCase()));
	if (twice !== undefined) {
		throw conflict(`The tag key ${twice} was passed on by the calling session as a transitive tag.`);
	}
	const missing = sent.transitive.find((key) => sent.tags[key] === undefined);
	if (missing !== undefined) {
		throw conflict(`The transitive tag key ${missing} is not among the session tags.`);
	}
	const tags = Object.fromEntries(handed.map((key) => [key, caller.tags?.[key] ?? '']));
	return { tags: { ...tags, ...sent.tags }, transitive: [...handed, ...sent.transitive] };
}

function duration(text: string | undefined): number {
	if (text === undefined) return CHAINED;
	const seconds = /^\d{1,9}$/.test(text) ? Number(text) : 0;
	if (seconds < SHORTEST)
		throw constraint(text, 'durationSeconds', `Member must have value greater than or equal to ${SHORTEST}`);
	if (seconds > LONGEST)
		throw constraint(text, 'durationSeconds', `Member must have value less than or equal to ${LONGEST}`);
	return seconds;
}

function conflict(message: string): AwsError {
	return new AwsError('InvalidParameterValue', message);
}

function invalid(message: string): AwsError {
	return new AwsError('ValidationError', message);
}

function constraint(value: string, member: string, rule: string): AwsError {
	return invalid(`1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${rule}`);
}
