/**
 * Where an assumption about AWS is tried: a catalog with three small tables, its data lake administrator, a principal
 * that is granted things, and a list of what to undo. The same scripts run on a real account and on the embedded AWS.
 *
 * Everything made is named fl-live-* or, where AWS takes no hyphen, fl_live_*, and is undone at the end, in reverse, also
 * after a failure; what could not be undone is told by its name.
 */
import type { AthenaClient } from '@aws-sdk/client-athena';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { GlueClient } from '@aws-sdk/client-glue';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { LakeFormationClient } from '@aws-sdk/client-lakeformation';

export type Clients = {
	readonly lakeformation: LakeFormationClient;
	readonly glue: GlueClient;
	readonly athena: AthenaClient;
};

export type Stage = {
	readonly region: string;
	/** The account of the catalog, and of the principal. */
	readonly account: string;
	readonly database: string;
	/** Tables of `sample.sql`. */
	readonly tables: { readonly rows: string; readonly plain: string; readonly parts: string };
	/** A role that holds no permission of Lake Formation but DESCRIBE on `default`, and may use Athena. */
	readonly principal: string;
	readonly workGroup: string;
	/** The role of the administrator, who grants himself what a script needs. */
	readonly administrator: string;
	/** As a data lake administrator of the account. */
	readonly admin: Clients & { readonly iam: IAMClient };
	/** As the principal; with session tags, when asked. */
	readonly as: (tags?: Readonly<Record<string, string>>) => Promise<Clients>;
	/** As the administrator. */
	readonly dynamodb: DynamoDBClient;
	/** As a role that has dynamodb:PartiQLInsert alone; null where there is none. */
	readonly inserter: DynamoDBClient | null;
	/** How long to look again before what is seen counts, and how often. */
	readonly patienceMs: number;
	readonly everyMs: number;
	/** Called at the end, the last first. */
	readonly undo: (what: string, step: () => Promise<unknown>) => void;
};

export type Answer = boolean | number | string | null | readonly Answer[] | { readonly [name: string]: Answer };
export type Seen = Readonly<Record<string, Answer>>;

export type Assumption = {
	/** As `npm run live -- <name>` has it. */
	readonly name: string;
	readonly question: string;
	/** What the code rests on, member by member. */
	readonly assumed: Seen;
	/** Members that the embedded AWS cannot show, and why. */
	readonly liveOnly?: Readonly<Record<string, string>>;
	/** `measured` is told, and compared with nothing. */
	readonly observe: (stage: Stage) => Promise<{ readonly observed: Seen; readonly measured?: Seen }>;
};

export type Verdict = {
	readonly name: string;
	readonly question: string;
	readonly assumed: Seen;
	readonly observed: Seen;
	readonly measured: Seen;
	readonly notTried: Readonly<Record<string, string>>;
	readonly agrees: boolean;
	/** What the script made and could not remove. */
	readonly left: readonly string[];
};

/** Runs one script and undoes what it made. */
export async function settle(
	assumption: Assumption,
	open: (undo: Stage['undo']) => Promise<Stage>,
	embedded: boolean,
): Promise<Verdict> {
	const steps: { what: string; step: () => Promise<unknown> }[] = [];
	const left: string[] = [];
	const { name, question } = assumption;
	const notTried = embedded ? (assumption.liveOnly ?? {}) : {};
	const assumed = Object.fromEntries(Object.entries(assumption.assumed).filter(([member]) => !(member in notTried)));
	const stage = await open((what, step) => steps.push({ what, step }));
	try {
		const { observed, measured = {} } = await assumption.observe(stage);
		const seen = Object.fromEntries(Object.entries(observed).filter(([member]) => !(member in notTried)));
		const agrees = isSame(seen, assumed);
		return { name, question, assumed, observed: seen, measured, notTried, agrees, left };
	} finally {
		for (const { what, step } of steps.toReversed()) await step().catch(() => left.push(what));
	}
}

export function isSame(one: Answer, other: Answer): boolean {
	return JSON.stringify(ordered(one)) === JSON.stringify(ordered(other));
}

function ordered(value: Answer): Answer {
	if (Array.isArray(value)) return value.map((each) => ordered(each as Answer));
	if (typeof value !== 'object' || value === null) return value;
	const members = Object.entries(value as Seen).toSorted(([a], [b]) => (a < b ? -1 : 1));
	return Object.fromEntries(members.map(([name, inner]) => [name, ordered(inner)]));
}
