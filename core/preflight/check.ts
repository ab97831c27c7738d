/**
 * What is looked at before anybody is granted anything, and why each of it matters: the closed list behind preflight,
 * the doctor and docs/doctor.md. A finding names where it is, what was found and what to do about it. Pure.
 */
import * as z from 'zod';

export const checks = [
	'table-gone',
	'hidden-rights',
	'iam-allowed-principals',
	'location-not-registered',
	'hybrid-without-opt-in',
	'lf-tags',
	'writer',
	'hidden-partition-key',
	'filter-type',
	'default-permissions',
	'describe-default',
	'trust-policy',
	'filter-quota',
	'expression-length',
	'not-checked',
] as const;
export const Check = z.enum(checks);
export type Check = z.infer<typeof Check>;

/** `blocks`: no grant is made while it stands. `warns`: somebody should look at it. */
export const Severity = z.enum(['blocks', 'warns']);
export type Severity = z.infer<typeof Severity>;

export const Finding = z
	.object({
		check: Check,
		severity: Severity,
		where: z.object({
			account: z.string(),
			database: z.string().nullable(),
			table: z.string().nullable(),
			principal: z.string().nullable(),
		}),
		found: z.string().meta({ description: 'What was found' }),
		why: z.string().meta({ description: 'Why it matters, with the page of AWS that says so' }),
		fix: z.string().meta({ description: 'What to do' }),
	})
	.meta({ id: 'PreflightFinding' });
export type Finding = z.infer<typeof Finding>;
export type Where = Finding['where'];

const lakeformation = (page: string) => `https://docs.aws.amazon.com/lake-formation/latest/dg/${page}.html`;

/** The reason behind each check. */
export const whys: Readonly<Record<Check, string>> = {
	'table-gone': `A grant names cells of a table of the Glue catalog; of what is not there, nothing can be granted or proven (${lakeformation('granting-table-permissions')}).`,
	'hidden-rights': `Lake Formation lists what somebody else holds only to administrators, read-only ones too, and to who may grant it; from anybody else it leaves out rows without a word, and what is not seen is neither judged nor proven (${lakeformation('viewing-permissions')}).`,
	'iam-allowed-principals': `While IAMAllowedPrincipals holds anything on a table, IAM alone decides who reads it, whatever Lake Formation grants (${lakeformation('change-settings')}).`,
	'location-not-registered': `Lake Formation hands out credentials for registered locations only; elsewhere its filters are not enforced (${lakeformation('register-data-lake')}).`,
	'hybrid-without-opt-in': `In hybrid access mode Lake Formation decides only for principals that were opted in; for every other one IAM does (${lakeformation('hybrid-access-mode')}).`,
	'lf-tags': `Grants by LF-Tag add up with grants by name, and data filters cannot be applied where LF-Tags manage the permissions: what a principal sees would be more than what was approved (${lakeformation('lf-tag-considerations')}).`,
	writer: `For a principal that may ALTER, INSERT, DELETE or DROP, a filter on columns has no effect: it reads the whole table (${lakeformation('data-filtering-notes')}).`,
	'hidden-partition-key': `Column filters cannot be applied to partition keys: they are visible to whoever sees the table (${lakeformation('data-filtering-notes')}).`,
	'filter-type': `A row filter on a table with a type that row filters do not support results in an error (${lakeformation('partiql-support')}).`,
	'default-permissions': `Databases and tables made from now on start with these permissions; with IAMAllowedPrincipals among them Lake Formation does not govern them (${lakeformation('change-settings')}).`,
	'describe-default': `Athena wants DESCRIBE on the database \`default\`, where there is one, of whoever queries through Lake Formation (https://docs.aws.amazon.com/athena/latest/ug/lf-athena-limitations.html).`,
	'trust-policy': `Lake Formation grants to the role: whoever may assume it holds every grant made to it, past Fairlead's gate and its record (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).`,
	'filter-quota': `A principal holds at most 100 data filter permissions on one table (${lakeformation('data-filtering-notes')}).`,
	'expression-length': `The expression of a row filter is shorter than 2048 characters (${lakeformation('partiql-support')}).`,
	'not-checked': 'What could not be looked at is not known to be right, and access is never assumed.',
};

/** How much each can weigh, the usual first. */
export const severities = {
	'table-gone': ['blocks'],
	'hidden-rights': ['blocks', 'warns'],
	'iam-allowed-principals': ['blocks'],
	'location-not-registered': ['blocks'],
	'hybrid-without-opt-in': ['blocks', 'warns'],
	'lf-tags': ['blocks'],
	writer: ['blocks', 'warns'],
	'hidden-partition-key': ['blocks'],
	'filter-type': ['blocks', 'warns'],
	'default-permissions': ['warns'],
	'describe-default': ['warns'],
	'trust-policy': ['blocks', 'warns'],
	'filter-quota': ['blocks'],
	'expression-length': ['blocks'],
	'not-checked': ['blocks', 'warns'],
} as const satisfies Readonly<Record<Check, readonly Severity[]>>;

type Told<C extends Check> = {
	readonly severity: (typeof severities)[C][number];
	readonly where: Where;
	readonly found: string;
	readonly fix: string;
};

export function finding<C extends Check>(check: C, told: Told<C>): Finding {
	return { check, ...told, why: whys[check] };
}

/** A place in a catalog, without a principal. */
export function at(account: string, database: string | null = null, table: string | null = null): Where {
	return { account, database, table, principal: null };
}
