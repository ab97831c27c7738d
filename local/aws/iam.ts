/**
 * IAM, as far as roles go: read, made, removed and their trust changed, with the Query protocol's XML. A caller sees
 * the roles of its own account. Policies of identities are not kept, so nothing here tells or asks for them: every
 * operation about them is unknown, and in their place only the platform's own identities and the data lake's
 * administrators change roles. Names and texts: IAM API reference and service model.
 */
import { AwsError, accountOf, type Caller, readToken, writeToken } from '../wire.ts';
import { roleId } from './keys.ts';
import { isAdmin } from './lookup.ts';
import type { State } from './state.ts';
import type { Store } from './store.ts';
import { checkPolicy, policyText, type Role } from './trust.ts';
import { answer, tag, type Xml } from './xml.ts';

type Parameters = ReadonlyMap<string, string>;
type Options = { readonly store: Store; readonly clock: () => Date };
type Call = (caller: Caller, parameters: Parameters, options: Options) => Promise<Xml> | Xml;

export type Iam = (caller: Caller, parameters: Parameters) => Promise<Xml> | Xml;

type Known = { readonly known: readonly string[]; readonly changes?: true; readonly call: Call };

const ALWAYS = ['Action', 'Version'];
const OPERATIONS: Readonly<Record<string, Known>> = {
	GetRole: { known: ['RoleName'], call: getRole },
	ListRoles: { known: ['PathPrefix', 'Marker', 'MaxItems'], call: listRoles },
	CreateRole: { known: ['RoleName', 'Path', 'AssumeRolePolicyDocument'], changes: true, call: createRole },
	DeleteRole: { known: ['RoleName'], changes: true, call: deleteRole },
	UpdateAssumeRolePolicy: { known: ['RoleName', 'PolicyDocument'], changes: true, call: updateTrust },
};

export function makeIam(options: Options): Iam {
	return (caller, parameters) => {
		const action = parameters.get('Action') ?? '';
		const found = Object.hasOwn(OPERATIONS, action) ? OPERATIONS[action] : undefined;
		if (found === undefined) {
			const version = parameters.get('Version') ?? '';
			throw new AwsError('InvalidAction', `Could not find operation ${action} for version ${version}`);
		}
		for (const name of parameters.keys()) {
			if (![...ALWAYS, ...found.known].includes(name)) throw invalid(`${name} is not supported by the embedded IAM`);
		}
		if (found.changes) mustManageRoles(caller, action, nameOf(parameters), options.store.read());
		return found.call(caller, parameters, options);
	};
}

function mustManageRoles(caller: Caller, action: string, name: string, state: State): void {
	if (caller.longLived || isAdmin(state, caller.account, caller.principal)) return;
	const resource = `arn:aws:iam::${caller.account}:role/${name}`;
	const message = `User: ${caller.arn} is not authorized to perform: iam:${action} on resource: ${resource} because no identity-based policy allows the iam:${action} action`;
	throw new AwsError('AccessDenied', message, { status: 403 });
}

function getRole(caller: Caller, parameters: Parameters, { store }: Options): Xml {
	const role = mustFind(store.read(), caller, nameOf(parameters));
	return answer('iam', 'GetRole', `<Role>${written(role)}</Role>`);
}

function listRoles(caller: Caller, parameters: Parameters, { store }: Options): Xml {
	const prefix = parameters.get('PathPrefix') ?? '/';
	const most = Number(parameters.get('MaxItems') ?? '100');
	if (!Number.isInteger(most) || most < 1 || most > 1000) throw invalid('MaxItems must be between 1 and 1000');
	const marker = parameters.get('Marker');
	const start = marker === undefined ? 0 : readToken(marker, () => invalid('Invalid Marker'));
	const all = store
		.read()
		.landing.roles.filter(({ arn }) => accountOf(arn) === caller.account && pathOf(arn).startsWith(prefix));
	const members = all.slice(start, start + most).map((role) => `<member>${written(role)}</member>`);
	const more = start + most < all.length;
	const rest = tag('IsTruncated', String(more)) + (more ? tag('Marker', writeToken(start + most)) : '');
	return answer('iam', 'ListRoles', `<Roles>${members.join('')}</Roles>${rest}`);
}

async function createRole(caller: Caller, parameters: Parameters, { store, clock }: Options): Promise<Xml> {
	const name = nameOf(parameters);
	const path = parameters.get('Path') ?? '/';
	if (!/^\/([\u0021-\u007e]+\/)?$/.test(path)) throw invalid('The specified value for path is invalid.');
	const document = parameters.get('AssumeRolePolicyDocument') ?? '';
	checkPolicy(document);
	const arn = `arn:aws:iam::${caller.account}:role${path}${name}`;
	const role: Role = { arn, trusts: [], document, created: clock().getTime() };
	await store.change((state) => {
		if (find(state, caller, name) !== undefined) {
			throw new AwsError('EntityAlreadyExists', `Role with name ${name} already exists.`, { status: 409 });
		}
		return withRoles(state, [...state.landing.roles, role]);
	});
	return answer('iam', 'CreateRole', `<Role>${written(role)}</Role>`);
}

/** What Lake Formation granted to the role stays: grants attach to its name (service model, DataLakePrincipal). */
async function deleteRole(caller: Caller, parameters: Parameters, { store }: Options): Promise<Xml> {
	await store.change((state) => {
		const { arn } = mustFind(state, caller, nameOf(parameters));
		return withRoles(
			state,
			state.landing.roles.filter((role) => role.arn !== arn),
		);
	});
	return answer('iam', 'DeleteRole');
}

async function updateTrust(caller: Caller, parameters: Parameters, { store }: Options): Promise<Xml> {
	const document = parameters.get('PolicyDocument') ?? '';
	checkPolicy(document);
	await store.change((state) => {
		const { arn } = mustFind(state, caller, nameOf(parameters));
		return withRoles(
			state,
			state.landing.roles.map((role) => (role.arn === arn ? { ...role, document } : role)),
		);
	});
	return answer('iam', 'UpdateAssumeRolePolicy');
}

function withRoles(state: State, roles: Role[]): State {
	return { ...state, landing: { ...state.landing, roles } };
}

function nameOf(parameters: Parameters): string {
	const name = parameters.get('RoleName') ?? '';
	if (!/^[\w+=,.@-]{1,64}$/.test(name)) {
		throw invalid(
			`1 validation error detected: Value '${name}' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+`,
		);
	}
	return name;
}

/** Names of roles are told apart without regard to case (IAM API reference, CreateRole). */
function find(state: State, caller: Caller, name: string): Role | undefined {
	return state.landing.roles.find(
		({ arn }) => accountOf(arn) === caller.account && lastOf(arn).toLowerCase() === name.toLowerCase(),
	);
}

function mustFind(state: State, caller: Caller, name: string): Role {
	const role = find(state, caller, name);
	if (role === undefined)
		throw new AwsError('NoSuchEntity', `The role with name ${name} cannot be found.`, { status: 404 });
	return role;
}

const lastOf = (arn: string) => arn.slice(arn.lastIndexOf('/') + 1);
const pathOf = (arn: string) => arn.slice(arn.indexOf(':role/') + ':role'.length, arn.lastIndexOf('/') + 1);

/** IAM tells times in whole seconds and policies URL-encoded (RFC 3986). */
function written(role: Role): Xml {
	const policy = encodeURIComponent(policyText(role)).replaceAll(
		/[!'()*]/g,
		(char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
	);
	return (
		tag('Path', pathOf(role.arn)) +
		tag('RoleName', lastOf(role.arn)) +
		tag('RoleId', roleId(role.arn)) +
		tag('Arn', role.arn) +
		tag('CreateDate', new Date(role.created).toISOString().replace(/\.\d+Z$/, 'Z')) +
		tag('AssumeRolePolicyDocument', policy) +
		tag('MaxSessionDuration', '3600')
	);
}

function invalid(message: string): AwsError {
	return new AwsError('ValidationError', message);
}
