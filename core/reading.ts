/**
 * Who looked: what somebody reads by virtue of an office is recorded before it is shown.
 *
 * Which readings are, the rules say: those that a permit marked `@recorded` determines (core/policy/noted.ts). Each is one
 * entry on a stream of its own, so that any number of readers wait for nobody: one insert, never a conflict. Where it
 * cannot be written, nothing is shown. A crash after it leaves the record of an answer that never arrived.
 */

import type * as z from 'zod';
import { actorOf, type Context } from './context.ts';
import { BrokerError, type Code } from './error.ts';
import { AnyId, newId, ProductId, Slug } from './id.ts';
import * as Ledger from './ledger.ts';
import type { Noted } from './policy.ts';

type Ctx = Pick<Context, 'aws' | 'config' | 'clock' | 'random' | 'trace' | 'warn' | 'caller' | 'now'>;

/** What was asked: by query, path, and what a body says of what it wants to know. */
export type Asked = {
	readonly parameters: Readonly<Record<string, string>>;
	/** Names of those whose every value stands in the API description. */
	readonly declared: readonly string[];
};

/** What whoever answers counted, and entries of the ledger. */
export type Shown = {
	readonly count: number;
	readonly entries?: Ledger.BodyOf<'RecordsRead'>['entries'];
};

/** A call that is about to be answered. */
export type Look = {
	readonly operation: string;
	readonly asked: Asked;
	/** Id of the HTTP request. */
	readonly request: string;
	/** Absent where it follows from what was asked of the rules. */
	readonly shown?: Shown;
	/** Code of the refusal that is the answer. */
	readonly refused?: Code;
};

/** The id of a thing that stands for a listing: that it was looked at, whatever stood in it. */
export const LISTING = 'listing';

const MOST_THINGS = 1000;

/** Records what is about to be shown. Throws `unavailable` where that cannot be done: then it must not be shown. */
export async function record(ctx: Ctx, noted: readonly Noted[], look: Look): Promise<void> {
	try {
		const id = newId('reading', ctx);
		const { body, pii } = entryOf(id, noted, look);
		const roles = ctx.caller.roles.map(({ domain, role }) => `${domain}/${role}`).toSorted();
		await Ledger.append(ctx, {
			stream: Ledger.stream.reading(id),
			after: null,
			actor: actorOf(ctx),
			body: { ...body, reader: actorOf(ctx), roles },
			...(pii === null ? {} : { pii }),
		});
	} catch (cause) {
		const detail = 'That you read this could not be recorded, so it is not shown; try again.';
		throw new BrokerError('unavailable', detail, {}, { cause });
	}
}

/** What an entry says of it, whoever read. Pure. */
export function entryOf(reading: string, noted: readonly Noted[], look: Look) {
	const whole = noted.filter(({ resource }) => resource.type !== 'Fairlead::Mesh');
	const ids = new Set(whole.map(({ resource }) => resource.id).filter((id) => id !== LISTING));
	const shown = look.refused === undefined ? (look.shown?.count ?? (whole.length === 0 ? null : ids.size)) : null;
	const { parameters, declared } = look.asked;
	const asked = Object.entries(parameters).filter(([name]) => name !== 'pageToken');
	const isClear = ([name, value]: [string, string]) =>
		declared.includes(name) || isClosed(value) || ((shown ?? 0) > 0 && isName(name, value));
	const free = asked.filter((one) => !isClear(one));
	return {
		body: {
			type: 'RecordsRead' as const,
			reading,
			operation: look.operation,
			asked: Object.fromEntries(asked.filter(isClear)),
			things: [...ids].toSorted().slice(0, MOST_THINGS),
			...(shown === null ? {} : { shown }),
			...(look.shown?.entries === undefined ? {} : { entries: look.shown.entries }),
			...(look.refused === undefined ? {} : { refused: look.refused }),
			rules: {
				policies: [...new Set(noted.flatMap(({ policies }) => policies))].toSorted(),
				setHash: noted[0]?.setHash ?? '',
			},
			request: look.request,
		},
		pii: free.length === 0 ? null : { asked: Object.fromEntries(free) },
	};
}

/** Numbers, instants and ids: what has no room for a word. */
const isClosed = (value: string) => numeric.test(value) || AnyId.safeParse(value).success;
const numeric = /^(\d{1,9}|\d{4}-\d\d-\d\dT[\d:.]{5,12}Z)$/;

/**
 * A name by which a thing was found. Anybody can write one that is not there, of words as he likes; one that is there was
 * given by those who made it.
 */
const isName = (name: string, value: string) => names.get(name)?.safeParse(value).success ?? false;
const names: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
	['domain', Slug],
	['product', ProductId],
	['stream', Ledger.StreamName],
]);

/** Room for streams and versions in an entry, beside all else that it holds. */
const SPANS_BYTES = 40 * 1024;

/** Entries of the ledger that are shown: which, and a hash that binds what they held. Pure. */
export function ofEntries(items: readonly Ledger.Stored[]): Shown {
	const spans: { stream: string; from: number; to: number }[] = [];
	// A version that is none is told of by verification; here it would keep the rest from being recorded, and so shown.
	for (const { stream, ver } of items.filter((item) => Number.isSafeInteger(item.ver) && item.ver > 0)) {
		const last = spans.at(-1);
		if (last?.stream === stream && last.to + 1 === ver) last.to = ver;
		else spans.push({ stream, from: ver, to: ver });
	}
	const leaves = Ledger.sha256(Buffer.concat(items.map(({ leaf }) => Buffer.from(leaf, 'hex'))));
	return { count: items.length, entries: { spans: within(SPANS_BYTES, spans), leaves } };
}

/** The first of them, as far as there is room. */
function within<T>(bytes: number, all: readonly T[]): T[] {
	const kept: T[] = [];
	let left = bytes;
	for (const one of all) {
		left -= Buffer.byteLength(JSON.stringify(one)) + 1;
		if (left < 0) break;
		kept.push(one);
	}
	return kept;
}
