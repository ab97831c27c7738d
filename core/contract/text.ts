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

/** `line` counts from 1; absent when the part is nowhere in the text. */
export type ContractFault = Fault & { readonly line?: number };

export type Path = readonly PropertyKey[];

export type Source = {
	readonly value: Readonly<Record<string, unknown>>;
	/** The line where this part stands, or the nearest part around it that does. */
	readonly lineOf: (path: Path) => number | undefined;
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

export function faultAt(source: Pick<Source, 'lineOf'>, path: Path, detail: string): ContractFault {
	const line = source.lineOf(path);
	return { pointer: pointer(path), detail, ...(line === undefined ? {} : { line }) };
}

export function readText(text: string, format: 'yaml' | 'json'): Source {
	if (Buffer.byteLength(text) > MAX_BYTES) {
		throw new BrokerError('too-large', `A contract has at most ${MAX_BYTES / 1024} KiB.`);
	}
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
	const found = syntaxFaults(document, lines, format);
	if (found.length > 0) throw invalid(found);
	const value = format === 'json' ? fromJson(text, document, lines) : fromYaml(document);
	const faults = valueFaults(value).map(({ path, detail }) => faultAt({ lineOf }, path, detail));
	if (faults.length > 0) throw invalid(faults);
	return { value: value as Record<string, unknown>, lineOf };
}

/** Runs the two parts of the parser that do not recurse, and stops before the one that does. */
function refuseRunaway(text: string): void {
	const parser = new Parser();
	let aliases = 0;
	for (const lexeme of new Lexer().lex(text)) {
		for (const token of parser.next(lexeme)) void token;
		if (parser.stack.length > MAX_STACK) throw invalid([{ pointer: '', detail: 'nested too deeply' }]);
		if (/^\*[^\s]/.test(lexeme)) aliases += 1;
		if (aliases > MAX_ALIASES) throw invalid([{ pointer: '', detail: `more than ${MAX_ALIASES} aliases` }]);
	}
}

/** What the parser found, custom tags and repeated keys. JSON is checked by its own parser, save for repeated keys. */
function syntaxFaults(document: Document.Parsed, lines: LineCounter, format: 'yaml' | 'json'): ContractFault[] {
	const at = (offset: number | undefined) => (offset === undefined ? {} : { line: lines.linePos(offset).line });
	const found: ContractFault[] = [];
	if (format === 'yaml') {
		for (const e of [...document.errors, ...document.warnings]) {
			const detail = e.code === 'MULTIPLE_DOCS' ? 'a second document; send one' : e.message;
			found.push({ pointer: '', detail, ...at(e.pos[0]) });
		}
	}
	visit(document, {
		Map(_, map) {
			const seen = new Set<unknown>();
			for (const { key } of map.items) {
				const name = isScalar(key) ? key.value : key;
				if (seen.has(name)) {
					found.push({
						pointer: '',
						detail: `key \`${String(name)}\` twice`,
						...at(isScalar(key) ? key.range?.[0] : undefined),
					});
				}
				seen.add(name);
			}
		},
	});
	return found;
}

function fromYaml(document: Document.Parsed): unknown {
	try {
		return document.toJS({ maxAliasCount: MAX_ALIASES });
	} catch (cause) {
		if (cause instanceof ReferenceError) throw invalid([{ pointer: '', detail: 'an alias that cannot be resolved' }]);
		throw cause;
	}
}

function fromJson(text: string, document: Document.Parsed, lines: LineCounter): unknown {
	try {
		return JSON.parse(text);
	} catch {
		const offset = document.errors[0]?.pos[0];
		const line = offset === undefined ? {} : { line: lines.linePos(offset).line };
		throw invalid([{ pointer: '', detail: 'not JSON', ...line }]);
	}
}

/** What JSON cannot hold without loss, and values that aliases make endless. */
function valueFaults(value: unknown): { path: Path; detail: string }[] {
	const found: { path: Path; detail: string }[] = [];
	let size = 0;
	const walk = (part: unknown, path: Path): void => {
		size += typeof part === 'string' ? part.length + 1 : 1;
		if (path.length > MAX_STACK) size = Number.POSITIVE_INFINITY;
		if (size > MAX_EXPANDED) return;
		if (typeof part === 'number' && !isExact(part)) found.push({ path, detail: 'not an exact number; quote it' });
		if (typeof part !== 'object' || part === null) return;
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

function lineAt(document: Document.Parsed, lines: LineCounter, path: Path): number | undefined {
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
	return offset === undefined ? undefined : lines.linePos(offset).line;
}
