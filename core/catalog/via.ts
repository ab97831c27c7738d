/** What is wrong with a view, told to who names it in a query: at its name there, and with nothing that stands inside. */
import { BrokerError } from '../error.ts';
import { bounds, type Position, tooLarge } from '../sql.ts';

/** A view, as the query names it, and where it first does: a place inside a view means nothing to who wrote the query. */
export type Via = { readonly view: string; readonly at: Position };

/** A view whose definition and what it reads do not fit together; the reason names nothing that stands inside. */
export function misfit(via: Via, reason: string, cause?: unknown): BrokerError {
	const members = { view: via.view, ...via.at };
	return new BrokerError('unsupported', `The view \`${via.view}\` cannot be read: ${reason}.`, members, { cause });
}

export function tooDeep({ view, at }: Via): BrokerError {
	const sentence = `The view \`${view}\` cannot be read: views may be at most ${bounds.viewDepth} deep inside each other.`;
	return tooLarge(at, sentence, { view });
}

export function tooLong({ view, at }: Via): BrokerError {
	const most = `the definitions of its views, each as often as it is read, may have at most ${bounds.viewBytes} bytes`;
	return tooLarge(at, `With \`${view}\` the query is too long: written out, ${most}.`, { view });
}

export function tooMany({ view, at }: Via): BrokerError {
	const most = `its views, each as often as it is read, may read at most ${bounds.tables} tables and views`;
	return tooLarge(at, `With \`${view}\` the query reads too much: ${most}.`, { view });
}

export function tooWide({ view, at }: Via): BrokerError {
	const most = `the tables in its views, each as often as it is read, may have at most ${bounds.fields} columns`;
	return tooLarge(at, `With \`${view}\` the query is too wide: ${most}.`, { view });
}
