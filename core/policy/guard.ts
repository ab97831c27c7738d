/**
 * Bounds on the text of a rule, before the engine reads it: one that starts, that is read again or that is tried. Pure.
 *
 * The engine reads, checks and evaluates by recursion, in WebAssembly: what overflows its stack there leaves it unable to
 * read anything, the rules in force among it (150 brackets within each other are enough). And a text takes time to match
 * a pattern in proportion to both. So a rule is taken by its size, its depth and its longest text alone; docs/policies.md
 * has what the worst of them costs. Tokens are Cedar's (Policy Language Reference Guide, "Grammar specification").
 */

/** Tokens of one rule. */
export const MAX_TOKENS = 500;
/** A bracket is two levels, an `if` three, an operator, member or index of a chain one; half of what the engine takes or less. */
export const MAX_DEPTH = 48;
/** Characters of a text in quotes. */
export const MAX_QUOTED = 256;

/** A quote that nothing ends takes the rest: what begins to match always does, and no character is looked at twice. */
const token = /(?:\s|\/\/[^\n\r]*)+|"(?:[^"\\]|\\.)*(?:"|\\?$)|[A-Za-z_]\w*|\d+|::|&&|\|\||[=!<>]=|./gsuy;
const opening = new Set(['(', '[', '{']);
const closing = new Set([')', ']', '}']);
/** What stands between conditions, and what stands between the parts of one. */
const loose = new Set(['&&', '||', 'if', 'then', 'else', 'when', 'unless']);
const tight = new Set(['==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '!', 'in', 'is', 'has', 'like']);

export type Size = { readonly tokens: number; readonly depth: number; readonly quoted: number };

/** The size of a text, whether it is a rule or not. One that has too many tokens is not read to its end. */
export function sizeOf(text: string): Size {
	const outer: Level[] = [];
	let level = newLevel();
	let [tokens, quoted] = [0, 0];
	const leave = () => {
		const inner = depthOf(level);
		level = outer.pop() ?? newLevel();
		level.within = Math.max(level.within, inner + 2);
	};
	for (const [found] of text.matchAll(token)) {
		if (/^(\s|\/\/)/.test(found)) continue;
		tokens += 1;
		if (tokens > MAX_TOKENS) break;
		if (found.startsWith('"')) quoted = Math.max(quoted, found.length - 2);
		else if (opening.has(found)) {
			outer.push(level);
			level = newLevel();
		} else if (closing.has(found)) {
			leave();
			// An index goes on with the chain that it stands in, as a member does.
			if (found === ']') level.dots += 1;
		} else count(level, found);
	}
	while (outer.length > 0) leave();
	return { tokens, depth: depthOf(level), quoted };
}

/** What stands within one pair of brackets, as far as it was read: a tree that leans to the left, chain by chain. */
type Level = {
	deepest: number;
	conditions: number;
	condition: number;
	parts: number;
	part: number;
	dots: number;
	within: number;
};

const newLevel = (): Level => ({ deepest: 0, conditions: 0, condition: 0, parts: 0, part: 0, dots: 0, within: 0 });

function count(level: Level, found: string): void {
	if (found === '.') level.dots += 1;
	else if (tight.has(found)) {
		endPart(level);
		level.parts += 1;
	} else if (loose.has(found)) {
		endCondition(level);
		level.conditions += 1;
	} else if (found === ',') endItem(level);
}

function endPart(level: Level): void {
	level.part = Math.max(level.part, level.dots + level.within);
	level.dots = 0;
	level.within = 0;
}

function endCondition(level: Level): void {
	endPart(level);
	level.condition = Math.max(level.condition, level.parts + level.part);
	level.parts = 0;
	level.part = 0;
}

function endItem(level: Level): void {
	endCondition(level);
	level.deepest = Math.max(level.deepest, level.conditions + level.condition);
	level.conditions = 0;
	level.condition = 0;
}

function depthOf(level: Level): number {
	endItem(level);
	return level.deepest;
}

/** The bounds that a text exceeds, in words. */
export function overIn(text: string): string[] {
	const { tokens, depth, quoted } = sizeOf(text);
	return [
		...(tokens > MAX_TOKENS ? [`${MAX_TOKENS} tokens`] : []),
		...(depth > MAX_DEPTH
			? [`${MAX_DEPTH} levels, of which a bracket takes two and each operator of a chain one`]
			: []),
		...(quoted > MAX_QUOTED ? [`${MAX_QUOTED} characters in one text`] : []),
	];
}

/** Brackets within each other in a schema: 200 are read, 1000 are not. */
const MAX_NESTED = 48;

/** The bound that a schema exceeds, in words. */
export function overInSchema(schema: string): string[] {
	let [nested, most] = [0, 0];
	for (const [found] of schema.matchAll(token)) {
		if (opening.has(found) || found === '<') nested += 1;
		else if (closing.has(found) || found === '>') nested -= 1;
		most = Math.max(most, nested);
	}
	return most > MAX_NESTED ? [`${MAX_NESTED} brackets within each other`] : [];
}
