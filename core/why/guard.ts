/** Bounds on a change of the rules that is tried, before any of it is read. Pure. */
import { BrokerError, type Fault } from '../error.ts';
import { overIn } from '../policy.ts';

/** Rules that one change may name. */
export const MAX_RULES = 50;
/** Bytes of all their texts. */
export const MAX_BYTES = 64 * 1024;

/** Throws `too-large` for texts that are not to be read; of one rule it is what no set may hold. */
export function mustBeSmall(texts: Readonly<Record<string, string | null>>): void {
	const given = Object.entries(texts).flatMap(([id, text]) => (text === null ? [] : [{ id, text }]));
	if (Object.keys(texts).length > MAX_RULES) throw new BrokerError('too-large', `At most ${MAX_RULES} rules.`);
	const bytes = given.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
	if (bytes > MAX_BYTES) throw new BrokerError('too-large', `At most ${MAX_BYTES} bytes of rules.`);
	const errors = given.flatMap(({ id, text }): Fault[] => {
		return overIn(text).map((limit) => ({ pointer: pointerOf(id), detail: `has more than ${limit}` }));
	});
	if (errors.length > 0)
		throw new BrokerError('too-large', 'A rule is too long or too deep; see `errors`.', { errors });
}

/** Where in the body a rule stands. */
export const pointerOf = (id: string) => `/policies/${id.replaceAll('~', '~0').replaceAll('/', '~1')}`;
