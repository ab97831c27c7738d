/**
 * Access templates: what the owner of a product suggests to ask for, by name, in `accessTemplates` of the contract. They
 * give no access, and no rule looks at them: a request that names one is the request that they spell out. So they are
 * held to what such a request is held to: tables and columns of the contract, filters that Lake Formation takes, a purpose
 * that the contract allows and the bank governs. Refused at publication only; a contract that was stored with others than
 * these has none.
 */
import { end as durationEnd, parse as parseDuration } from 'iso8601-duration';
import * as z from 'zod';
import { isRefusal } from '../error.ts';
import type { Parser } from '../parser.ts';
import { invalidAsFilter, rowFilterOf } from '../rowfilter.ts';
import { descendants, type Expression } from '../sql.ts';
import { type Need, needs } from './needs.ts';
import { at, custom, customPath, isView, list, physicalName } from './rules.ts';
import type { Path } from './text.ts';
import type { Contract, ContractTable } from './view.ts';

/** No access is for ever, whatever was asked. */
export const LONGEST_DAYS = 366;
const MOST_TEMPLATES = 20;
const NAME = 'accessTemplates';

const size = needs['template-size'];
const text = z.string(needs['text-value']);
const Id = text.regex(/^[a-z][a-z0-9_-]{0,62}$/, needs['template-id']);
const Name = text.min(1, needs['not-blank']).max(255, size);

const TemplateTable = z.strictObject(
	{
		table: Name,
		columns: z.array(Name, needs.template).min(1, needs.columns).max(1000, size),
		rowFilter: text.min(1, needs['not-blank']).max(10_000, size).optional(),
	},
	needs.template,
);

export const AccessTemplate = z
	.strictObject(
		{
			id: Id,
			name: text.trim().regex(/./, needs['not-blank']).max(80, size),
			description: text.max(2000, size).optional(),
			tables: z.array(TemplateTable, needs.template).min(1, needs.tables).max(50, size),
			purpose: Id.optional().meta({ description: 'Asked for unless the template has none' }),
			duration: text
				.max(40, size)
				.refine(isDuration, needs['template-duration'])
				.optional()
				.meta({ description: 'ISO 8601; whoever asks may name a shorter one' }),
		},
		needs.template,
	)
	.meta({ id: 'AccessTemplate', description: 'What may be asked for by name; it gives no access' });
export type AccessTemplate = z.infer<typeof AccessTemplate>;

export const AccessTemplates = z.array(AccessTemplate, needs.template).max(MOST_TEMPLATES, size);

/** Longer than nothing, and at most as long as anything is granted for, whenever it begins. */
function isDuration(written: string): boolean {
	const from = new Date(Date.UTC(2000, 0, 1));
	try {
		const days = (durationEnd(parseDuration(written), from).getTime() - from.getTime()) / 86_400_000;
		return days > 0 && days <= LONGEST_DAYS;
	} catch {
		return false;
	}
}

/** Those of a document that was read before; none where they are not what templates are. */
export function templatesOf(written: unknown): AccessTemplate[] {
	return AccessTemplates.safeParse(written ?? []).data ?? [];
}

/** The list as it was written, and where it stands; null where there is none. */
export function templatesIn(document: unknown): { readonly path: Path; readonly value: unknown } | null {
	const path = customPath(document, NAME);
	return path === undefined ? null : { path, value: at(document, path) };
}

/** A part of the document that does not fit another. */
export type Unfit = { readonly path: Path; readonly need: Need };

/** What must hold between templates and the rest of the contract, read with tolerance. */
export function unfitIn(document: Readonly<Record<string, unknown>>): Unfit[] {
	const found = templatesIn(document);
	if (found === null) return [];
	const seen = new Set<unknown>();
	return list(found.value).flatMap((template, i) => {
		const path = [...found.path, i];
		const id = at(template, ['id']);
		const again = typeof id === 'string' && seen.has(id);
		seen.add(id);
		return [
			...(again ? [{ path: [...path, 'id'], need: 'template-once' as const }] : []),
			...tablesUnfit(document, template, path),
			...purposeUnfit(document, template, path),
		];
	});
}

function purposeUnfit(document: Readonly<Record<string, unknown>>, template: unknown, path: Path): Unfit[] {
	const purpose = at(template, ['purpose']);
	if (purpose === undefined || list(custom(document, 'purposes')).includes(purpose)) return [];
	return [{ path: [...path, 'purpose'], need: 'template-purpose' }];
}

function tablesUnfit(document: Readonly<Record<string, unknown>>, template: unknown, path: Path): Unfit[] {
	const tables = list(document['schema']);
	const seen = new Set<unknown>();
	return list(at(template, ['tables'])).flatMap((asked, k): Unfit[] => {
		const here = [...path, 'tables', k];
		const name = at(asked, ['table']);
		const again = seen.has(name);
		seen.add(name);
		if (typeof name !== 'string') return [];
		const table = tables.find((t) => physicalName(t) === name);
		if (again || table === undefined || isView(table)) return [{ path: [...here, 'table'], need: 'template-table' }];
		return columnsUnfit(table, list(at(asked, ['columns'])), [...here, 'columns']);
	});
}

/** Lake Formation cannot hide partition keys, so no request without them is taken. */
function columnsUnfit(table: unknown, asked: readonly unknown[], path: Path): Unfit[] {
	const columns = list(at(table, ['properties']));
	const names = columns.map(physicalName);
	const found = asked.flatMap((name, c): Unfit[] =>
		typeof name !== 'string' || (names.includes(name) && asked.indexOf(name) === c)
			? []
			: [{ path: [...path, c], need: 'template-column' }],
	);
	const keys = columns.filter((c) => at(c, ['partitioned']) === true).map(physicalName);
	const hidden = asked.length > 0 && keys.some((key) => !asked.includes(key));
	return hidden ? [...found, { path, need: 'template-partition' }] : found;
}

/** A place of the document, what is wrong with it, and the need that it is against. */
export type Misfit = { readonly path: readonly (string | number)[]; readonly detail: string; readonly rule: Need };

/** What can only be told with the parser and the governed purposes at hand. */
export async function templateMisfits(
	parser: Pick<Parser, 'expression'>,
	{ document, accessTemplates, tables }: Contract,
	governed: readonly string[],
	personal: (table: ContractTable) => { readonly has: (column: string) => boolean },
): Promise<Misfit[]> {
	const base = (templatesIn(document)?.path ?? []) as Misfit['path'];
	const found: Misfit[] = [];
	for (const [i, template] of accessTemplates.entries()) {
		if (template.purpose !== undefined && !governed.includes(template.purpose)) {
			const detail = 'not in the governed purpose list; see GET /purposes';
			found.push({ path: [...base, i, 'purpose'], detail, rule: 'template-purpose' });
		}
		for (const [k, { table, rowFilter }] of template.tables.entries()) {
			const of = tables.find((t) => t.name === table);
			if (rowFilter === undefined || of === undefined) continue;
			const fault = await faultOf(parser, rowFilter, of, personal(of));
			if (fault !== null) found.push({ path: [...base, i, 'tables', k, 'rowFilter'], ...fault });
		}
	}
	return found;
}

async function faultOf(
	parser: Pick<Parser, 'expression'>,
	filter: string,
	{ columns }: ContractTable,
	ever: { readonly has: (column: string) => boolean },
): Promise<Pick<Misfit, 'detail' | 'rule'> | null> {
	try {
		const written = await parser.expression(filter).catch(invalidAsFilter);
		rowFilterOf(written, columns);
		const compared = new Set(comparedIn(written));
		const told = columns.find((c) => compared.has(c.name.toLowerCase()) && (c.personal || ever.has(c.name)));
		return told === undefined
			? null
			: { detail: `${told.name}: ${needs['template-personal']}`, rule: 'template-personal' };
	} catch (error) {
		if (!isRefusal(error)) throw error;
		return { detail: error.message, rule: 'template-filter' };
	}
}

/**
 * Names of the columns that a filter, as it is written, compares with constants: one that means less than it says is
 * published with all it says. Whether there is a value tells nothing of it.
 */
function comparedIn(written: Expression): string[] {
	const compares = new Set<Expression['kind']>(['compare', 'between', 'like', 'in-list']);
	return [...descendants(written)]
		.filter(({ kind }) => compares.has(kind))
		.flatMap((comparison) => [...descendants(comparison)])
		.flatMap((e) => (e.kind === 'column' ? (e.parts[0] ?? []) : []));
}
