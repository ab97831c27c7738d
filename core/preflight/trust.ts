/**
 * Who a role's trust policy admits, read as widely as it could be meant: what would narrow it is counted only where it
 * certainly does. Pure.
 *
 * Source: IAM User Guide, "AWS JSON policy elements: Principal" and "Grammar of the IAM JSON policy language".
 */
import * as z from 'zod';

const OneOrMore = z.union([z.string(), z.array(z.string())]).transform((v) => (typeof v === 'string' ? [v] : v));
const Values = z
	.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number(), z.boolean()]))])
	.transform((v) => (Array.isArray(v) ? v : [v]).map(String));
const Statement = z.looseObject({
	Effect: z.string(),
	Principal: z.union([z.literal('*').transform(() => ({ AWS: ['*'] })), z.record(z.string(), OneOrMore)]).optional(),
	Action: OneOrMore.optional(),
	Condition: z.record(z.string(), z.record(z.string(), Values)).optional(),
});
type Statement = z.infer<typeof Statement>;
const Policy = z.looseObject({ Statement: z.union([Statement, z.array(Statement)]) });

const assuming = ['sts:assumerole', 'sts:assumerolewithsaml', 'sts:assumerolewithwebidentity', 'sts:assumeroot'];
/** Operators that hold only if the key is there and has one of the values. */
const matching = /^(?:Arn|String)(?:Equals|Like)$/i;

/** Identifiers that may assume the role, `*` for anybody. A policy of a form that is not known here may admit anybody. */
export function admitted(document: string): string[] {
	const policy = Policy.safeParse(parsed(document));
	if (!policy.success) return ['*'];
	const { Statement: statements } = policy.data;
	const all = Array.isArray(statements) ? statements : [statements];
	const found = all.filter((s) => s.Effect !== 'Deny' && assumes(s)).flatMap(identitiesOf);
	return [...new Set(found)].toSorted();
}

function parsed(document: string): unknown {
	try {
		return JSON.parse(document);
	} catch {
		return null;
	}
}

/** An Allow on everything but some actions counts as one on all of them. */
function assumes({ Action: actions }: Statement): boolean {
	return actions === undefined || actions.some((pattern) => assuming.some((action) => isLike(action, pattern)));
}

/** `*` is any text, `?` any one character. In place, without going back further than the last `*`. */
function isLike(action: string, pattern: string): boolean {
	const wanted = pattern.toLowerCase().replaceAll(/\*+/g, '*');
	let [at, next, star, from] = [0, 0, -1, 0];
	while (at < action.length) {
		const sign = wanted[next];
		if (sign === '*') {
			star = next;
			from = at;
			next += 1;
		} else if (sign === '?' || sign === action[at]) {
			at += 1;
			next += 1;
		} else if (star >= 0) {
			from += 1;
			at = from;
			next = star + 1;
		} else return false;
	}
	return /^\**$/.test(wanted.slice(next));
}

function identitiesOf({ Principal: principal, Condition: condition }: Statement): string[] {
	// Everybody but somebody (NotPrincipal) is everybody.
	const all = Object.entries(principal ?? { AWS: ['*'] });
	const of = (isAws: boolean) => all.filter(([kind]) => (kind === 'AWS') === isAws).flatMap(([, ids]) => ids);
	const named = of(true);
	const only = Object.entries(condition ?? {})
		.filter(([operator]) => matching.test(operator))
		.flatMap(([, keys]) => Object.entries(keys))
		.find(([key]) => key.toLowerCase() === 'aws:principalarn');
	// Names that are no one role are narrowed to those of the condition; a role that is named admits itself at most.
	const narrowed = only === undefined ? named : named.flatMap((n) => (manyOf(n) === null ? [n] : only[1]));
	return [...narrowed, ...of(false)];
}

/** One role, user or session of one, without a wildcard or a variable of policies; or the id of one that is gone. */
const exact =
	/^arn:[^:*?$]+:(?:iam::[0-9]{12}:(?:role|user)|sts::[0-9]{12}:(?:assumed-role|federated-user))\/[^*?$]+$/s;
const uniqueId = /^A(?:RO|ID)A[A-Z0-9]+$/;
const ofAccount = /^(?:arn:[^:*?$]+:(?:iam|sts)::(?<named>[0-9]{12}):|(?<bare>[0-9]{12})$)/;

/**
 * Null for an identifier of one identity. Of any other, the account that it stands for as a whole, or a part of it that
 * is not told by name; `*` for every account, or for services and identity providers that are no account's.
 */
export function manyOf(identifier: string): string | null {
	if (exact.test(identifier) || uniqueId.test(identifier)) return null;
	const { named, bare } = ofAccount.exec(identifier)?.groups ?? {};
	return named ?? bare ?? '*';
}
