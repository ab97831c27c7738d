/**
 * Keys of Fairlead's tables, as the deployed stack makes them. Plain data: a test holds it equal to the tables of the
 * embedded DynamoDB, so that what is tested on a laptop is what is deployed.
 */
export type TableSchema = {
	/** All keys are strings. */
	readonly hash: string;
	readonly range?: string;
	readonly index?: {
		readonly name: string;
		readonly hash: string;
		readonly range: string;
		readonly include: readonly string[];
	};
	/** Attribute (epoch seconds) after which an item may go. */
	readonly ttl?: string;
	/** Holds what cannot be had again: point-in-time recovery and deletion protection. */
	readonly lasting: boolean;
};

export const schema = {
	ledger: {
		hash: 'pk',
		range: 'sk',
		index: { name: 'unsealed', hash: 'u', range: 'ut', include: ['h'] },
		lasting: true,
	},
	payloads: { hash: 'pk', range: 'sk', lasting: true },
	projections: { hash: 'pk', range: 'sk', lasting: true },
	calls: { hash: 'pk', ttl: 'expires', lasting: false },
} as const satisfies Record<string, TableSchema>;

export type TableName = keyof typeof schema;
