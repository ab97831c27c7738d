/**
 * What stands before the schemas of an operation. A parameter that the document does not name is refused, not ignored:
 * a misspelt filter would show more than was asked for. So is one that is given twice, and a body of a media type that
 * the document does not name.
 */
import type { MiddlewareHandler } from 'hono';
import { BrokerError, type Fault } from '#core/error.ts';
import type { Env } from '../env.ts';

export function gate(parameters: readonly string[], mediaTypes: readonly string[] | null): MiddlewareHandler<Env> {
	return async (c, next) => {
		// Not Hono's own reading, which leaves out a parameter without a name.
		const given = [...new URL(c.req.url).searchParams.keys()];
		const errors = [...new Set(given)].flatMap((name) => {
			return faultsOf(parameters, name, given.filter((other) => other === name).length);
		});
		if (errors.length > 0) throw new BrokerError('validation', 'The query is not valid; see `errors`.', { errors });
		if (mediaTypes !== null) mustBeReadable(mediaTypes, (name) => c.req.header(name));
		await next();
	};
}

function faultsOf(parameters: readonly string[], name: string, times: number): Fault[] {
	const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
	if (!parameters.includes(name)) {
		const known = parameters.length === 0 ? 'there are none here' : `there are ${parameters.join(', ')}`;
		return [{ pointer, detail: `unknown parameter; ${known}` }];
	}
	return times === 1 ? [] : [{ pointer, detail: 'given more than once' }];
}

/** Without a type there is either no body, which the schema refuses, or one of which nothing is known. */
function mustBeReadable(mediaTypes: readonly string[], header: (name: string) => string | undefined): void {
	const refusal = () =>
		new BrokerError('unsupported-media-type', `Send the body as ${mediaTypes.join(' or ')}, as it is.`);
	const coding = header('content-encoding')?.trim().toLowerCase() ?? 'identity';
	if (coding !== 'identity') throw refusal();
	const type = header('content-type');
	if (type !== undefined && !mediaTypes.includes(type.split(';')[0]?.trim().toLowerCase() ?? '')) throw refusal();
}
