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

/** There is more of it than a bound lets in: the sentence names the number. */
export function tooLarge(at: Position, what: string, more: Extensions = {}): BrokerError {
	return refusal('too-large', at, what, more);
}

/** A name of a column, table or window, as messages write it. */
export function ticked(...parts: readonly string[]): string {
	return `\`${parts.join('.')}\``;
}

/** A list of names that is not as long as what it names. */
export function wrongList(at: Position, names: number, columns: number): BrokerError {
	return invalid(at, `The list has ${names} names, and there are ${columns} columns.`);
}

/** The parts of a set operation that have not as many columns. */
export function wrongWidth(at: Position, before: number, after: number): BrokerError {
	return invalid(at, `There are ${before} columns before, and ${after} after.`);
}

/** This is SQL that Trino would refuse. */
export function invalid(at: Position, what: string): BrokerError {
	return refusal('validation', at, what);
}
