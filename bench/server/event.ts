/** Payload format 2.0 of an HTTP API (API Gateway Developer Guide, "Lambda proxy integrations"). */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

type Result = APIGatewayProxyStructuredResultV2 & { readonly statusCode: number };
export type Handler = (event: APIGatewayProxyEventV2, context: object) => Promise<Result>;

export type Sent = {
	readonly method: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body?: string | undefined;
};

export function toEvent(rawPath: string, rawQueryString: string, sent: Sent): APIGatewayProxyEventV2 {
	const domainName = 'api.fairlead.example';
	return {
		version: '2.0',
		routeKey: '$default',
		rawPath,
		rawQueryString,
		headers: { ...sent.headers, host: domainName, 'x-forwarded-proto': 'https' },
		requestContext: {
			accountId: '210000000000',
			apiId: 'api',
			domainName,
			domainPrefix: 'api',
			http: { method: sent.method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'bench' },
			requestId: 'bench',
			routeKey: '$default',
			stage: '$default',
			time: '01/Mar/2026:12:00:00 +0000',
			timeEpoch: 1_772_366_400_000,
		},
		...(sent.body === undefined ? {} : { body: sent.body }),
		isBase64Encoded: false,
	};
}
