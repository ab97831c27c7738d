/** Refusals of the SQL front end: a code of the table, a sentence, and where in the text. */
import { BrokerError, type Code, type Extensions } from '../error.ts';
import type { Position } from './ast.ts';

export function refusal(code: Code, at: Position, detail: string, more: Extensions = {}): BrokerError {
	return new BrokerError(code, detail, { ...more, line: at.line, column: at.column });
}

/** After a switch over a closed union: the compiler proves that nothing gets here. */
export function unreachable(value: never): never {
	throw new BrokerError('internal', 'A case of a closed union was forgotten.', {}, { cause: value });
}

/** This is SQL, but not the part of it that Fairlead reads. */
export function unsupported(at: Position, what: string): BrokerError {
	return refusal('unsupported', at, what);
}

/** This is SQL that Trino would refuse. */
export function invalid(at: Position, what: string): BrokerError {
	return refusal('validation', at, what);
}
