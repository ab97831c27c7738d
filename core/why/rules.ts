/** The rules in force as people read them: plain words are the comment at the head of a rule's file. */
import * as z from 'zod';
import type { PolicySet } from '../context.ts';
import { Slug } from '../id.ts';
import { type Rule, rulesIn } from '../policy.ts';

export const RuleBrief = z
	.object({
		id: z.string().meta({ description: 'As decisions and the ledger name it', example: 'no-self-approval' }),
		domain: Slug.nullable().meta({ description: 'Whose rule it is, for its own products; null for one of the mesh' }),
		effect: z.enum(['permit', 'forbid']),
		title: z.string().meta({ description: 'What it says, in plain words' }),
	})
	.meta({ id: 'RuleBrief' });
export type RuleBrief = z.infer<typeof RuleBrief>;

export const RuleView = RuleBrief.extend({
	actions: z.array(z.string()).meta({ description: 'What it speaks of; none named is everything' }),
	text: z.string().meta({ description: 'Cedar, as it stands in its file' }),
	annotations: z.record(z.string(), z.string()).meta({
		description:
			'`requires`: the role that must approve; `approvers`: how many of them. `about` and `advice`: the part of the request or contract that it refuses, and what to change. `problem`: the code of the refusal. `recorded`: what it lets somebody read is recorded before it is shown',
	}),
}).meta({ id: 'Rule' });
export type RuleView = z.infer<typeof RuleView>;

/** A set is read once. */
const read = new WeakMap<PolicySet, ReadonlyMap<string, RuleView>>();

/** Every rule of a set, by id, in the order of their ids. */
export function rulesOf(set: PolicySet): ReadonlyMap<string, RuleView> {
	const known = read.get(set) ?? new Map(inOrder(set).map((rule) => [rule.id, viewOf(rule, set.texts[rule.id] ?? '')]));
	read.set(set, known);
	return known;
}

const inOrder = (set: PolicySet) => rulesIn(set).toSorted((a, b) => (a.id < b.id ? -1 : 1));

function viewOf({ id, json, actions }: Rule, text: string): RuleView {
	return {
		id,
		domain: domainOf(id),
		effect: json.effect,
		title: headOf(text) ?? id,
		actions: actions?.toSorted() ?? [],
		text,
		annotations: { ...json.annotations },
	};
}

/** A domain's own rules bear its name before a slash. */
export const domainOf = (id: string) => (id.includes('/') ? (id.split('/')[0] ?? null) : null);

export function briefOf(rule: RuleView): RuleBrief {
	const { id, domain, effect, title } = rule;
	return { id, domain, effect, title };
}

/** The comment that a text begins with, as one paragraph; null where there is none. */
export function headOf(text: string): string | null {
	const [head = ''] = /^(?:\s*\/\/[^\n\r]*)*/.exec(text) ?? [];
	const words = head
		.split(/[\n\r]+/)
		.map((line) => line.trim().replace(/^\/\/\s*/, ''))
		.filter(Boolean);
	return words.length === 0 ? null : words.join(' ');
}
