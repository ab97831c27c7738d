/** Calls of the parse tree, and the special forms that are calls in other clothes, held against the allow-list. */
import {
	CurrentDateContext,
	CurrentTimeContext,
	CurrentTimestampContext,
	type ExpressionContext,
	type FilterContext,
	FunctionCallContext,
	LambdaContext,
	ListAggContext,
	LocalTimeContext,
	LocalTimestampContext,
	NormalizeContext,
	PositionContext,
	PredicatedContext,
	SubstringContext,
	TrimContext,
	ValueExpressionDefaultContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { demandAllowed, type Expression, type Identifier, newCall, unsupported } from '../sql.ts';
import { stringLiteral } from './build-literal.ts';
import { identifiers, qualifiedName } from './build-name.ts';
import { over, sortItem } from './build-window.ts';
import { claim, notRead, positionOf } from './claims.ts';
import { all, type Builder, on } from './handler.ts';

function call(...parts: Parameters<typeof newCall>): Expression {
	const read = newCall(...parts);
	demandAllowed(read);
	return read;
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
	const mode = context.processingMode();
	if (mode !== null) throw notRead(mode);
	const { text: name, at } = functionName(b, context);
	const label = context.identifier();
	if (label !== null) throw unsupported(positionOf(label), 'Count the rows with count(*), or one column of the table.');
	const quantifier = context.setQuantifier();
	const treatment = context.nullTreatment();
	claim(b.claims, quantifier, treatment);
	const args = context.expression().map((argument) => argumentOf(b, argument));
	return call(name, args, at, {
		distinct: quantifier !== null && quantifier.KW_DISTINCT() !== null,
		star: context.ASTERISK() !== null || (name === 'count' && args.length === 0),
		orderBy: context.sortItem().map((item) => sortItem(b, item)),
		filter: filterOf(b, context.filter()),
		over: over(b, context.over()),
		nulls: treatment === null ? null : treatment.KW_IGNORE() === null ? 'respect' : 'ignore',
	});
}

function filterOf(b: Builder, context: FilterContext | null): Expression | null {
	const where = context?.whereClause() ?? null;
	claim(b.claims, context, where);
	return where === null ? null : b.expression(where.booleanExpression());
}

/** A lambda is no value of its own, so it is read only where a function gets it. */
function argumentOf(b: Builder, context: ExpressionContext): Expression {
	const condition = context.booleanExpression();
	const value = condition instanceof PredicatedContext && condition.predicate() === null && condition.valueExpression();
	const primary = value instanceof ValueExpressionDefaultContext ? value.primaryExpression() : null;
	if (!(primary instanceof LambdaContext) || !(value instanceof ValueExpressionDefaultContext)) {
		return b.expression(context);
	}
	claim(b.claims, context, condition, value, primary);
	const parameters = identifiers(b.claims, primary.identifier());
	return { kind: 'lambda', parameters, body: b.expression(primary.expression()), at: positionOf(primary) };
}

/** Too long a text ends the query unless it says TRUNCATE, which has no place in the closed tree. */
function listAgg(b: Builder, context: ListAggContext): Expression {
	const at = positionOf(context);
	const overflow = context.listAggOverflowBehavior();
	if (overflow !== null && overflow.KW_ERROR() === null) {
		throw unsupported(positionOf(overflow), 'Leave out ON OVERFLOW, or write ON OVERFLOW ERROR.');
	}
	const quantifier = context.setQuantifier();
	claim(b.claims, overflow, quantifier);
	const separator = context.string();
	const args = [
		b.expression(context.expression()),
		...(separator === null ? [] : [stringLiteral(b.claims, separator)]),
	];
	return call('listagg', args, at, {
		distinct: quantifier !== null && quantifier.KW_DISTINCT() !== null,
		orderBy: context.sortItem().map((item) => sortItem(b, item)),
		filter: filterOf(b, context.filter()),
	});
}

/** position(a IN b) is strpos(b, a). */
function position(b: Builder, context: PositionContext): Expression {
	return call('strpos', all(b, context.valueExpression()).toReversed(), positionOf(context));
}

/** TRIM(LEADING c FROM s) is ltrim(s, c). */
function trim(b: Builder, context: TrimContext): Expression {
	const { _trimSource: text, _trimChar: characters } = context;
	const side = context.trimsSpecification();
	claim(b.claims, side);
	const name = side?.KW_LEADING() ? 'ltrim' : side?.KW_TRAILING() ? 'rtrim' : 'trim';
	if (text === undefined) throw notRead(context);
	return call(name, all(b, characters === undefined ? [text] : [text, characters]), positionOf(context));
}

/** The form is a word of the language: the closed tree holds it as a string. */
function normalize(b: Builder, context: NormalizeContext): Expression {
	const form = context.normalForm();
	claim(b.claims, form);
	const value = b.expression(context.valueExpression());
	const at = positionOf(context);
	if (form === null) return call('normalize', [value], at);
	const word: Expression = { kind: 'string', value: form.getText().toUpperCase(), at: positionOf(form) };
	return call('normalize', [value, word], at);
}

type Clock = CurrentTimeContext | CurrentTimestampContext | LocalTimeContext | LocalTimestampContext;

function clock(name: string) {
	return (_b: Builder, context: Clock): Expression => {
		const at = positionOf(context);
		if (context.INTEGER_VALUE() !== null) {
			throw unsupported(at, `Write ${name} without a precision, and CAST it if it has to have one.`);
		}
		return call(name, [], at, { bare: true });
	};
}

export const callHandlers = [
	on(FunctionCallContext, functionCall),
	on(ListAggContext, listAgg),
	on(SubstringContext, (b, context) => call('substr', all(b, context.valueExpression()), positionOf(context))),
	on(PositionContext, position),
	on(TrimContext, trim),
	on(NormalizeContext, normalize),
	on(CurrentDateContext, (_b, context) => call('current_date', [], positionOf(context), { bare: true })),
	on(CurrentTimeContext, clock('current_time')),
	on(CurrentTimestampContext, clock('current_timestamp')),
	on(LocalTimeContext, clock('localtime')),
	on(LocalTimestampContext, clock('localtimestamp')),
];
