/**
 * If-Match (RFC 9110 section 13.1.1): what is changed or decided on must be what the caller saw. Of a list of tags one
 * is enough; comparison is strong, so that a weak tag never matches. `*` is refused, for it names no version.
 */
import { BrokerError } from './error.ts';

/** One element of the list; an empty one is let pass (RFC 9110 section 5.6.1.2). A comma may stand inside a tag. */
const element = /[\t ]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")?[\t ]*(?:,|$)/gy;

/** Throws `stale`, with `detail`, unless the header names `current`, the strong tag of what there is; null for nothing. */
export function mustMatch(ifMatch: string, current: string | null, detail: string): void {
	if (ifMatch.trim() === '*') {
		throw new BrokerError('stale', '`*` says nothing of what you saw: send the `ETag` of the version that you read.');
	}
	if (current === null || !tagsOf(ifMatch).includes(current)) throw new BrokerError('stale', detail);
}

/** The tags of a list, each as it is written; none if it is no list of tags. */
function tagsOf(header: string): string[] {
	const elements = [...header.matchAll(element)];
	const whole = elements.map(([text]) => text).join('') === header;
	return whole ? elements.flatMap(([, tag]) => tag ?? []) : [];
}
