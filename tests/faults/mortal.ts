/**
 * Clients of a process that can die: at one of its writes, before AWS gets it or after AWS has done it. From then on
 * nothing that it asks is ever answered, which is what the rest of its code sees of its death.
 */
import type { Aws } from '#core/aws.ts';

export type Death = { readonly write: number; readonly when: 'before' | 'after' };

export type Mortal = {
	readonly aws: Aws;
	/** Resolves once it is dead. */
	readonly dies: (death: Death) => Promise<void>;
};

/** What changes something in AWS, by the name of its operation. */
export const WRITES =
	/^(ExecuteStatement|(Put|Delete)Item|((Batch)?(Grant|Revoke)|Create|Update|Delete|Register|Add|Remove)[A-Z].*|(Start|Stop)QueryExecution)$/;
/** Counts calls of the API; not a step of anything. */
const COUNTER = 'UpdateItem';

export const isWrite = (operation: string) => operation !== COUNTER && WRITES.test(operation);

type Client =
	| Aws['dynamodb']
	| ReturnType<Aws['lakeformation'] | Aws['glue'] | Aws['athena'] | Aws['cloudtrail'] | Aws['consumer']['iam']>;
/** The one shape of middleware that all clients take. */
type Stack = {
	add: (
		middleware: (
			next: (args: object) => Promise<object>,
			context: { commandName?: string },
		) => (args: object) => Promise<object>,
		options: { step: 'initialize'; name: string },
	) => void;
};

export function mortal(aws: Aws): Mortal {
	let left = Number.POSITIVE_INFINITY;
	let when: Death['when'] = 'before';
	let dead = false;
	let die = () => {};
	const never = () => new Promise<never>(() => {});
	const known = new WeakSet<object>();

	const watched = <T extends Client>(client: T): T => {
		if (known.has(client)) return client;
		known.add(client);
		const stack = client.middlewareStack as unknown as Stack;
		stack.add(
			(next, { commandName = '' }) =>
				async (args) => {
					if (dead) return never();
					if (!isWrite(commandName.replace(/Command$/, ''))) return alive(await next(args));
					left -= 1;
					if (left > 0) return alive(await next(args));
					dead = true;
					// Done, or refused by AWS: it dies before it hears of it.
					if (when === 'after') await next(args).catch(() => {});
					die();
					return never();
				},
			{ step: 'initialize', name: 'mortal' },
		);
		return client;
	};
	const alive = (answer: object) => (dead ? never() : answer);

	return {
		aws: {
			dynamodb: watched(aws.dynamodb),
			roleIn: aws.roleIn,
			lakeformation: (account) => watched(aws.lakeformation(account)),
			glue: (account) => watched(aws.glue(account)),
			cloudtrail: (account) => watched(aws.cloudtrail(account)),
			consumer: {
				lakeformation: (account) => watched(aws.consumer.lakeformation(account)),
				glue: (account) => watched(aws.consumer.glue(account)),
				iam: (account) => watched(aws.consumer.iam(account)),
				athena: (account) => watched(aws.consumer.athena(account)),
				cloudtrail: (account) => watched(aws.consumer.cloudtrail(account)),
			},
			athena: (principal) => watched(aws.athena(principal)),
		},
		dies(death) {
			left = death.write;
			when = death.when;
			return new Promise((resolve) => {
				die = resolve;
			});
		},
	};
}
