/** Calls of the parse tree, and the special forms that are calls in other clothes, against the allow-list. */
import {
	CoalesceContext,
	CurrentDateContext,
	CurrentTimestampContext,
	FunctionCallContext,
	LocalTimestampContext,
	PositionContext,
	SubstringContext,
	TrimContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Call, Expression, Identifier, Position } from './ast.ts';
import { qualifiedName } from './build-name.ts';
import { claim, notRead, positionOf } from './claims.ts';
import { functionRule } from './functions.ts';
import { type Builder, on } from './handler.ts';
import { refusal, unsupported } from './refuse.ts';

const plain = { distinct: false, star: false, bare: false } as const;

function call(name: string, args: readonly Expression[], at: Position): Call {
	const rule = functionRule(name);
	if (rule === undefined) throw unsupported(at, `The function ${name} is not supported.`);
	if (args.length < rule.least || args.length > rule.most) {
		throw refusal('validation', at, `The function ${name} does not take ${args.length} arguments.`);
	}
	return { kind: 'call', name, arguments: args, ...plain, at };
}

function functionName(b: Builder, context: FunctionCallContext): Identifier {
	const written = context.functionName();
	claim(b.claims, written);
	const [name, ...more] = qualifiedName(b.claims, written.qualifiedName());
	if (name === undefined || more.length > 0) {
		throw unsupported(positionOf(written), 'Functions of a catalog or schema are not supported.');
	}
	return name;
}

function functionCall(b: Builder, context: FunctionCallContext): Expression {
	const { text: name, at } = functionName(b, context);
	const rule = functionRule(name);
	if (rule === undefined) throw unsupported(at, `The function ${name} is not supported.`);
	for (const part of [context.processingMode(), context.filter(), context.over(), context.nullTreatment()]) {
		if (part !== null) throw notRead(part);
	}
	if (context.KW_ORDER() !== null || context.identifier() !== null) throw notRead(context);
	const quantifier = context.setQuantifier();
	claim(b.claims, quantifier);
	const distinct = quantifier !== null && quantifier.KW_DISTINCT() !== null;
	if (quantifier !== null && !rule.aggregate) throw refusal('validation', at, `${name} is not an aggregate function.`);
	const args = context.expression().map((argument) => b.expression(argument));
	const counted = name === 'count' && args.length === 0;
	if ((context.ASTERISK() !== null && !counted) || (counted && distinct)) {
		throw refusal('validation', at, 'Only count takes a star, and nothing else with it.');
	}
	return { ...call(name, args, at), distinct, star: counted };
}

function substring(b: Builder, context: SubstringContext): Expression {
	const args = context.valueExpression().map((argument) => b.expression(argument));
	return call('substr', args, positionOf(context));
}

/** position(a IN b) is strpos(b, a). */
function position(b: Builder, context: PositionContext): Expression {
	const args = context.valueExpression().map((argument) => b.expression(argument));
	return call('strpos', args.toReversed(), positionOf(context));
}

function trim(b: Builder, context: TrimContext): Expression {
	const at = positionOf(context);
	const { _trimChar: characters } = context;
	if (characters !== undefined) throw unsupported(at, 'Trimming anything but white space is not supported.');
	const side = context.trimsSpecification();
	claim(b.claims, side);
	const name = side?.KW_LEADING() ? 'ltrim' : side?.KW_TRAILING() ? 'rtrim' : 'trim';
	const args = context.valueExpression().map((argument) => b.expression(argument));
	return call(name, args, at);
}

function coalesce(b: Builder, context: CoalesceContext): Expression {
	const args = context.expression().map((argument) => b.expression(argument));
	return call('coalesce', args, positionOf(context));
}

function bare(name: string, at: Position): Call {
	return { kind: 'call', name, arguments: [], ...plain, bare: true, at };
}

function withoutPrecision(name: string, context: CurrentTimestampContext | LocalTimestampContext): Call {
	if (context.INTEGER_VALUE() !== null) throw notRead(context);
	return bare(name, positionOf(context));
}

export const callHandlers = [
	on(FunctionCallContext, functionCall),
	on(SubstringContext, substring),
	on(PositionContext, position),
	on(TrimContext, trim),
	on(CoalesceContext, coalesce),
	on(CurrentDateContext, (_b, context) => bare('current_date', positionOf(context))),
	on(CurrentTimestampContext, (_b, context) => withoutPrecision('current_timestamp', context)),
	on(LocalTimestampContext, (_b, context) => withoutPrecision('localtimestamp', context)),
];
