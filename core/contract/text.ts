/**
 * Contract text to a plain value, with the line of each part of it. The text comes from outside, so the work it
 * can ask for is bounded: its size, its nesting (deep text exhausts the parser's stack), its aliases (a few lines
 * can stand for gigabytes), and equal keys are found in linear time. YAML 1.2 core schema without custom tags;
 * the value is what JSON can hold, nothing else.
 */
import {
	type Document,
	isAlias,
	isMap,
	isScalar,
	isSeq,
	Lexer,
	LineCounter,
	type Node,
	Parser,
	parseDocument,
	visit,
} from 'yaml';
import { BrokerError, type Fault } from '../error.ts';
import { jsonFault } from './json.ts';

/** `line` counts from 1. `rule` names what is asked: `text`, `odcs`, a need (needs.ts) or a policy. */
export type ContractFault = Fault & { readonly line?: number; readonly rule?: string };

export type Path = readonly PropertyKey[];

export type Source = {
	readonly value: Readonly<Record<string, unknown>>;
	/** The line where this part stands, or else the nearest part around it that does. */
	readonly lineOf: (path: Path) => number;
};

const MAX_BYTES = 512 * 1024;
const MAX_STACK = 64;
const MAX_ALIASES = 64;
/** Characters and nodes of the value once aliases stand for what they name. */
const MAX_EXPANDED = 2 * 1024 * 1024;
const MAX_FAULTS = 100;

export function invalid(errors: readonly ContractFault[]): BrokerError {
	const shown = errors.slice(0, MAX_FAULTS);
	const count = errors.length === 1 ? 'One thing' : `${errors.length} things`;
	return new BrokerError('contract-invalid', `${count} must change in the contract.`, { errors: shown });
}

/** RFC 6901. */
export function pointer(path: Path): string {
	return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function faultAt(
	source: Pick<Source, 'lineOf'>,
	path: Path,
	{ rule, detail }: { rule: string; detail: string },
): ContractFault {
	return { pointer: pointer(path), detail, line: source.lineOf(path), rule };
}

/** A fault of the text as such: of no part that a pointer could name. */
function textFault(detail: string, line: number): ContractFault {
	return { pointer: '', detail, line, rule: 'text' };
}

export function readText(text: string, format: 'yaml' | 'json'): Source {
	if (Buffer.byteLength(text) > MAX_BYTES) {
		throw new BrokerError('too-large', `A contract has at most ${MAX_BYTES / 1024} KiB.`);
	}
	// No standard needs it, and what reads a text may drop it: the bytes could not be given back.
	if (text.startsWith('\uFEFF')) throw invalid([textFault('a byte order mark; send the text without it', 1)]);
	refuseRunaway(text);
	const lines = new LineCounter();
	const document = parseDocument(text, {
		schema: 'core',
		resolveKnownTags: false,
		uniqueKeys: false,
		stringKeys: true,
		prettyErrors: false,
		logLevel: 'error',
		lineCounter: lines,
	});
	const lineOf = (path: Path) => lineAt(document, lines, path);
	const at = (offset: number | undefined) => (offset === undefined ? 1 : lines.linePos(offset).line);
	const found = format === 'json' ? jsonFaults(text, at) : yamlFaults(document, at);
	if (found.length === 0) found.push(...repeatedKeys(document, at));
	if (found.length > 0) throw invalid(found);
	const value: unknown = format === 'json' ? JSON.parse(text) : fromYaml(document, at);
	const faults = valueFaults(value).map(({ path, detail }) => faultAt({ lineOf }, path, { rule: 'text', detail }));
	if (faults.length > 0) throw invalid(faults);
	return { value: value as Record<string, unknown>, lineOf };
}

/** Runs the two parts of the parser that do not recurse, and stops before the one that does. */
function refuseRunaway(text: string): void {
	const parser = new Parser();
	let aliases = 0;
	let line = 1;
	for (const lexeme of new Lexer().lex(text)) {
		for (const token of parser.next(lexeme)) void token;
		if (parser.stack.length > MAX_STACK) throw invalid([textFault('nested too deeply', line)]);
		if (/^\*[^\s]/.test(lexeme)) aliases += 1;
		if (aliases > MAX_ALIASES) throw invalid([textFault(`more than ${MAX_ALIASES} aliases`, line)]);
		line += lexeme.split('\n').length - 1;
	}
}

type LineAt = (offset: number | undefined) => number;

function jsonFaults(text: string, at: LineAt): ContractFault[] {
	const offset = jsonFault(text);
	return offset === null ? [] : [textFault('not JSON from here on', at(offset))];
}

function fromYaml(document: Document.Parsed, at: LineAt): unknown {
	try {
		return document.toJS({ maxAliasCount: MAX_ALIASES });
	} catch (cause) {
		if (!(cause instanceof ReferenceError)) throw cause;
		let first: number | undefined;
		visit(document, { Alias: (_, alias) => void (first ??= alias.range?.[0]) });
		throw invalid([textFault('aliases of aliases, which stand for too much', at(first))]);
	}
}

/** What the parser found, custom tags among it, and aliases that stand for nothing or for what holds them. */
function yamlFaults(document: Document.Parsed, at: LineAt): ContractFault[] {
	const found = [...document.errors, ...document.warnings].map((e) =>
		textFault(e.code === 'MULTIPLE_DOCS' ? 'a second document; send one' : e.message, at(e.pos[0])),
	);
	visit(document, {
		Alias(_, alias) {
			if (alias.resolve(document) === undefined)
				found.push(textFault('an alias that cannot be resolved', at(alias.range?.[0])));
		},
	});
	return found;
}

function repeatedKeys(document: Document.Parsed, at: LineAt): ContractFault[] {
	const found: ContractFault[] = [];
	visit(document, {
		Map(_, map) {
			const seen = new Set<unknown>();
			for (const { key } of map.items) {
				const name = isScalar(key) ? key.value : key;
				if (seen.has(name)) {
					const offset = isScalar(key) ? key.range?.[0] : undefined;
					found.push(textFault(`key \`${String(name)}\` twice`, at(offset)));
				}
				seen.add(name);
			}
		},
	});
	return found;
}

/** JSON may escape what no UTF-8 text can hold, and so no hash can be of. */
const HALF = 'holds half of a surrogate pair';

/** What JSON cannot hold without loss, and values that aliases make endless. */
function valueFaults(value: unknown): { path: Path; detail: string }[] {
	const found: { path: Path; detail: string }[] = [];
	let size = 0;
	const walk = (part: unknown, path: Path): void => {
		size += typeof part === 'string' ? part.length + 1 : 1;
		if (path.length > MAX_STACK) size = Number.POSITIVE_INFINITY;
		if (size > MAX_EXPANDED) return;
		if (typeof part === 'number' && !isExact(part)) found.push({ path, detail: 'not an exact number; quote it' });
		if (typeof part === 'string' && !part.isWellFormed()) found.push({ path, detail: HALF });
		if (typeof part !== 'object' || part === null) return;
		if (!Object.keys(part).every((key) => key.isWellFormed())) found.push({ path, detail: `a name here ${HALF}` });
		for (const [key, child] of Object.entries(part)) walk(child, [...path, Array.isArray(part) ? Number(key) : key]);
	};
	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		return [{ path: [], detail: 'must be a mapping of names to values' }];
	}
	walk(value, []);
	if (size > MAX_EXPANDED) return [{ path: [], detail: 'too large once its aliases are expanded' }];
	return found;
}

function isExact(n: number): boolean {
	return Number.isInteger(n) ? Number.isSafeInteger(n) : Number.isFinite(n);
}

function lineAt(document: Document.Parsed, lines: LineCounter, path: Path): number {
	let node: unknown = document.contents;
	let offset = document.contents?.range?.[0];
	for (const part of path) {
		const holder: unknown = isAlias(node) ? node.resolve(document) : node;
		if (isMap(holder)) {
			const pair = holder.items.find(({ key }) => isScalar(key) && key.value === String(part));
			if (pair === undefined) break;
			offset = (pair.key as Node).range?.[0] ?? offset;
			node = pair.value;
		} else if (isSeq(holder)) {
			const item = holder.items[Number(part)];
			if (item === undefined) break;
			offset = (item as Node).range?.[0] ?? offset;
			node = item;
		} else break;
	}
	return offset === undefined ? 1 : lines.linePos(offset).line;
}
