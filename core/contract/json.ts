/** Where a text stops being JSON (RFC 8259). The engine's own parser says that it does, but not always where. */

/** One token at a time, from where the last one ended. */
const text = String.raw`"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\u0000-\u001f]*)*"`;
const plain = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null`;
const token = new RegExp(String.raw`[\t\n\r ]*(?:([{}[\],:])|(${text})|(?:${plain}))`, 'y');
const blank = /[\t\n\r ]*/y;

type State = 'value' | 'first-key' | 'key' | 'colon' | 'first-item' | 'next';

/** Offset of the first character that no JSON text could have there, or null when the whole text is JSON. */
export function jsonFault(text: string): number | null {
	const open: string[] = [];
	let state: State = 'value';
	let at = 0;
	do {
		token.lastIndex = at;
		const [whole = '', sign, key] = token.exec(text) ?? [];
		const next: State | null = whole === '' ? null : after(state, sign, key !== undefined, open);
		if (next === null) return start(text, at);
		state = next;
		at += whole.length;
	} while (state !== 'next' || open.length > 0);
	const end = start(text, at);
	return end === text.length ? null : end;
}

function start(text: string, at: number): number {
	blank.lastIndex = at;
	return at + (blank.exec(text)?.[0].length ?? 0);
}

/** The state after a token, or null where it cannot stand; keeps the brackets that are open. */
function after(state: State, sign: string | undefined, isText: boolean, open: string[]): State | null {
	if (state === 'colon') return sign === ':' ? 'value' : null;
	if (state === 'key' || state === 'first-key') {
		if (isText) return 'colon';
		return state === 'first-key' && sign === '}' ? closed(sign, open) : null;
	}
	if (state === 'next') {
		if (sign === ',') return open.at(-1) === '}' ? 'key' : 'value';
		return closed(sign, open);
	}
	if (sign === undefined) return 'next';
	if (sign === '{' || sign === '[') {
		open.push(sign === '{' ? '}' : ']');
		return sign === '{' ? 'first-key' : 'first-item';
	}
	return state === 'first-item' && sign === ']' ? closed(sign, open) : null;
}

function closed(sign: string | undefined, open: string[]): State | null {
	if (sign === undefined || sign !== open.at(-1)) return null;
	open.pop();
	return 'next';
}
