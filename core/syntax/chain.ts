/** Chains of one operator: left-deep in the parse tree, flat in the closed one. */
import type { ParserRuleContext } from 'antlr4ng';
import { claim, notRead } from './claims.ts';
import type { Builder } from './handler.ts';

/** Operands from the left, each but the first with the link it hangs on. */
type Chain<C, P> = { readonly first: P; readonly rest: readonly { readonly operand: P; readonly link: C }[] };

/** Claims the inner links; one that does not go on with the chain is its first operand. */
export function chainOf<C extends ParserRuleContext, P extends ParserRuleContext>(
	{ claims }: Builder,
	context: C,
	type: abstract new (...args: never[]) => C,
	sides: (link: C) => readonly (P | null | undefined)[],
	goesOn: (link: C) => boolean = () => true,
): Chain<C, P> {
	const rest: { operand: P; link: C }[] = [];
	let link = context;
	for (;;) {
		const [left, right] = sides(link);
		if (left === null || left === undefined || right === null || right === undefined) throw notRead(link);
		rest.push({ operand: right, link });
		if (!(left instanceof type) || !goesOn(left)) return { first: left, rest: rest.toReversed() };
		claim(claims, left);
		link = left;
	}
}
