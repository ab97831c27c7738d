/** An answer of AWS, or the reason why there is none: what could not be asked is told, never left out. */
import { BrokerError, errorName } from '../error.ts';

export type Unknown = {
	readonly value?: never;
	/** `denied`: Fairlead's role may not ask. `unanswered`: asking again may help. */
	readonly unknown: 'denied' | 'unanswered';
	/** Name of what was thrown. */
	readonly error: string;
};
export type Known<T> = { readonly value: T; readonly unknown?: never } | Unknown;

const DENIED = /^(AccessDenied|Unauthori[sz]ed|Forbidden|NotAuthori[sz]ed)/;

export async function known<T>(ask: () => Promise<T>): Promise<Known<T>> {
	try {
		return { value: await ask() };
	} catch (thrown) {
		const error = errorName(thrown instanceof BrokerError && thrown.cause !== undefined ? thrown.cause : thrown);
		return { unknown: DENIED.test(error) ? 'denied' : 'unanswered', error };
	}
}

export const isKnown = <T>(answer: Known<T>): answer is { readonly value: T } => answer.unknown === undefined;

/** The answer, or what stands for it until there is one. */
export const valueOr = <T>(answer: Known<T>, otherwise: T): T => (isKnown(answer) ? answer.value : otherwise);
