/**
 * Access keys. Long-lived ones are kept in the data folder (mode 0600), so a restart keeps them valid;
 * temporary ones are carried by their own session token, sealed with a secret of the same file: the
 * server remembers no session and still refuses an altered, foreign or expired one.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { readIfThere, writeDurablySync } from '../files.ts';
import { accountOf, type Caller } from '../wire.ts';

export type Key = { readonly accessKeyId: string; readonly secretAccessKey: string };
/** Tags of a session, and the keys of those that a session opened by it inherits. */
export type SessionTags = { readonly tags: Readonly<Record<string, string>>; readonly transitive: readonly string[] };
/** `only`: the actions that a session policy leaves. */
export type SessionTerms = SessionTags & { readonly only?: readonly string[] };
export type Session = Key & { readonly sessionToken: string; readonly expires: Date };

/** Why a key is not accepted, before any signature is looked at. */
export type Resolved =
	| { readonly kind: 'known'; readonly secretAccessKey: string; readonly caller: Caller; readonly expires: Date | null }
	| { readonly kind: 'unknown' };

export type Keys = {
	readonly issue: (identityArn: string) => Key;
	readonly openSession: (roleArn: string, sessionName: string, expires: Date, terms?: SessionTerms) => Session;
	readonly resolve: (accessKeyId: string, sessionToken: string | undefined) => Resolved;
};

const KeyFile = z.strictObject({
	secret: z.string(),
	keys: z.array(z.strictObject({ accessKeyId: z.string(), secretAccessKey: z.string(), identity: z.string() })),
});

const SessionClaims = z.strictObject({
	key: z.string(),
	role: z.string(),
	name: z.string(),
	expires: z.number(),
	tags: z.record(z.string(), z.string()).default({}),
	transitive: z.array(z.string()).default([]),
	only: z.array(z.string()).optional(),
});

export function openKeys(dataDir: string): Keys {
	mkdirSync(dataDir, { recursive: true });
	const file = path.join(dataDir, 'keys.json');
	const text = readIfThere(file);
	const stored =
		text === undefined ? { secret: randomBytes(32).toString('hex'), keys: [] } : KeyFile.parse(JSON.parse(text));
	const save = () => writeDurablySync(file, JSON.stringify(stored));
	if (text === undefined) save();
	const seal = (purpose: string, value: string) =>
		createHmac('sha256', stored.secret).update(`${purpose}\n${value}`).digest('base64');
	const sessionSecret = (accessKeyId: string) => seal('key', accessKeyId).slice(0, 40);

	return {
		issue(identityArn) {
			const known = stored.keys.find((key) => key.identity === identityArn);
			if (known !== undefined) return { accessKeyId: known.accessKeyId, secretAccessKey: known.secretAccessKey };
			const key = { accessKeyId: newKeyId('AKIA'), secretAccessKey: randomBytes(30).toString('base64') };
			stored.keys.push({ ...key, identity: identityArn });
			save();
			return key;
		},
		openSession(role, name, expires, terms) {
			const key = newKeyId('ASIA');
			const claims = JSON.stringify({ key, role, name, expires: expires.getTime(), ...terms });
			const sessionToken = `${Buffer.from(claims).toString('base64')}.${seal('token', claims)}`;
			return { accessKeyId: key, secretAccessKey: sessionSecret(key), sessionToken, expires };
		},
		resolve(accessKeyId, sessionToken) {
			if (sessionToken === undefined) {
				const key = stored.keys.find((candidate) => candidate.accessKeyId === accessKeyId);
				if (key === undefined) return { kind: 'unknown' };
				const caller = callerOf(key.identity, 'local', true);
				return { kind: 'known', secretAccessKey: key.secretAccessKey, caller, expires: null };
			}
			const claims = openToken(sessionToken, (value) => seal('token', value));
			if (claims === undefined || claims.key !== accessKeyId) return { kind: 'unknown' };
			const { name: sessionName, tags, transitive, only } = claims;
			const limit = only === undefined ? {} : { only };
			const caller = { ...callerOf(claims.role, sessionName, false), sessionName, tags, transitive, ...limit };
			return { kind: 'known', secretAccessKey: sessionSecret(accessKeyId), caller, expires: new Date(claims.expires) };
		},
	};
}

/**
 * Keys of which those of sessions end with their role. [unverified] (aws-facts section 2): in which words AWS refuses them,
 * and how soon; here at once, as it refuses keys that it does not know.
 */
export function endingWithRoles(keys: Keys, exists: (roleArn: string) => boolean): Keys {
	return {
		...keys,
		resolve(accessKeyId, sessionToken) {
			const found = keys.resolve(accessKeyId, sessionToken);
			const ended = found.kind === 'known' && !found.caller.longLived && !exists(found.caller.principal);
			return ended ? { kind: 'unknown' } : found;
		},
	};
}

function newKeyId(prefix: 'AKIA' | 'ASIA'): string {
	const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
	return prefix + Array.from(randomBytes(16), (byte) => alphabet[byte % 32]).join('');
}

function openToken(token: string, seal: (claims: string) => string): z.infer<typeof SessionClaims> | undefined {
	const dot = token.indexOf('.');
	if (dot < 0) return undefined;
	const claims = Buffer.from(token.slice(0, dot), 'base64').toString();
	if (!sameText(token.slice(dot + 1), seal(claims))) return undefined;
	return SessionClaims.parse(JSON.parse(claims));
}

/** Compares without telling by its time where the two differ. */
export function sameText(left: string, right: string): boolean {
	const a = Buffer.from(left);
	const b = Buffer.from(right);
	return a.length === b.length && timingSafeEqual(a, b);
}

function callerOf(identity: string, session: string, longLived: boolean): Caller {
	const account = accountOf(identity);
	const resource = identity.slice(identity.indexOf(`${account}:`) + account.length + 1);
	const name = resource.slice(resource.lastIndexOf('/') + 1);
	const id = stableId(identity);
	if (!resource.startsWith('role/'))
		return { account, arn: identity, principal: identity, userId: `AIDA${id}`, longLived };
	const arn = `arn:aws:sts::${account}:assumed-role/${name}/${session}`;
	return { account, arn, principal: identity, userId: `${roleId(identity)}:${session}`, longLived };
}

export function roleId(roleArn: string): string {
	return `AROA${stableId(roleArn)}`;
}

function stableId(arn: string): string {
	return createHmac('sha256', 'id').update(arn).digest('hex').slice(0, 17).toUpperCase();
}
