/**
 * For tests alone: with FAIRLEAD_RECORD naming a file, every request that the embedded AWS answers is appended to it with
 * its answer, one JSON object a line, so that both can be held against AWS's own service models (tests/conformance).
 * Off otherwise. A crash may leave one line cut short. The file holds the keys that the embedded STS handed out: they
 * open nothing but the folder they were made for.
 */
import { appendFileSync } from 'node:fs';

export type Exchange = {
	readonly service: string;
	readonly operation: string;
	readonly request: { readonly headers: Readonly<Record<string, unknown>>; readonly body: string };
	readonly response: {
		readonly status: number;
		readonly headers: Readonly<Record<string, string>>;
		readonly body: string;
	};
};

/** Which operations a service answers, where it can tell. */
export type Served = { readonly service: string; readonly operations: readonly string[] };

export type Recorder = { readonly exchange: (exchange: Exchange) => void; readonly served: (served: Served) => void };

/** What says which operation a request is for; the others sign it or name its sender. */
const HEADERS = ['content-type', 'x-amz-target'];

export function openRecorder(file = process.env['FAIRLEAD_RECORD']): Recorder | undefined {
	if (file === undefined || file === '') return undefined;
	// The break comes first: what a killed process cut short is then a line of its own.
	const append = (line: object) => appendFileSync(file, `\n${JSON.stringify(line)}`, { mode: 0o600 });
	return {
		served: (served) => append({ served }),
		exchange({ service, operation, request, response }) {
			const headers = Object.fromEntries(HEADERS.map((name) => [name, request.headers[name]]));
			append({ service, operation, request: { headers, body: request.body }, response });
		},
	};
}
