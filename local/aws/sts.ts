/**
 * STS: AssumeRole and GetCallerIdentity, with the Query protocol's XML. A role is assumed only by whom its
 * trust policy lists. Session policies, tags and the like would change what a session may do, so they are
 * refused instead of being ignored. Rules: STS API reference, AssumeRole; role chaining: IAM user guide.
 */
import { AwsError, accountOf, type Caller } from '../wire.ts';
import { type Keys, roleId } from './keys.ts';
import type { Store } from './store.ts';

type Parameters = ReadonlyMap<string, string>;
type Xml = string;

const KNOWN = new Set(['Action', 'Version', 'RoleArn', 'RoleSessionName', 'DurationSeconds']);
const SHORTEST = 900;
const LONGEST = 43_200;
const CHAINED = 3600;

export type Sts = (caller: Caller, parameters: Parameters) => Xml;

export function makeSts(options: { readonly keys: Keys; readonly store: Store; readonly clock: () => Date }): Sts {
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
		'GetCallerIdentity',
		`${tag('Arn', caller.arn)}${tag('UserId', caller.userId)}${tag('Account', caller.account)}`,
	);
}

function assumeRole(
	caller: Caller,
	parameters: Parameters,
	options: { readonly keys: Keys; readonly store: Store; readonly clock: () => Date },
): Xml {
	for (const name of parameters.keys()) {
		if (!KNOWN.has(name)) throw invalid(`${name} is not supported by the embedded STS`);
	}
	const roleArn = parameters.get('RoleArn') ?? '';
	const name = parameters.get('RoleSessionName') ?? '';
	if (roleArn.length < 20) throw constraint(roleArn, 'roleArn', 'Member must have length greater than or equal to 20');
	if (!/^[\w+=,.@-]{2,64}$/.test(name)) {
		throw constraint(name, 'roleSessionName', 'Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}');
	}
	const seconds = duration(parameters.get('DurationSeconds'));
	const role = options.store.read().landing.roles.find((candidate) => candidate.arn === roleArn);
	if (role === undefined || !trusts(role.trusts, caller)) {
		const message = `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`;
		throw new AwsError('AccessDenied', message, { status: 403 });
	}
	if (caller.principal.includes(':role/') && seconds > CHAINED) {
		throw invalid('The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining');
	}
	const expires = new Date(options.clock().getTime() + seconds * 1000);
	const session = options.keys.openSession(roleArn, name, expires);
	const roleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
	const user =
		tag('AssumedRoleId', `${roleId(roleArn)}:${name}`) +
		tag('Arn', `arn:aws:sts::${accountOf(roleArn)}:assumed-role/${roleName}/${name}`);
	const credentials =
		tag('AccessKeyId', session.accessKeyId) +
		tag('SecretAccessKey', session.secretAccessKey) +
		tag('SessionToken', session.sessionToken) +
		tag('Expiration', expires.toISOString());
	return answer('AssumeRole', `<AssumedRoleUser>${user}</AssumedRoleUser><Credentials>${credentials}</Credentials>`);
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

/** A trust policy names a principal, or the root of an account for all of that account's. */
function trusts(trusted: readonly string[], caller: Caller): boolean {
	return trusted.includes(caller.principal) || trusted.includes(`arn:aws:iam::${caller.account}:root`);
}

function invalid(message: string): AwsError {
	return new AwsError('ValidationError', message);
}

function constraint(value: string, member: string, rule: string): AwsError {
	return invalid(`1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${rule}`);
}

function answer(action: string, result: Xml): Xml {
	return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${result}</${action}Result></${action}Response>`;
}

export function tag(name: string, text: string): Xml {
	const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
	return `<${name}>${escaped}</${name}>`;
}
