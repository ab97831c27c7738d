/**
 * Regular expressions that mean the same to Athena (Java's syntax, matched by Joni) and to DuckDB (RE2): a common subset,
 * read from a pattern that is written out. Where the two differ by the text they meet, `needs` says what it must not hold.
 */

export type Pattern = {
	/** For RE2. */
	readonly text: string;
	/** Whether it can match the empty text. */
	readonly empty: boolean;
	readonly groups: number;
	/** Each group takes part exactly once in every match. */
	readonly fixed: boolean;
	/** Digits, words, case: by ASCII in one, by Unicode in the other. */
	readonly ascii: boolean;
	/** Line ends: what . and $ do at them differs. */
	readonly line: boolean;
	/** It looks at what is before or after the match: the start, the end, the edge of a word. */
	readonly anchored: boolean;
};

type State = {
	readonly source: string;
	at: number;
	out: string;
	groups: number;
	fixed: boolean;
	ascii: boolean;
	line: boolean;
	anchored: boolean;
};

const shorthand = /^[dwDW]$/;
const plainEscape = /^[.^$|?*+()[\]{}/\\-]$/;
const control: Readonly<Record<string, string>> = { t: '\\t', n: '\\n', r: '\\r' };

/** null: not of the common subset. */
export function readPattern(source: string): Pattern | null {
	const state: State = { source, at: 0, out: '', groups: 0, fixed: true, ascii: false, line: false, anchored: false };
	if (source.startsWith('(?i)')) {
		state.at = 4;
		state.out = '(?i)';
		state.ascii = true;
	}
	const empty = alternatives(state, 0);
	if (empty === null || state.at < source.length) return null;
	const { out, groups, fixed, ascii, line, anchored } = state;
	return { text: out, empty, groups, fixed, ascii, line, anchored };
}

function take(state: State, count: number, as = state.source.slice(state.at, state.at + count)): void {
	state.out += as;
	state.at += count;
}

/** Whether they can be empty; null if they are not read. */
function alternatives(state: State, depth: number): boolean | null {
	let empty = sequence(state, depth);
	while (empty !== null && state.source[state.at] === '|') {
		state.fixed = false;
		take(state, 1);
		const next = sequence(state, depth);
		empty = next === null ? null : empty || next;
	}
	return empty;
}

function sequence(state: State, depth: number): boolean | null {
	let empty = true;
	for (let next = state.source[state.at]; next !== undefined && next !== '|' && next !== ')'; ) {
		const before = state.groups;
		const one = atom(state, next, depth);
		if (one === null) return null;
		const repeated = quantifier(state);
		if (repeated === 'strange') return null;
		// A loop over what can be empty ends differently here and there.
		if (repeated !== 'once' && one) return null;
		if (repeated !== 'once' && state.groups > before) state.fixed = false;
		empty &&= one || repeated === 'maybe';
		next = state.source[state.at];
	}
	return empty;
}

function quantifier(state: State): 'once' | 'maybe' | 'often' | 'strange' {
	const rest = state.source.slice(state.at);
	const [whole, least] = /^(?:[?*+]|\{([0-9]{1,3})(?:,[0-9]{0,3})?\})\??/.exec(rest) ?? [];
	if (whole === undefined) return rest.startsWith('{') ? 'strange' : 'once';
	take(state, whole.length);
	if (/^[?*+{]/.test(state.source.slice(state.at))) return 'strange';
	return whole.startsWith('+') || Number(least ?? 0) > 0 ? 'often' : 'maybe';
}

/** Whether it can be empty. */
function atom(state: State, next: string, depth: number): boolean | null {
	switch (next) {
		case '(':
			return group(state, depth + 1);
		case '[':
			return characters(state) ? false : null;
		case '\\':
			return escaped(state, false);
		case '.':
			state.line = true;
			take(state, 1);
			return false;
		case '^':
		case '$':
			state.line = true;
			state.anchored = true;
			take(state, 1);
			return /^[?*+{]/.test(state.source.slice(state.at)) ? null : true;
		default:
			if ('?*+{}]'.includes(next) || next < ' ') return null;
			take(state, next.length);
			return false;
	}
}

function group(state: State, depth: number): boolean | null {
	if (depth > 20) return null;
	const unnamed = state.source.startsWith('(?:', state.at);
	if (!unnamed && state.source[state.at + 1] === '?') return null;
	take(state, unnamed ? 3 : 1);
	if (!unnamed) state.groups += 1;
	const empty = alternatives(state, depth);
	if (empty === null || state.source[state.at] !== ')') return null;
	take(state, 1);
	return empty;
}

/** false: matches one character, null: not read. \b is empty. */
function escaped(state: State, inside: boolean): boolean | null {
	const next = state.source[state.at + 1] ?? '';
	if (plainEscape.test(next)) take(state, 2);
	else if (control[next] !== undefined) take(state, 2, control[next]);
	else if (shorthand.test(next)) {
		state.ascii = true;
		take(state, 2);
	} else if (next === 's') {
		state.ascii = true;
		take(state, 2, inside ? '\\t\\n\\x0b\\f\\r ' : '[\\t\\n\\x0b\\f\\r ]');
	} else if (next === 'b' && !inside) {
		state.ascii = true;
		state.anchored = true;
		take(state, 2);
		return /^[?*+{]/.test(state.source.slice(state.at)) ? null : true;
	} else return null;
	return false;
}

/** [a-z0-9_]: no classes inside, no &&. */
function characters(state: State): boolean {
	take(state, 1);
	if (state.source[state.at] === '^') take(state, 1);
	const start = state.at;
	for (let next = state.source[state.at]; next !== ']' || state.at === start; next = state.source[state.at]) {
		if (next === undefined || next === '[' || next === '&' || next === '^' || next === ']' || next < ' ') return false;
		if (next !== '\\') take(state, 1);
		else if (escaped(state, true) === null) return false;
	}
	take(state, 1);
	return true;
}
