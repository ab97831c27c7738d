/**
 * Settings in, platform out; once per cold start. The only reader of the environment, and the only place that decides
 * which clients and rules a process has. A laptop passes the same names with other values.
 */
import { randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { parse as parseDuration, toSeconds } from 'iso8601-duration';
import * as z from 'zod';
import { makeAws } from '#core/aws.ts';
import type { Config, Platform } from '#core/context.ts';
import { BrokerError } from '#core/error.ts';
import { type Authenticate, makeAuthenticate } from '#core/identity.ts';
import { makeParser, type Parser } from '#core/parser.ts';
import { verifierKey } from '#verifier/note.ts';
import { type Log, makeLog, warnTo } from './log.ts';
import { type Place, placeOf, readObjects } from './objects.ts';
import { type PolicySource, policySource, readPurposes } from './policies.ts';

// V8 11.3 (Node 20) can end the process (`unreachable code` in its deoptimizer) where optimized code calls into WebAssembly,
// which Cedar is; later versions take the flag, too.
setFlagsFromString('--no-turbo-inline-js-wasm-calls');

const required = z.string().trim().min(1);

const Founders = z.array(z.object({ issuer: z.url(), subject: required }));

/** Zod's own message on a bad JSON text would hold the text. */
function founders(text: string): z.infer<typeof Founders> | null {
	try {
		return Founders.parse(JSON.parse(text));
	} catch {
		return null;
	}
}

const DAY_MS = 86_400_000;

/** An ISO 8601 duration of one length, which months and years are not; in milliseconds. */
const Length = z.string().transform((text, issues) => {
	const ms = /^P(?!$)(\d{1,3}W)?(\d{1,3}D)?(T(?=\d)(\d{1,4}H)?(\d{1,4}M)?(\d{1,5}S)?)?$/.test(text)
		? toSeconds(parseDuration(text)) * 1000
		: 0;
	if (ms > 0) return ms;
	issues.addIssue('must be an ISO 8601 duration in weeks, days, hours, minutes or seconds, such as P14D');
	return z.NEVER;
});

/** What a deployment must say; every name is an environment variable. */
export const Settings = z.object({
	AWS_REGION: required,
	FAIRLEAD_LEDGER_TABLE: required,
	FAIRLEAD_PAYLOADS_TABLE: required,
	FAIRLEAD_PROJECTIONS_TABLE: required,
	FAIRLEAD_CALLS_TABLE: required.meta({ description: 'Idempotency keys and rate counters; nothing in it lasts' }),
	FAIRLEAD_LEDGER_LOG: required.meta({
		description:
			'Where the files of the log lie: file:///folder or s3://bucket/prefix; after a blank, for what comes and goes',
	}),
	FAIRLEAD_LEDGER_VKEY: required.meta({ description: 'Verifier key of the log; its name is the origin of the log' }),
	FAIRLEAD_LEDGER_KEY: required
		.optional()
		.meta({ description: 'Its private key: file:///key.pem or the ARN of a KMS key; for the sealer alone' }),
	FAIRLEAD_URL: z
		.url()
		.transform((url) => new URL(url).origin)
		.meta({ description: 'Public origin of the API, without a path' }),
	FAIRLEAD_VERSION: required.default('unversioned').meta({ description: 'What is deployed: a release or commit' }),
	FAIRLEAD_UNSEALED_SHARDS: z.coerce.number().int().min(1).max(256).default(64).meta({
		description: "Shards of the sealer's queue, 64 unless given; may only ever grow, and is the same in every process",
	}),
	FAIRLEAD_SEALED_WAIT_MS: z.coerce.number().int().min(1).max(28_000).default(25_000).meta({
		description: 'How long `?wait=sealed` waits at most; API Gateway gives up after 30 seconds',
	}),
	FAIRLEAD_CALLS_PER_MINUTE: z.coerce.number().int().min(1).default(600).meta({ description: 'Per caller' }),
	FAIRLEAD_POLICIES: required.meta({ description: 'Folder of the policies' }),
	FAIRLEAD_PARSER: required
		.optional()
		.meta({ description: 'Module of the thread that reads SQL; a process without it reads none' }),
	FAIRLEAD_LOG_FILE: required.optional().meta({ description: 'Standard output, unless given' }),
	/** Set by Lambda (Developer Guide, "Defined runtime environment variables"). */
	AWS_LAMBDA_INITIALIZATION_TYPE: z.string().optional(),
	FAIRLEAD_DOCS: required.meta({ description: 'Folder of the page that renders the API description' }),
	FAIRLEAD_GOVERNANCE_DOMAIN: required,
	FAIRLEAD_FOUNDERS: z
		.string()
		.default('[]')
		.transform((text, issues) => {
			const parsed = founders(text);
			if (parsed !== null) return parsed;
			issues.addIssue('must be a JSON list of {issuer, subject}');
			return z.NEVER;
		}),
	FAIRLEAD_GRANTOR_ROLE: required,
	FAIRLEAD_CONSUMER_ROLE: required,
	FAIRLEAD_OWN_ROLES: required
		.transform((text) => text.split(/\s+/))
		.meta({ description: 'ARNs of the roles that Fairlead runs as, separated by blanks' }),
	FAIRLEAD_WORK_GROUP_PREFIX: required,
	FAIRLEAD_REQUEST_LAPSES_AFTER: Length.default(14 * DAY_MS).meta({
		description: 'How long a request waits for decisions, ISO 8601; 14 days unless given',
	}),
	FAIRLEAD_REMIND_BEFORE: Length.default(3 * DAY_MS).meta({
		description: 'How long before that those who must still decide are reminded; 3 days unless given',
	}),
	FAIRLEAD_BREAK_GLASS_REVIEW_WITHIN: Length.default(7 * DAY_MS).meta({
		description: 'How long after its end access in an emergency is to be reviewed; 7 days unless given',
	}),
	FAIRLEAD_RETRY_MS: z.coerce.number().int().min(1).default(200),
	FAIRLEAD_CURSOR_KEY: required
		.transform((text) => Buffer.from(text, 'base64'))
		.refine((key) => key.length >= 32, 'must be at least 32 bytes, base64'),
	FAIRLEAD_ISSUER: required,
	FAIRLEAD_AUDIENCE: required,
	FAIRLEAD_JWKS_URI: required,
	FAIRLEAD_TOKEN_TYPE: z.string().optional(),
	FAIRLEAD_TOKEN_ALGORITHMS: required.default('RS256 ES256').transform((text) => text.split(/\s+/)),
	FAIRLEAD_TOKEN_MAX_AGE_SECONDS: z.coerce.number().int().min(60).default(43_200),
	/** One address for every AWS service, when it is not AWS itself; then credentials are given, too. */
	AWS_ENDPOINT_URL: z.url().optional(),
	AWS_ACCESS_KEY_ID: z.string().optional(),
	AWS_SECRET_ACCESS_KEY: z.string().optional(),
});
type Settings = z.infer<typeof Settings>;

/** What it takes to reach AWS, or what stands in its place. */
const Reach = Settings.pick({
	AWS_REGION: true,
	AWS_ENDPOINT_URL: true,
	AWS_ACCESS_KEY_ID: true,
	AWS_SECRET_ACCESS_KEY: true,
});

/** What says where the log is and whose. */
export const LogSettings = Reach.extend(
	Settings.pick({ FAIRLEAD_LEDGER_LOG: true, FAIRLEAD_LEDGER_VKEY: true, FAIRLEAD_LEDGER_KEY: true }).shape,
);

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the HTTP face alone needs to know. */
export type Site = {
	/** Public origin, without a path. */
	readonly url: string;
	readonly version: string;
	/** Who issues the access tokens. */
	readonly issuer: string;
	readonly callsPerMinute: number;
	/** How long whoever waits until something is sealed is left to wait. */
	readonly sealedWaitMs: number;
	/** Whether the start is paid before anybody waits for it. */
	readonly startsAhead: boolean;
	/** Folder of the assets of `/docs`. */
	readonly docs: string;
	readonly log: Log;
};

export type Built = { readonly platform: Platform; readonly authenticate: Authenticate; readonly site: Site };

/** Throws with the name of each setting that is missing or wrong; values are never printed. */
export function buildPlatform(env: Environment): Built & { readonly policies: PolicySource } {
	const settings = readSettings(Settings, env);
	const authenticate = makeAuthenticate({
		issuer: settings.FAIRLEAD_ISSUER,
		audience: settings.FAIRLEAD_AUDIENCE,
		jwksUri: settings.FAIRLEAD_JWKS_URI,
		algorithms: settings.FAIRLEAD_TOKEN_ALGORITHMS,
		maxTokenAgeSeconds: settings.FAIRLEAD_TOKEN_MAX_AGE_SECONDS,
		...(settings.FAIRLEAD_TOKEN_TYPE === undefined ? {} : { tokenType: settings.FAIRLEAD_TOKEN_TYPE }),
	});
	const site = siteOf(settings);
	const policies = policySource(settings.FAIRLEAD_POLICIES, warnTo(site.log));
	return Object.freeze({ platform: platformOf(settings, site.log, policies), authenticate, site, policies });
}

/** Throws with the name of each setting that is missing or wrong; values are never printed. */
export function readSettings<T extends z.ZodType>(schema: T, env: Environment): z.infer<T> {
	const parsed = schema.safeParse(env);
	if (parsed.success) return parsed.data;
	const faults = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
	throw new Error(`settings:\n${faults.join('\n')}`);
}

/** The same for what a setting's own code says of it. */
export function settingOf<T>(name: string, read: () => T): T {
	try {
		return read();
	} catch (cause) {
		throw new Error(`settings:\n${name}: ${cause instanceof Error ? cause.message : 'is wrong'}`, { cause });
	}
}

function siteOf(settings: Settings): Site {
	return Object.freeze({
		url: settings.FAIRLEAD_URL,
		version: settings.FAIRLEAD_VERSION,
		issuer: settings.FAIRLEAD_ISSUER,
		callsPerMinute: settings.FAIRLEAD_CALLS_PER_MINUTE,
		sealedWaitMs: settings.FAIRLEAD_SEALED_WAIT_MS,
		startsAhead: settings.AWS_LAMBDA_INITIALIZATION_TYPE === 'provisioned-concurrency',
		docs: settings.FAIRLEAD_DOCS,
		log: makeLog(settings.FAIRLEAD_VERSION, settings.FAIRLEAD_LOG_FILE),
	});
}

function platformOf(settings: Settings, log: Log, policies: PolicySource): Platform {
	return Object.freeze({
		config: configOf(settings),
		aws: makeAws({
			...reachOf(settings),
			grantorRole: settings.FAIRLEAD_GRANTOR_ROLE,
			consumerRole: settings.FAIRLEAD_CONSUMER_ROLE,
		}),
		log: readableLog(settings),
		get policies() {
			return policies.current();
		},
		parser: parserOf(settings),
		random: (bytes: number) => randomBytes(bytes),
		clock: () => new Date(),
		warn: warnTo(log),
	});
}

/** Region, and for what is not AWS itself the address and credentials. */
export function reachOf(settings: z.infer<typeof Reach>) {
	const {
		AWS_REGION: region,
		AWS_ACCESS_KEY_ID: accessKeyId,
		AWS_SECRET_ACCESS_KEY: secretAccessKey,
		AWS_ENDPOINT_URL: endpoint,
	} = settings;
	const given = endpoint !== undefined && accessKeyId !== undefined && secretAccessKey !== undefined;
	return given ? { region, endpoint, credentials: { accessKeyId, secretAccessKey } } : { region };
}

/** Name and place of the log. */
export function logOf(settings: z.infer<typeof LogSettings>): { origin: string; vkey: string; place: Place } {
	const { FAIRLEAD_LEDGER_LOG: addresses, FAIRLEAD_LEDGER_VKEY: vkey } = settings;
	const { name: origin } = settingOf('FAIRLEAD_LEDGER_VKEY', () => verifierKey(vkey));
	const { endpoint, ...reach } = { endpoint: undefined, ...reachOf(settings) };
	// Buckets have no name in the address of what is not AWS itself.
	const client = endpoint === undefined ? reach : { ...reach, endpoint, forcePathStyle: true };
	return { origin, vkey, place: settingOf('FAIRLEAD_LEDGER_LOG', () => placeOf(addresses, client)) };
}

/** What this process knows of the log, it reads: it writes none and signs none. */
function readableLog(settings: Settings): Platform['log'] {
	const { origin, vkey, place } = logOf(settings);
	const sign = () => Promise.reject(new Error('This process does not sign the log.'));
	return Object.freeze({ origin, objects: readObjects(place), signer: { vkey, sign } });
}

function parserOf({ FAIRLEAD_PARSER: file }: Settings): Parser {
	if (file !== undefined) return makeParser({ file: pathToFileURL(file) });
	const none = () => Promise.reject(new BrokerError('internal', 'This process reads no SQL.'));
	return { query: none, expression: none, warm: none };
}

function configOf(settings: Settings): Config {
	if (settings.FAIRLEAD_REMIND_BEFORE >= settings.FAIRLEAD_REQUEST_LAPSES_AFTER) {
		throw new Error('settings:\nFAIRLEAD_REMIND_BEFORE: must be shorter than FAIRLEAD_REQUEST_LAPSES_AFTER');
	}
	return {
		region: settings.AWS_REGION,
		producer: settings.FAIRLEAD_URL,
		tables: {
			ledger: settings.FAIRLEAD_LEDGER_TABLE,
			payloads: settings.FAIRLEAD_PAYLOADS_TABLE,
			projections: settings.FAIRLEAD_PROJECTIONS_TABLE,
			calls: settings.FAIRLEAD_CALLS_TABLE,
		},
		unsealedShards: settings.FAIRLEAD_UNSEALED_SHARDS,
		governance: settings.FAIRLEAD_GOVERNANCE_DOMAIN,
		founders: settings.FAIRLEAD_FOUNDERS,
		ownRoles: settings.FAIRLEAD_OWN_ROLES,
		workGroup: (domain) => `${settings.FAIRLEAD_WORK_GROUP_PREFIX}${domain}`,
		purposes: readPurposes(settings.FAIRLEAD_POLICIES),
		cursorKey: settings.FAIRLEAD_CURSOR_KEY,
		requestLapsesAfterMs: settings.FAIRLEAD_REQUEST_LAPSES_AFTER,
		remindBeforeMs: settings.FAIRLEAD_REMIND_BEFORE,
		breakGlassReviewMs: settings.FAIRLEAD_BREAK_GLASS_REVIEW_WITHIN,
		retryMs: settings.FAIRLEAD_RETRY_MS,
	};
}
