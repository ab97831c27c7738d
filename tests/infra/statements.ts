/** Statements of policies as the stack has them, in one form. */

export type Statement = {
	readonly Effect: string;
	readonly Action: string | readonly string[];
	/** Only where others are denied all but these. */
	readonly NotAction?: string | readonly string[];
	readonly Resource: string | readonly string[];
	readonly Principal?: unknown;
	readonly Condition?: Record<string, Record<string, unknown>>;
};

export const list = <T>(value: T | readonly T[]): readonly T[] =>
	(Array.isArray(value) ? value : [value]) as readonly T[];
export const statementsOf = (policy: unknown): Statement[] =>
	(JSON.parse(policy as string) as { Statement: readonly Record<string, unknown>[] }).Statement.map(normal);

/** Statements of our own, and of the platform, whose policy documents spell their members otherwise. */
function normal(s: Record<string, unknown>): Statement {
	return {
		Effect: (s['Effect'] ?? s['effect'] ?? 'Allow') as string,
		Action: (s['Action'] ?? s['actions'] ?? []) as string[],
		...(s['NotAction'] === undefined ? {} : { NotAction: s['NotAction'] as string[] }),
		Resource: (s['Resource'] ?? s['resources']) as string[],
		Principal: s['Principal'] ?? s['principals'],
		...(s['Condition'] === undefined ? {} : { Condition: s['Condition'] as Record<string, Record<string, unknown>> }),
	};
}
