/**
 * What the embedded services share: who calls, how an operation is written, how AWS says no.
 * An operation returns the members of its answer or throws an `AwsError`; only the server knows the
 * protocol that carries either. Error names are AWS's own: clients tell errors apart by name.
 */
import type * as z from 'zod';
import { violations, wrongType } from './validation.ts';

/** An authenticated caller. Lake Formation evaluates `principal`: the role, never its session. */
export type Caller = {
	readonly account: string;
	/** What GetCallerIdentity answers, an assumed-role ARN for a role. */
	readonly arn: string;
	readonly principal: string;
	readonly userId: string;
	/** Long-lived keys name the platform's own identities; the others come from AssumeRole. */
	readonly longLived: boolean;
	/** What AssumeRole was given: the session's name, its tags, and the keys of those that a further role inherits. */
	readonly sessionName?: string;
	readonly tags?: Readonly<Record<string, string>>;
	readonly transitive?: readonly string[];
	/** The actions that a session policy leaves, where it was given one. */
	readonly only?: readonly string[];
};

export type Operation = (caller: Caller, input: unknown) => Promise<object> | object;
export type Operations = ReadonlyMap<string, Operation>;

/** An answer that AWS would give as an error: its name, its text, and members that the model adds. */
export class AwsError extends Error {
	readonly code: string;
	readonly status: number;
	readonly members: Readonly<Record<string, unknown>>;

	constructor(code: string, message: string, options: { status?: number; members?: Record<string, unknown> } = {}) {
		super(message);
		this.name = code;
		this.code = code;
		this.status = options.status ?? 400;
		this.members = options.members ?? {};
	}
}

/**
 * An operation whose input is checked before it runs. AWS answers a value of the wrong JSON type with
 * SerializationException and a missing or out-of-range one with the service's own validation error.
 */
export function operation<S extends z.ZodType>(
	schema: S,
	invalid: (message: string) => AwsError,
	run: (caller: Caller, input: z.infer<S>) => Promise<object> | object,
): Operation {
	return (caller, input) => {
		const parsed = schema.safeParse(input);
		if (parsed.success) return run(caller, parsed.data);
		const wrong = wrongType(parsed.error.issues, input);
		if (wrong !== undefined) throw new AwsError('SerializationException', wrong);
		throw invalid(violations(parsed.error.issues, input));
	};
}

/** AWS timestamps in JSON: epoch seconds with a fraction. */
export function epoch(date: Date | number): number {
	return (typeof date === 'number' ? date : date.getTime()) / 1000;
}

/** The account of an IAM or STS ARN. */
export function accountOf(arn: string): string {
	return arn.split(':')[4] ?? '';
}

/** One page of a list whose token is the position of the next entry. */
export function page<T>(
	all: readonly T[],
	limit: number,
	token: string | null | undefined,
	invalid: () => AwsError,
): { readonly items: readonly T[]; readonly next: { NextToken?: string } } {
	const start = token ? readToken(token, invalid) : 0;
	const end = start + limit;
	return { items: all.slice(start, end), next: end < all.length ? { NextToken: writeToken(end) } : {} };
}

export function writeToken(position: number): string {
	return Buffer.from(`p${position}`).toString('base64');
}

export function readToken(token: string, invalid: () => AwsError): number {
	const match = /^p(\d{1,15})$/.exec(Buffer.from(token, 'base64').toString());
	if (match?.[1] === undefined) throw invalid();
	return Number(match[1]);
}
