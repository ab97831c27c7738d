/** Chains of one operator: left-deep in the parse tree, flat in the closed one. */
import type { ParserRuleContext } from 'antlr4ng';
import { claim, notRead } from './claims.ts';
import type { Builder } from './handler.ts';

type Side = ParserRuleContext | null | undefined;

/** The operands from the left, each with the link it hangs on; claims the inner links. */
export function operandsOf<C extends ParserRuleContext>(
	{ claims }: Builder,
	context: C,
	type: abstract new (...args: never[]) => C,
	sides: (link: C) => readonly [Side, Side],
	joins: (link: C) => boolean = () => true,
): readonly { readonly operand: ParserRuleContext; readonly link: C | null }[] {
	const operands: { operand: ParserRuleContext; link: C | null }[] = [];
	let link = context;
	for (;;) {
		const [left, right] = sides(link);
		if (left === null || left === undefined || right === null || right === undefined) throw notRead(link);
		operands.push({ operand: right, link });
		if (!(left instanceof type) || !joins(left)) {
			operands.push({ operand: left, link: null });
			return operands.toReversed();
		}
		claim(claims, left);
		link = left;
	}
}
