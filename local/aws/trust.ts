/**
 * Trust policies: who may assume a role. Evaluated as IAM does, deny before allow, for the elements that a role's
 * trust is made of in practice; a condition that is not understood never lets anybody in: it fails an Allow and
 * fulfils a Deny. Rules: IAM user guide, "Policy evaluation logic" and "AWS JSON policy elements: Principal".
 */
import * as z from 'zod';
import { AwsError, accountOf, type Caller } from '../wire.ts';
import type { Landing } from './state.ts';

export type Role = Landing['roles'][number];

/** What a caller sends along that conditions may ask for. */
export type Asked = {
	readonly name: string;
	readonly externalId: string | undefined;
	readonly tags: Readonly<Record<string, string>>;
};

const Some = z.union([z.string(), z.array(z.string()).min(1)]);
const Statement = z.strictObject({
	Sid: z.string().optional(),
	Effect: z.enum(['Allow', 'Deny']),
	Principal: z.union([z.literal('*'), z.partialRecord(z.enum(['AWS', 'Service', 'Federated', 'CanonicalUser']), Some)]),
	Action: Some,
	Condition: z.record(z.string(), z.record(z.string(), Some)).optional(),
});
const Policy = z.strictObject({
	Version: z.enum(['2012-10-17', '2008-10-17']).optional(),
	Id: z.string().optional(),
	Statement: z.union([Statement, z.array(Statement).min(1)]),
});
type Statement = z.infer<typeof Statement>;

/** The policy that a role has: as it was put, or what the landing zone's list of trusted ARNs stands for. */
export function policyText(role: Pick<Role, 'trusts' | 'document'>): string {
	if (role.document !== undefined) return role.document;
	return JSON.stringify({
		Version: '2012-10-17',
		Statement:
			role.trusts.length === 0
				? []
				: [{ Effect: 'Allow', Principal: { AWS: role.trusts }, Action: ['sts:AssumeRole', 'sts:TagSession'] }],
	});
}

/** Throws MalformedPolicyDocument for what IAM would not take, or what cannot be evaluated here. */
export function checkPolicy(text: string): void {
	for (const statement of statementsOf(text)) {
		for (const named of identities(statement)) {
			if (!PRINCIPAL.test(named)) throw malformed(`Invalid principal in policy: "AWS":"${named}"`);
		}
	}
}

const PRINCIPAL = /^(\*|\d{12}|arn:aws:iam::\d{12}:(root|(role|user)\/\S+)|arn:aws:sts::\d{12}:assumed-role\/\S+)$/;

/** Whether the role's trust lets this caller do all of these actions. */
export function trusts(role: Role, caller: Caller, asked: Asked, actions: readonly string[]): boolean {
	if (role.document === undefined && role.trusts.length === 0) return false;
	const statements = statementsOf(policyText(role)).filter((statement) => names(statement, caller));
	return actions.every((action) => {
		const about = statements.filter((statement) => listed(statement.Action).some((pattern) => like(pattern, action)));
		const holds = (statement: Statement) => conditions(statement, caller, asked, statement.Effect === 'Deny');
		if (about.some((statement) => statement.Effect === 'Deny' && holds(statement))) return false;
		return about.some((statement) => statement.Effect === 'Allow' && holds(statement));
	});
}

/** The IAM identities that a statement is about; services and federated users never call here. */
function identities({ Principal }: Statement): readonly string[] {
	return Principal === '*' ? ['*'] : listed(Principal.AWS);
}

function names(statement: Statement, caller: Caller): boolean {
	const account = [caller.account, `arn:aws:iam::${caller.account}:root`];
	return identities(statement).some(
		(named) => named === '*' || named === caller.principal || named === caller.arn || account.includes(named),
	);
}

/** Every condition is fulfilled; `unknown` is taken for one that cannot be evaluated. */
function conditions({ Condition }: Statement, caller: Caller, asked: Asked, unknown: boolean): boolean {
	const context = contextOf(caller, asked);
	return Object.entries(Condition ?? {}).every(([operator, keys]) =>
		Object.entries(keys).every(([key, wanted]) => {
			const test = OPERATORS[operator];
			const name = key.toLowerCase();
			const known = KEYS.has(name) || TAG_KEY.test(name);
			if (test === undefined || !known) return unknown;
			const value = context.get(name);
			return value !== undefined && listed(wanted).some((pattern) => test(pattern, value));
		}),
	);
}

const equal = (wanted: string, value: string) => wanted === value;
const OPERATORS: Readonly<Record<string, (wanted: string, value: string) => boolean>> = {
	StringEquals: equal,
	StringLike: like,
	ArnEquals: like,
	ArnLike: like,
};

const KEYS = new Set(['sts:externalid', 'sts:rolesessionname', 'aws:principalarn', 'aws:principalaccount']);
const TAG_KEY = /^aws:(principal|request)tag\/./;

/** The values that conditions may ask for. Names of keys, and of tags in them, have no case. */
function contextOf(caller: Caller, asked: Asked): ReadonlyMap<string, string> {
	const of = (kind: string, tags: Readonly<Record<string, string>>) =>
		Object.entries(tags).map(([key, value]) => [`aws:${kind}tag/${key.toLowerCase()}`, value] as const);
	return new Map([
		...of('principal', caller.tags ?? {}),
		...of('request', asked.tags),
		['sts:rolesessionname', asked.name],
		['aws:principalarn', caller.principal],
		['aws:principalaccount', accountOf(caller.principal)],
		...(asked.externalId === undefined ? [] : [['sts:externalid', asked.externalId] as const]),
	]);
}

/** `*` stands for any text and `?` for one character. */
function like(pattern: string, value: string): boolean {
	const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
	return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(value);
}

function statementsOf(text: string): readonly Statement[] {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		throw malformed('This policy contains invalid Json');
	}
	const parsed = Policy.safeParse(json);
	if (!parsed.success) throw malformed('Syntax errors in policy.');
	const { Statement: statements } = parsed.data;
	return Array.isArray(statements) ? statements : [statements];
}

function malformed(message: string): AwsError {
	return new AwsError('MalformedPolicyDocument', message);
}

function listed(some: string | readonly string[] | undefined): readonly string[] {
	if (some === undefined) return [];
	return typeof some === 'string' ? [some] : some;
}
