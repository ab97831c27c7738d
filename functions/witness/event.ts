/** Requests and answers of a Lambda function URL (Lambda Developer Guide, "Invoking function URLs", payload version 2.0). */
import { MAX_REQUEST_BYTES } from '#verifier/witness.ts';
import { type Answer, respond, type Witness } from '#witness/witness.ts';

export type UrlEvent = {
	readonly rawPath: string;
	readonly body?: string;
	readonly isBase64Encoded?: boolean;
	readonly requestContext: { readonly http: { readonly method: string } };
};

export type UrlAnswer = {
	readonly statusCode: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
};

export async function answerTo(witness: Witness, event: UrlEvent): Promise<UrlAnswer> {
	const { rawPath: path, body = '', isBase64Encoded = false } = event;
	const { method } = event.requestContext.http;
	const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
	if (bytes.length > MAX_REQUEST_BYTES) return written({ status: 413, type: 'text/plain', body: 'too long\n' });
	return written(await respond(witness, { method, path, body: bytes }));
}

const written = ({ status, type, body }: Answer): UrlAnswer => ({
	statusCode: status,
	headers: { 'content-type': type },
	body,
});
