/**
 * Reports: what flowed, over a period, with the evidence for each line. Asking for one is itself recorded.
 * Regulators see every consumer's flows of a product, its owners and privacy officers too; a consumer sees those of his
 * own domains.
 */

import { pipeline, Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import * as z from 'zod';
import * as Catalog from './catalog.ts';
import { actorOf, type Context, holds } from './context.ts';
import { BrokerError } from './error.ts';
import { idOf, newId, ProductId, Slug } from './id.ts';
import * as Ledger from './ledger.ts';
import { authorize, Entity, notFound, reveal } from './policy.ts';
import { FlowRow, flowRows, type Selection } from './report/flows.ts';

export const ReportBody = z
	.strictObject({
		kind: z.literal('flows'),
		product: ProductId,
		from: z.iso.datetime().optional().meta({ description: '31 days before `until` if absent' }),
		until: z.iso.datetime().optional().meta({ description: 'Now if absent; never later' }),
	})
	.meta({ id: 'ReportBody' });
export type ReportBody = z.infer<typeof ReportBody>;

export const ReportView = z
	.object({
		id: idOf('report'),
		kind: z.literal('flows'),
		product: ProductId,
		from: z.iso.datetime(),
		until: z.iso.datetime(),
		requestedAt: z.iso.datetime(),
		view: z.object({ all: z.boolean(), consumerDomains: z.array(Slug) }),
		leaf: Ledger.Hash.meta({ description: 'Ledger entry that records the asking' }),
	})
	.meta({ id: 'Report' });
export type ReportView = z.infer<typeof ReportView>;

export const ReportContent = z.object({ report: ReportView, rows: z.array(FlowRow) }).meta({ id: 'ReportContent' });

const MAX_DAYS = 366;

/** Records the asking and fixes the selection: the same report later has the same period and the same view. */
export async function request(ctx: Context, body: ReportBody): Promise<ReportView> {
	const product = await Catalog.get(ctx, body.product);
	if (product === null) throw notFound();
	const resource = Entity.product(Catalog.factsOf(product), ctx.config.governance);
	reveal(ctx, 'viewProduct', resource);
	const permit = authorize(ctx, 'requestReport', resource);
	const id = newId('report', ctx);
	const recorded = await Ledger.append(ctx, {
		stream: Ledger.stream.report(id),
		after: null,
		actor: actorOf(ctx),
		body: {
			type: 'ReportRequested',
			report: id,
			kind: 'flows',
			product: product.id,
			...period(body, ctx.now),
			requester: actorOf(ctx),
			view: viewFor(ctx, product.domain),
			rules: permit.rules,
		},
	});
	return viewOf(Ledger.as(recorded, 'ReportRequested'));
}

function period(body: ReportBody, now: Date): { from: string; until: string } {
	const until = body.until === undefined || new Date(body.until) > now ? now : new Date(body.until);
	const from = body.from === undefined ? new Date(until.getTime() - 31 * 86_400_000) : new Date(body.from);
	const days = (until.getTime() - from.getTime()) / 86_400_000;
	if (!(days > 0 && days <= MAX_DAYS && from.getUTCFullYear() >= 2000)) {
		const errors = [{ pointer: '/from', detail: `must be before \`until\`, at most ${MAX_DAYS} days, from 2000 on` }];
		throw new BrokerError('validation', 'The period is not valid.', { errors });
	}
	return { from: from.toISOString(), until: until.toISOString() };
}

function viewFor(ctx: Context, productDomain: string): ReportView['view'] {
	const all =
		holds(ctx.caller, ctx.config.governance, 'regulator') ||
		holds(ctx.caller, productDomain, 'owner') ||
		holds(ctx.caller, productDomain, 'privacy-officer');
	const own = ctx.caller.roles.filter((m) => m.role === 'consumer').map((m) => m.domain);
	return { all, consumerDomains: all ? [] : [...new Set(own)] };
}

/** The view of the asking, as far as the caller still has it: who lost a role since does not see what it showed. */
async function narrowed(ctx: Context, report: ReportView): Promise<ReportView['view']> {
	const product = await Catalog.get(ctx, report.product);
	const now = viewFor(ctx, product?.domain ?? '');
	if (report.view.all) return now;
	const still = ctx.caller.roles.filter((m) => m.role === 'consumer').map((m) => m.domain);
	return { all: false, consumerDomains: report.view.consumerDomains.filter((d) => still.includes(d)) };
}

/** The report with this id, if the caller asked for it. */
export async function find(ctx: Context, id: string): Promise<ReportView> {
	const recorded = await Ledger.last(ctx, Ledger.stream.report(id), 'ReportRequested');
	if (recorded === null) throw notFound();
	reveal(ctx, 'viewReport', Entity.report(id, recorded.body.requester, ctx.config.governance));
	return viewOf(recorded);
}

function viewOf({ body, entry, leaf }: Ledger.Recorded<'ReportRequested'>): ReportView {
	const { report: id, kind, product, from, until, view } = body;
	return { id, kind, product, from, until, requestedAt: entry.at, view, leaf };
}

async function* rows(ctx: Context, report: ReportView): AsyncGenerator<FlowRow> {
	const { product, until } = report;
	const view = await narrowed(ctx, report);
	// Nothing flowed before the product was first published: days before that are not asked for.
	const published = (await Catalog.versions(ctx, product))[0]?.createdAt ?? report.from;
	const from = published > report.from ? published : report.from;
	const selection: Selection = { product, from, until, consumerDomains: view.all ? null : view.consumerDomains };
	yield* flowRows(ctx, selection);
}

/** The content as JSON, streamed. */
export async function* json(ctx: Context, report: ReportView): AsyncGenerator<string> {
	yield `{"report":${JSON.stringify(report)},"rows":[`;
	let first = true;
	for await (const row of rows(ctx, report)) {
		yield `${first ? '' : ','}\n${JSON.stringify(row)}`;
		first = false;
	}
	yield ']}\n';
}

/** The same rows as CSV, streamed, safe to open in a spreadsheet (OWASP ASVS 5.0, 1.2.10). */
export function csv(ctx: Context, report: ReportView): AsyncIterable<string> {
	const flat = async function* () {
		for await (const row of rows(ctx, report)) yield flatten(row);
	};
	const lines = stringify({ header: true, columns: [...csvColumns], escape_formulas: true });
	// A failure midway destroys `lines` with it, so the reader of the text sees that it broke off.
	pipeline(Readable.from(flat()), lines, () => {});
	return lines;
}

const csvColumns = [
	'flow',
	'at',
	'state',
	'consumerDomain',
	'person',
	'principal',
	'purpose',
	'legalBasis',
	'product',
	'table',
	'columns',
	'rowFilters',
	'rowsDelivered',
	'bytesScanned',
	'execution',
	'leaf',
	'entitlementVersion',
	'entitlementLeaf',
	'grants',
	'grantLeaves',
	'decisions',
	'decidedBy',
	'decisionLeaves',
	'requests',
	'requestLeaves',
	'contractVersion',
	'contractHash',
	'contractLeaf',
	'unknown',
] as const;

function flatten(row: FlowRow): Record<(typeof csvColumns)[number], unknown> {
	const list = (values: readonly (string | null)[]) => values.map((v) => v ?? '').join(' ');
	return {
		...row,
		columns: list(row.columns.map((c) => c.name)),
		rowFilters: row.rowFilters.map((f) => f ?? 'all rows').join('; '),
		entitlementVersion: row.entitlement.version,
		entitlementLeaf: row.entitlement.leaf,
		grants: list(row.grants.map((g) => g.id)),
		grantLeaves: list(row.grants.map((g) => g.leaf)),
		decisions: list(row.decisions.map((d) => d.id)),
		decidedBy: list(row.decisions.map((d) => `${d.by}:${d.as}:${d.verdict}`)),
		decisionLeaves: list(row.decisions.map((d) => d.leaf)),
		requests: list(row.requests.map((r) => r.id)),
		requestLeaves: list(row.requests.map((r) => r.leaf)),
		contractVersion: row.contract?.version ?? '',
		contractHash: row.contract?.hash ?? '',
		contractLeaf: row.contract?.leaf ?? '',
		unknown: row.unknown.join('; '),
	};
}
