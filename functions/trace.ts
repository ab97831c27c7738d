/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/#traceparent-header): the trace a caller is in goes on here,
 * in problems, log lines and ledger entries. What does not parse is ignored, as the recommendation asks, and a new
 * trace begins.
 */

export type Trace = {
	/** 32 hex digits: the whole journey. */
	readonly id: string;
	/** 16 hex digits: our part of it. */
	readonly span: string;
	/** The caller's part, or null where the trace begins here. */
	readonly parent: string | null;
	/** Sampled and other flags, passed on as they came. */
	readonly flags: string;
};

const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** `random` gives as many strong random bytes as asked for. */
export function traceOf(traceparent: string | undefined, random: (bytes: number) => Uint8Array): Trace {
	const [, version, id, parent, flags, more] = shape.exec(traceparent ?? '') ?? [];
	const span = hex(random(8));
	const known = version !== undefined && version !== 'ff' && (version !== '00' || more === undefined);
	if (!known || id === undefined || parent === undefined || flags === undefined || blank(id) || blank(parent)) {
		return { id: hex(random(16)), span, parent: null, flags: '00' };
	}
	return { id, span, parent, flags };
}

/** The header for whoever continues the trace after us. */
export function traceparentOf({ id, span, flags }: Trace): string {
	return `00-${id}-${span}-${flags}`;
}

const blank = (id: string) => /^0+$/.test(id);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
