/**
 * What a deployment decides: one file per stage, `infra/stages/<stage>.json`. Plain TypeScript, so that tests read it,
 * too. A file with a fault deploys nothing: every fault is named before the first resource.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export type StageSettings = {
	readonly region: string;
	/** Host name of the API, its zone being in Route 53; null: the name that API Gateway gives. */
	readonly domain: string | null;
	readonly governanceDomain: string;
	/** Identities that act as stewards until the first steward is registered. */
	readonly founders: readonly { readonly issuer: string; readonly subject: string }[];
	readonly issuer: string;
	readonly audience: string;
	readonly jwksUri: string;
	/** `typ` that access tokens must have; null: not checked (RFC 9068 asks for at+jwt). */
	readonly tokenType: string | null;
	readonly tokenAlgorithms: string;
	readonly callsPerMinute: number;
	/** Days that a request waits for decisions, and how many of them are left when approvers are reminded. */
	readonly requestLapsesAfterDays: number;
	readonly remindBeforeDays: number;
	/** Days after the end of access in an emergency within which it is to be reviewed. */
	readonly breakGlassReviewDays: number;
	/** Shards of the sealer's queue, 64 unless given; never fewer than before. */
	readonly unsealedShards?: number;
	/** Name of the log over the ledger, for good: `<organization>/ledger/<stage>/<year>`. */
	readonly logOrigin: string;
	/** Years for which nobody, not even the account, can delete what the log holds. */
	readonly logLockYears: number;
	/** Who cosigns the checkpoints of the log, and how many of them must: all unless given. None: nobody does. */
	readonly logWitnesses?: readonly { readonly url: string; readonly vkey: string }[];
	readonly logWitnessQuorum?: number;
	/** Name of the role that Fairlead assumes where shared tables are in the catalog: `infra/accounts/grantor.yaml`. */
	readonly grantorRole: string;
	/** Name of the role that Fairlead assumes in each consuming account: `infra/accounts/consumer.yaml`. */
	readonly consumerRole: string;
	/** Id of the AWS organization that every assumed role must belong to; null where there is none. */
	readonly organization: string | null;
	/** Work groups, result buckets and the roles of a domain's principals start with `<prefix><domain>`. */
	readonly prefix: string;
	/** Name of the role that makes the work group in a consuming account. */
	readonly deployerRole: string;
	readonly consumers: readonly Consumer[];
	/** Athena stops a query that scans more. */
	readonly maxBytesScanned: number;
	/** Days that a result file outlives its query. */
	readonly resultDays: number;
	readonly callsPerSecond: number;
	readonly logRetention: '3 months' | '6 months' | '1 year' | '2 years' | '5 years' | '10 years';
	/** Who is told of alarms; null: whoever subscribes to the topic. */
	readonly alarmEmail: string | null;
};

/** A domain that reads data of others, and its AWS account. */
export type Consumer = { readonly domain: string; readonly account: string };

type Check = (value: unknown) => string | null;

const text =
	(pattern: RegExp, what: string): Check =>
	(value) =>
		typeof value === 'string' && pattern.test(value) ? null : `must be ${what}`;
const optional =
	(check: Check): Check =>
	(value) =>
		value === null ? null : check(value);
const count =
	(least: number, most: number): Check =>
	(value) =>
		Number.isInteger(value) && Number(value) >= least && Number(value) <= most
			? null
			: `must be a whole number from ${least} to ${most}`;
const list =
	(members: Record<string, Check>): Check =>
	(value) => {
		if (!Array.isArray(value)) return 'must be a list';
		const found = value.flatMap((item: unknown, i) => faultsOf(item, members).map((f) => `[${i}].${f}`));
		return found.length === 0 ? null : found.join('; ');
	};

const slug = text(/^[a-z][a-z0-9-]{1,30}$/, 'a lower-case name of 2 to 31 letters, digits and hyphens');
const role = text(/^[\w+=,.@-]{1,64}$/, 'the name of an IAM role, without a wildcard');
const url = text(/^https:\/\/[^\s*]+$/, 'an https address');
/** Of type 4, and 32 bytes. */
const witnessKey = text(/^[^\s+]+\+[0-9a-f]{8}\+B[A-P][A-Za-z0-9+/]{42}$/, 'the verifier key of a witness');
const words = text(/^\S(.*\S)?$/, 'a text');
const retentions: readonly unknown[] = ['3 months', '6 months', '1 year', '2 years', '5 years', '10 years'];

const members: Record<keyof StageSettings, Check> = {
	region: text(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region'),
	domain: optional(text(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'a host name')),
	governanceDomain: slug,
	founders: list({ issuer: url, subject: words }),
	issuer: url,
	audience: words,
	jwksUri: url,
	tokenType: optional(words),
	tokenAlgorithms: text(/^((RS|PS|ES)(256|384|512)|EdDSA)( ((RS|PS|ES)(256|384|512)|EdDSA))*$/, 'JWS algorithms'),
	callsPerMinute: count(1, 100_000),
	requestLapsesAfterDays: count(2, 366),
	remindBeforeDays: count(1, 365),
	breakGlassReviewDays: count(1, 90),
	unsealedShards: (value) => (value === undefined ? null : count(1, 256)(value)),
	logOrigin: text(/^[a-z0-9.-]+(\/[a-z0-9.-]+)+$/, 'lower-case names with slashes between them'),
	logLockYears: count(1, 100),
	logWitnesses: (value) => (value === undefined ? null : list({ url, vkey: witnessKey })(value)),
	logWitnessQuorum: (value) => (value === undefined ? null : count(0, 15)(value)),
	grantorRole: role,
	consumerRole: role,
	organization: optional(text(/^o-[a-z0-9]{10,32}$/, 'the id of an AWS organization')),
	prefix: text(/^[a-z][a-z0-9]{1,14}-$/, 'up to 15 lower-case letters and digits, then a hyphen'),
	deployerRole: role,
	consumers: list({ domain: slug, account: text(/^\d{12}$/, 'an AWS account id') }),
	maxBytesScanned: count(10 * 1024 ** 2, 7 * 1024 ** 5),
	resultDays: count(1, 30),
	callsPerSecond: count(1, 10_000),
	logRetention: (value) => (retentions.includes(value) ? null : `must be one of ${retentions.join(', ')}`),
	alarmEmail: optional(text(/^[^\s@]+@[^\s@]+$/, 'an e-mail address')),
};

function faultsOf(value: unknown, checks: Record<string, Check>): string[] {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return ['must be an object'];
	const given = value as Record<string, unknown>;
	const unknown = Object.keys(given).filter((name) => !(name in checks));
	const wrong = Object.entries(checks).flatMap(([name, check]) => {
		const fault = check(given[name]);
		return fault === null ? [] : [`${name} ${fault}`];
	});
	return [...unknown.map((name) => `${name} is not a setting`), ...wrong];
}

/** What members say together: a role pattern of one domain must not reach a role of another kind or domain. */
function clashes(settings: StageSettings): string[] {
	const patterns = settings.consumers.map((c) => ({ ...c, start: principalRoles(settings, c).slice(0, -1) }));
	const reserved = [settings.grantorRole, settings.consumerRole, settings.deployerRole];
	return [
		...(settings.remindBeforeDays < settings.requestLapsesAfterDays
			? []
			: ['remindBeforeDays must be less than requestLapsesAfterDays']),
		...((settings.logWitnessQuorum ?? 0) <= (settings.logWitnesses ?? []).length
			? []
			: ['logWitnessQuorum must not be more than there are logWitnesses']),
		...(new Set(reserved).size < reserved.length ? ['grantor, consumer and deployer are three roles'] : []),
		...patterns.flatMap(({ domain, account, start }) => [
			...reserved.filter((r) => r.startsWith(start)).map((r) => `consumers: ${r} looks like a principal of ${domain}`),
			...patterns
				.filter((p) => p.domain !== domain && (p.start.startsWith(start) || p.account === account))
				.map((p) => `consumers: ${p.domain} cannot be told from ${domain}`),
			...(patterns.filter((p) => p.domain === domain).length > 1 ? [`consumers: ${domain} is listed twice`] : []),
		]),
	];
}

export function parseSettings(value: unknown): StageSettings {
	const faults = faultsOf(value, members);
	const settings = value as StageSettings;
	const found = faults.length > 0 ? faults : clashes(settings);
	if (found.length > 0) throw new Error(`stage settings:\n${found.join('\n')}`);
	return settings;
}

/** The settings of a stage; `root` is the folder of sst.config.ts. */
export function readSettings(root: string, stage: string): StageSettings {
	const file = path.join(root, 'infra', 'stages', `${stage}.json`);
	return parseSettings(JSON.parse(readFileSync(file, 'utf8')));
}

/** The work group of a domain: what `config.workGroup` of the functions says, too. */
export const workGroupOf = ({ prefix }: StageSettings, { domain }: Consumer) => `${prefix}${domain}`;

/** Names of the roles that a domain's principals have. */
export const principalRoles = ({ prefix }: StageSettings, { domain }: Consumer) => `${prefix}${domain}-*`;

/** Bucket names are unique in the whole partition, so the account is part of it; at most 63 characters. */
export const resultBucketOf = ({ prefix }: StageSettings, { domain, account }: Consumer) =>
	`${prefix}${domain}-${account}`;
