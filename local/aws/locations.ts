/**
 * The S3 locations that Lake Formation governs: registered, described, changed and let go by an administrator of the
 * account. What lies in several registered locations falls under the nearest one. A location may be registered in
 * hybrid mode: then Lake Formation decides only for principals that opted in (optins.ts).
 * Sources: service model; limits from GR/lake-formation.
 */
import * as z from 'zod';
import { AwsError, type Caller, epoch, type Operation, operation, page } from '../wire.ts';
import { tooMany } from './authority.ts';
import { isAdmin, serviceLinkedRole } from './lookup.ts';
import { denied, invalid, notFound } from './resource.ts';
import { put, type Registration, registrationKey, type State } from './state.ts';
import type { Store } from './store.ts';

const MOST_LOCATIONS = 10_000;
const LONGEST_PATH = 700;

/** LFDG/notes-hybrid, which gives no text: such a location is deregistered and registered anew. */
const FIXED_BY_SERVICE_ROLE = 'A location registered with the service-linked role cannot be updated';

const Arn = z.string().regex(/^arn:aws:s3:::[^/]+(\/.*)?$/);
const RoleArn = z.string().regex(/^arn:aws:iam::[0-9]*:role\/.*/);
const Flag = z.boolean().nullish();
const Flags = { WithFederation: Flag, HybridAccessEnabled: Flag, WithPrivilegedAccess: Flag };
const Register = z.object({ ResourceArn: Arn, UseServiceLinkedRole: Flag, RoleArn: RoleArn.nullish(), ...Flags });
const Update = z.object({ ResourceArn: Arn, RoleArn, ...Flags });
const List = z.object({
	FilterConditionList: z
		.array(
			z.object({
				Field: z.enum(['RESOURCE_ARN', 'ROLE_ARN', 'LAST_MODIFIED']),
				ComparisonOperator: z.string(),
				StringValueList: z.array(z.string()).min(1),
			}),
		)
		.min(1)
		.max(20)
		.nullish(),
	MaxResults: z.number().int().min(1).max(1000).nullish(),
	NextToken: z.string().nullish(),
});
type Condition = NonNullable<z.infer<typeof List>['FilterConditionList']>[number];

export function locationOperations(store: Store, clock: () => Date): readonly (readonly [string, Operation])[] {
	const changed = (caller: Caller, change: (state: State) => Registration | undefined, arn: string) =>
		store.change((state) => {
			if (!isAdmin(state, caller.account, caller.principal)) throw denied();
			const key = registrationKey({ account: caller.account, arn });
			return { ...state, registrations: put(state.registrations, key, change(state)) };
		});
	return [
		[
			'DescribeResource',
			operation(z.object({ ResourceArn: Arn }), invalid, (caller, { ResourceArn }) => ({
				ResourceInfo: written(find(store.read(), caller.account, ResourceArn)),
			})),
		],
		[
			'ListResources',
			operation(List, invalid, (caller, input) => {
				const all = [...store.read().registrations.values()].filter(
					(entry) =>
						entry.account === caller.account &&
						(input.FilterConditionList ?? []).every((condition) => holds(entry, condition)),
				);
				const { items, next } = page(all, input.MaxResults ?? 1000, input.NextToken, () =>
					invalid('Invalid NextToken'),
				);
				return { ResourceInfoList: items.map(written), ...next };
			}),
		],
		[
			'RegisterResource',
			operation(Register, invalid, async (caller, input) => {
				const registration = registrationOf(caller.account, input, clock());
				await changed(caller, (state) => added(state, registration), input.ResourceArn);
				return {};
			}),
		],
		[
			'UpdateResource',
			operation(Update, invalid, async (caller, input) => {
				mustBePlain(input);
				const modified = clock().getTime();
				const change = (state: State) => {
					const old = find(state, caller.account, input.ResourceArn);
					if (old.roleArn === serviceLinkedRole(caller.account)) throw invalid(FIXED_BY_SERVICE_ROLE);
					return { ...old, roleArn: input.RoleArn, modified, hybrid: input.HybridAccessEnabled ?? old.hybrid };
				};
				await changed(caller, change, input.ResourceArn);
				return {};
			}),
		],
		[
			'DeregisterResource',
			operation(z.object({ ResourceArn: Arn }), invalid, async (caller, { ResourceArn }) => {
				const remove = (state: State) => {
					find(state, caller.account, ResourceArn);
					return undefined;
				};
				await changed(caller, remove, ResourceArn);
				return {};
			}),
		],
	];
}

function mustBePlain(input: {
	WithFederation?: boolean | null | undefined;
	WithPrivilegedAccess?: boolean | null | undefined;
}) {
	if (input.WithFederation || input.WithPrivilegedAccess)
		throw invalid('Federated and privileged locations are not supported by the embedded Lake Formation');
}

function registrationOf(account: string, input: z.infer<typeof Register>, now: Date): Registration {
	mustBePlain(input);
	const serviceRole = input.UseServiceLinkedRole === true;
	if (serviceRole === Boolean(input.RoleArn))
		throw invalid('Exactly one of RoleArn and UseServiceLinkedRole must be given');
	if (input.ResourceArn.length > LONGEST_PATH) throw invalid(`The path exceeds ${LONGEST_PATH} characters`);
	return {
		account,
		arn: input.ResourceArn,
		roleArn: input.RoleArn ?? serviceLinkedRole(account),
		modified: now.getTime(),
		hybrid: input.HybridAccessEnabled === true,
	};
}

function added(state: State, registration: Registration): Registration {
	if (state.registrations.has(registrationKey(registration)))
		throw new AwsError('AlreadyExistsException', 'Resource is already registered');
	const own = [...state.registrations.values()].filter(({ account }) => account === registration.account);
	if (own.length >= MOST_LOCATIONS) throw tooMany('Too many registered locations');
	return registration;
}

function find(state: State, account: string, arn: string): Registration {
	const found = state.registrations.get(registrationKey({ account, arn }));
	if (found === undefined) throw notFound();
	return found;
}

function holds(registration: Registration, { Field, ComparisonOperator, StringValueList: values }: Condition): boolean {
	if (Field === 'LAST_MODIFIED')
		throw invalid('Conditions on LAST_MODIFIED are not supported by the embedded Lake Formation');
	const value = Field === 'RESOURCE_ARN' ? registration.arn : registration.roleArn;
	const [first = ''] = values;
	switch (ComparisonOperator) {
		case 'EQ':
			return value === first;
		case 'NE':
			return value !== first;
		case 'CONTAINS':
			return value.includes(first);
		case 'NOT_CONTAINS':
			return !value.includes(first);
		case 'BEGINS_WITH':
			return value.startsWith(first);
		case 'IN':
			return values.includes(value);
		default:
			throw invalid(`The operator ${ComparisonOperator} is not supported by the embedded Lake Formation`);
	}
}

function written({ arn, roleArn, modified, hybrid }: Registration) {
	return { ResourceArn: arn, RoleArn: roleArn, LastModified: epoch(modified), HybridAccessEnabled: hybrid };
}
