/**
 * Grants and revocations, alone or as entries of a batch, some of which are refused before Lake Formation looks at
 * them: a request is refused as a whole, an entry of a batch is told as a failure beside those that were served
 * (BatchGrantPermissions: HTTP 200 with `Failures`).
 */
import type { AwsError, Caller } from '../wire.ts';
import type { Service } from './protocol.ts';

/** One request that was authenticated. A client's retries of it have the same `id`. */
export type Call = {
	readonly service: Service;
	readonly operation: string;
	readonly caller: Caller;
	readonly input: unknown;
	readonly id: string;
	readonly accessKeyId: string;
};

/** `done`: the entry is served and told as a failure all the same. */
export type Refused = { readonly error: AwsError; readonly done: boolean };
export type Screen = (call: Call, entry: unknown) => Refused | undefined;

const BATCHES = new Set(['BatchGrantPermissions', 'BatchRevokePermissions']);
const SINGLES = new Set(['GrantPermissions', 'RevokePermissions']);

/** Whether the call changes who holds what. */
export function changesPermissions({ service, operation }: Call): boolean {
	return service === 'lakeformation' && (BATCHES.has(operation) || SINGLES.has(operation));
}

/** Serves the call without what the screens refuse. */
export async function screened(
	call: Call,
	screens: readonly Screen[],
	run: (input: unknown) => Promise<object> | object,
): Promise<object> {
	if (!changesPermissions(call)) return await run(call.input);
	const verdict = (entry: unknown) => {
		for (const screen of screens) {
			const refused = screen(call, entry);
			if (refused !== undefined) return refused;
		}
		return undefined;
	};
	if (BATCHES.has(call.operation)) return await batch(call.input, verdict, run);
	const refused = verdict(call.input);
	if (refused !== undefined && !refused.done) throw refused.error;
	const output = await run(call.input);
	if (refused !== undefined) throw refused.error;
	return output;
}

async function batch(
	input: unknown,
	verdict: (entry: unknown) => Refused | undefined,
	run: (input: unknown) => Promise<object> | object,
): Promise<object> {
	const entries = member(input, 'Entries');
	if (!Array.isArray(entries)) return await run(input);
	const judged = entries.map((entry: unknown) => ({ entry, refused: verdict(entry) }));
	const failures = judged.flatMap(({ entry, refused }) =>
		refused === undefined
			? []
			: [{ RequestEntry: entry, Error: { ErrorCode: refused.error.code, ErrorMessage: refused.error.message } }],
	);
	if (failures.length === 0) return await run(input);
	const left = judged.filter(({ refused }) => refused?.done !== false).map(({ entry }) => entry);
	const output = left.length === 0 ? {} : await run({ ...(input as object), Entries: left });
	const told = member(output, 'Failures');
	const ids = new Set(failures.map(({ RequestEntry }) => member(RequestEntry, 'Id')));
	const others = Array.isArray(told) ? told.filter((one) => !ids.has(member(member(one, 'RequestEntry'), 'Id'))) : [];
	return { ...output, Failures: [...others, ...failures] };
}

/** A member of something that came over the wire; undefined where there is none. */
export function member(value: unknown, name: string): unknown {
	return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** The table that an entry's resource lies on, as a key; undefined for what lies on no single table. */
export function tableOf(entry: unknown, caller: Caller): string | undefined {
	const resource = member(entry, 'Resource');
	const table = member(resource, 'Table') ?? member(resource, 'TableWithColumns');
	const filter = member(resource, 'DataCellsFilter');
	const account = member(table, 'CatalogId') ?? member(filter, 'TableCatalogId') ?? caller.account;
	const name = member(table, 'Name') ?? member(filter, 'TableName');
	if (typeof name !== 'string') return undefined;
	return JSON.stringify([account, (table ?? filter) && member(table ?? filter, 'DatabaseName'), name]);
}
