/**
 * Data contracts: the Open Data Contract Standard document (v3) that describes one data product, read into what
 * Fairlead needs of it. Pure: the same text always gives the same contract or the same list of faults, all of them
 * at once, each with its JSON pointer, its line and the rule that it is against. The document is kept as written.
 * The standard: https://bitol-io.github.io/open-data-contract-standard/v3.1.0/
 */
import type * as z from 'zod';
import { needOf, needs } from './contract/needs.ts';
import { OpenDataContract } from './contract/odcs.ts';
import { at, needed, ruleFaults } from './contract/rules.ts';
import { ContractDocument } from './contract/schema.ts';
import { AccessTemplates, templatesIn, unfitIn } from './contract/templates.ts';
import { type ContractFault, faultAt, invalid, type Path, readText, type Source } from './contract/text.ts';
import { type Contract, viewOfDocument } from './contract/view.ts';

export { type Change, Changes, compare } from './contract/compare.ts';
export { type ContractFacts, type Found, factsOf, type Place } from './contract/facts.ts';
export { needs } from './contract/needs.ts';
export { classifications } from './contract/schema.ts';
export { AccessTemplate, LONGEST_DAYS, type Misfit, templateMisfits } from './contract/templates.ts';
export { type ContractFault, invalid, pointer } from './contract/text.ts';
export { sameType } from './contract/type.ts';
export { type Bump, bumpOf, isHigher } from './contract/version.ts';
export {
	Classification,
	Column,
	type Contract,
	ContractTable,
	ContractView,
	contractView,
	RowScope,
	rawColumnsOf,
} from './contract/view.ts';

/** A contract with the places of its parts in the text. */
export type Located = {
	readonly contract: Contract;
	/** The line where this part of the document stands, or else the nearest part around it. */
	readonly lineOf: (path: Path) => number;
	/** Where the server of type glue stands. */
	readonly glueServer: readonly (string | number)[];
};

/**
 * Throws `too-large` over 512 KiB, else `contract-invalid` with `errors: ContractFault[]`: every fault of the text, or
 * if the text can be read, every fault of the contract.
 */
export function parseContract(text: string, format: 'yaml' | 'json'): Contract {
	return locateContract(text, format).contract;
}

/** As {@link parseContract}, with the line of each part. */
export function locateContract(text: string, format: 'yaml' | 'json'): Located {
	const source = readText(text, format);
	return compile(source, [...standardFaults(source), ...templateFaults(source)]);
}

/** A contract that was published: read without holding it against the standard again, which may have moved on. */
export function restoreContract(text: string, format: 'yaml' | 'json'): Contract {
	return compile(readText(text, format), []).contract;
}

function compile(source: Source, found: readonly ContractFault[]): Located {
	const read = ContractDocument.safeParse(source.value);
	const shape = read.success ? [] : read.error.issues.flatMap((issue) => shapeFaults(source, issue, needOf));
	const faults = distinctFaults([...found, ...shape, ...ruleFaults(source)]);
	if (!read.success || faults.length > 0) throw invalid(faults);
	return {
		contract: { ...viewOfDocument(read.data), document: source.value },
		lineOf: source.lineOf,
		glueServer: ['servers', read.data.servers.index],
	};
}

function standardFaults(source: Source): ContractFault[] {
	const { error } = OpenDataContract.safeParse(source.value);
	return (error?.issues ?? []).flatMap((issue) => shapeFaults(source, issue, () => 'odcs'));
}

function templateFaults(source: Source): ContractFault[] {
	const found = templatesIn(source.value);
	const issues = found === null ? [] : (AccessTemplates.safeParse(found.value).error?.issues ?? []);
	const shape = issues.flatMap((issue) =>
		shapeFaults(source, { ...issue, path: [...(found?.path ?? []), ...issue.path] }, needOf),
	);
	return [...shape, ...unfitIn(source.value).map(({ path, need }) => needed(source, path, need))];
}

/** One fault a place: where the standard speaks, a need beyond it has nothing to add. */
function distinctFaults(faults: readonly ContractFault[]): ContractFault[] {
	const byPlace = new Map<string, ContractFault>();
	for (const fault of faults) if (!byPlace.has(fault.pointer)) byPlace.set(fault.pointer, fault);
	return [...byPlace.values()].toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function shapeFaults(source: Source, issue: z.core.$ZodIssue, ruleOf: (message: string) => string): ContractFault[] {
	const fault = (path: Path, detail: string) => faultAt(source, path, { rule: ruleOf(detail), detail });
	if (issue.code !== 'unrecognized_keys') return [fault(issue.path, wording(source, issue))];
	const standard = 'the standard has no such member here; customProperties are for members of your own';
	const detail = issue.message.startsWith('Unrecognized') ? standard : issue.message;
	return issue.keys.map((key) => fault([...issue.path, key], detail));
}

const kinds: Readonly<Record<string, string>> = {
	string: 'text',
	array: 'a list',
	tuple: 'a list',
	object: 'a mapping',
	boolean: 'true or false',
	number: 'a number',
	int: 'a whole number',
};

function wording(source: Source, { code, message, path, ...issue }: z.core.$ZodIssue): string {
	const ours = !message.startsWith('Invalid');
	const typed = ['invalid_type', 'invalid_value', 'invalid_union'].includes(code);
	const plain = ['required', 'text-value'].includes(needOf(message));
	if (typed && plain && at(source.value, path) === undefined) return needs.required;
	if (ours || !('expected' in issue)) return message;
	return `must be ${kinds[issue.expected] ?? issue.expected}`;
}
