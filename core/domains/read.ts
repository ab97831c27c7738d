/** A domain as its stream tells it: the last version carries the whole state. */
import * as z from 'zod';
import { type Context, roles } from '../context.ts';
import { BrokerError } from '../error.ts';
import { AccountId, RoleArn, Slug } from '../id.ts';
import * as Ledger from '../ledger.ts';

export type ReadCtx = Pick<Context, 'aws' | 'config'>;

const Member = z.object({
	person: z.string(),
	roles: z.array(z.enum(roles)),
	of: z.string().optional().meta({ description: 'The person behind this one, as this domain says it' }),
	service: z.boolean().optional().meta({ description: 'Whether this is a program' }),
});

export const Domain = z
	.object({
		id: Slug,
		name: z.string(),
		account: AccountId,
		members: z.array(Member),
		principals: z.array(z.object({ arn: RoleArn, purpose: z.string() })),
		catalogs: z.array(z.object({ account: AccountId, databases: z.array(z.string()) })),
		attributes: z
			.record(z.string(), z.string())
			.meta({ description: 'What the domain is in the bank, by name, such as its jurisdiction' }),
		version: z.int(),
	})
	.meta({ id: 'Domain' });
export type Domain = z.infer<typeof Domain>;

/** A domain as its stream says now, or null. Throws `record-corrupt`. */
export async function read(ctx: ReadCtx, id: string): Promise<Domain | null> {
	const last = await Ledger.last(ctx, Ledger.stream.domain(id), 'DomainRegistered');
	return last === null ? null : view(last);
}

export function view(recorded: Ledger.Recorded<'DomainRegistered'>): Domain {
	const { domain: id, type: _, rules: __, attributes = {}, ...body } = recorded.body;
	const parsed = Domain.safeParse({ ...body, id, attributes, version: recorded.ver });
	if (!parsed.success)
		throw new BrokerError('record-corrupt', 'A domain entry cannot be read.', {}, { cause: parsed.error });
	return parsed.data;
}
