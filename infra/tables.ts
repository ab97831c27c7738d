/**
 * The tables. What cannot be had again has point-in-time recovery and deletion protection, and a resource policy that
 * denies to everybody, whatever his own policy says, to change or delete an item of the ledger or a payload; but for the
 * sealer, which updates its marks and its head in the ledger, and the eraser, which deletes payloads, as their roles say.
 */
import { type FunctionName, neverOnRecords } from './actions.ts';
import { schema, type TableName, type TableSchema } from './schema.ts';

export type Tables = Record<TableName, sst.aws.Dynamo>;

export function makeTables(): Tables {
	const tables: Tables = {
		ledger: table('Ledger', schema.ledger),
		payloads: table('Payloads', schema.payloads),
		projections: table('Projections', schema.projections),
		calls: table('Calls', schema.calls),
	};
	keepRecords('Ledger', tables.ledger, { name: 'seal', action: 'dynamodb:UpdateItem' });
	keepRecords('Payloads', tables.payloads, { name: 'erase', action: 'dynamodb:DeleteItem' });
	return tables;
}

function table(name: string, { hash, range, index, ttl, lasting }: TableSchema): sst.aws.Dynamo {
	const keys = [hash, range, index?.hash, index?.range].filter((key) => key !== undefined);
	return new sst.aws.Dynamo(name, {
		fields: Object.fromEntries(keys.map((key) => [key, 'string' as const])),
		primaryIndex: { hashKey: hash, ...(range === undefined ? {} : { rangeKey: range }) },
		...(index === undefined
			? {}
			: {
					globalIndexes: {
						[index.name]: { hashKey: index.hash, rangeKey: index.range, projection: [...index.include] },
					},
				}),
		...(ttl === undefined ? {} : { ttl }),
		deletionProtection: lasting,
		transform: {
			table: (args) => {
				args.pointInTimeRecovery = { enabled: lasting };
				// Without it the key is DynamoDB's own; with it, one of the account, whose use CloudTrail shows.
				args.serverSideEncryption = { enabled: true };
			},
		},
	});
}

/** DynamoDB Developer Guide, resource-based policies: an explicit deny prevails over every allow. */
type Exception = { readonly name: FunctionName; readonly action: (typeof neverOnRecords)[number] };

function keepRecords(name: string, { arn }: sst.aws.Dynamo, but: Exception): void {
	const deny = { Effect: 'Deny', Principal: '*', Resource: arn };
	const always = {
		Sid: 'Kept',
		...deny,
		Action: neverOnRecords.filter((action) => action !== but.action),
	};
	const { accountId } = aws.getCallerIdentityOutput();
	const role = $interpolate`arn:aws:iam::${accountId}:role/${$app.name}-${$app.stage}-${but.name}`;
	const others = { Sid: `${but.name}Alone`, ...deny, Action: [but.action] };
	const policy = $jsonStringify({
		Version: '2012-10-17',
		Statement: [always, { ...others, Condition: { ArnNotEquals: { 'aws:PrincipalArn': role } } }],
	});
	// As long as the table, which outlives the stack.
	new aws.dynamodb.ResourcePolicy(`${name}Kept`, { resourceArn: arn, policy }, { retainOnDelete: true });
}
