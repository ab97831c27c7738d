/**
 * Settings in, platform out; once per cold start. The only reader of the environment, and the only place that decides
 * which clients and rules a process has. A laptop passes the same names with other values.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import { makeAws } from '#core/aws.ts';
import type { Config, Platform } from '#core/context.ts';
import { BrokerError } from '#core/error.ts';
import { type Authenticate, makeAuthenticate } from '#core/identity.ts';
import { makeParser, type Parser } from '#core/parser.ts';
import { loadPolicies } from '#core/policy.ts';
import { type Log, makeLog, warnTo } from './log.ts';

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

/** What a deployment must say; every name is an environment variable. */
export const Settings = z.object({
	AWS_REGION: required,
	FAIRLEAD_LEDGER_TABLE: required,
	FAIRLEAD_PAYLOADS_TABLE: required,
	FAIRLEAD_PROJECTIONS_TABLE: required,
	FAIRLEAD_CALLS_TABLE: required.meta({ description: 'Idempotency keys and rate counters; nothing in it lasts' }),
	FAIRLEAD_URL: z
		.url()
		.transform((url) => new URL(url).origin)
		.meta({ description: 'Public origin of the API, without a path' }),
	FAIRLEAD_VERSION: required.default('unversioned').meta({ description: 'What is deployed: a release or commit' }),
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
	FAIRLEAD_WORK_GROUP_PREFIX: required,
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

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the HTTP face alone needs to know. */
export type Site = {
	/** Public origin, without a path. */
	readonly url: string;
	readonly version: string;
	/** Who issues the access tokens. */
	readonly issuer: string;
	readonly callsPerMinute: number;
	/** Whether the start is paid before anybody waits for it. */
	readonly startsAhead: boolean;
	/** Folder of the assets of `/docs`. */
	readonly docs: string;
	readonly log: Log;
};

export type Built = { readonly platform: Platform; readonly authenticate: Authenticate; readonly site: Site };

/** Throws with the name of each setting that is missing or wrong; values are never printed. */
export function buildPlatform(env: Environment): Built {
	const parsed = Settings.safeParse(env);
	if (!parsed.success) {
		const faults = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
		throw new Error(`settings:\n${faults.join('\n')}`);
	}
	const settings = parsed.data;
	const authenticate = makeAuthenticate({
		issuer: settings.FAIRLEAD_ISSUER,
		audience: settings.FAIRLEAD_AUDIENCE,
		jwksUri: settings.FAIRLEAD_JWKS_URI,
		algorithms: settings.FAIRLEAD_TOKEN_ALGORITHMS,
		maxTokenAgeSeconds: settings.FAIRLEAD_TOKEN_MAX_AGE_SECONDS,
		...(settings.FAIRLEAD_TOKEN_TYPE === undefined ? {} : { tokenType: settings.FAIRLEAD_TOKEN_TYPE }),
	});
	const site = siteOf(settings);
	return Object.freeze({ platform: platformOf(settings, site.log), authenticate, site });
}

function siteOf(settings: Settings): Site {
	return Object.freeze({
		url: settings.FAIRLEAD_URL,
		version: settings.FAIRLEAD_VERSION,
		issuer: settings.FAIRLEAD_ISSUER,
		callsPerMinute: settings.FAIRLEAD_CALLS_PER_MINUTE,
		startsAhead: settings.AWS_LAMBDA_INITIALIZATION_TYPE === 'provisioned-concurrency',
		docs: settings.FAIRLEAD_DOCS,
		log: makeLog(settings.FAIRLEAD_VERSION, settings.FAIRLEAD_LOG_FILE),
	});
}

function platformOf(settings: Settings, log: Log): Platform {
	const {
		AWS_ACCESS_KEY_ID: accessKeyId,
		AWS_SECRET_ACCESS_KEY: secretAccessKey,
		AWS_ENDPOINT_URL: endpoint,
	} = settings;
	const given = endpoint !== undefined && accessKeyId !== undefined && secretAccessKey !== undefined;
	return Object.freeze({
		config: configOf(settings),
		aws: makeAws({
			region: settings.AWS_REGION,
			grantorRole: settings.FAIRLEAD_GRANTOR_ROLE,
			...(given ? { endpoint, credentials: { accessKeyId, secretAccessKey } } : {}),
		}),
		policies: loadPolicies(
			readFileSync(join(settings.FAIRLEAD_POLICIES, 'schema.cedarschema'), 'utf8'),
			readPolicies(join(settings.FAIRLEAD_POLICIES, 'global')),
		),
		parser: parserOf(settings),
		random: (bytes: number) => randomBytes(bytes),
		clock: () => new Date(),
		warn: warnTo(log),
	});
}

function parserOf({ FAIRLEAD_PARSER: file }: Settings): Parser {
	if (file !== undefined) return makeParser({ file: pathToFileURL(file) });
	const none = () => Promise.reject(new BrokerError('internal', 'This process reads no SQL.'));
	return { query: none, expression: none, warm: none };
}

const Purposes = z.array(z.strictObject({ id: required, name: required, legalBasis: required, retention: required }));

function configOf(settings: Settings): Config {
	return {
		region: settings.AWS_REGION,
		producer: settings.FAIRLEAD_URL,
		tables: {
			ledger: settings.FAIRLEAD_LEDGER_TABLE,
			payloads: settings.FAIRLEAD_PAYLOADS_TABLE,
			projections: settings.FAIRLEAD_PROJECTIONS_TABLE,
			calls: settings.FAIRLEAD_CALLS_TABLE,
		},
		governance: settings.FAIRLEAD_GOVERNANCE_DOMAIN,
		founders: settings.FAIRLEAD_FOUNDERS,
		workGroup: (domain) => `${settings.FAIRLEAD_WORK_GROUP_PREFIX}${domain}`,
		purposes: Purposes.parse(parseYaml(readFileSync(join(settings.FAIRLEAD_POLICIES, 'purposes.yaml'), 'utf8'))),
		cursorKey: settings.FAIRLEAD_CURSOR_KEY,
		retryMs: settings.FAIRLEAD_RETRY_MS,
	};
}

/** One policy per file; the file's name is the policy's id in the ledger. */
function readPolicies(folder: string): Record<string, string> {
	const files = readdirSync(folder).filter((f) => f.endsWith('.cedar'));
	return Object.fromEntries(files.map((f) => [basename(f, '.cedar'), readFileSync(join(folder, f), 'utf8')]));
}
