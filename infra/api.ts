/**
 * The HTTP API. Every address goes to one function, which verifies the token itself: it alone knows which addresses are
 * public, and a second verifier in front would answer refusals in another form. API Gateway throttles the whole, the
 * function each caller.
 */
import { type Made, makeFunction, type Shared } from './functions.ts';
import type { StageSettings } from './settings.ts';

/** No path and no query: a caller could put anything there. */
const accessLine = {
	time: '$context.requestTime',
	request: '$context.requestId',
	method: '$context.httpMethod',
	status: '$context.status',
	bytes: '$context.responseLength',
	ms: '$context.responseLatency',
	functionMs: '$context.integrationLatency',
	fault: '$context.integrationErrorMessage',
	address: '$context.identity.sourceIp',
};

export function makeGateway(settings: StageSettings): sst.aws.ApiGatewayV2 {
	return new sst.aws.ApiGatewayV2('Gateway', {
		...(settings.domain === null ? {} : { domain: settings.domain }),
		cors: false,
		accessLog: { retention: settings.logRetention },
		transform: {
			api: { disableExecuteApiEndpoint: settings.domain !== null },
			stage: (args) => {
				const destination = $output(args.accessLogSettings).apply((log) => log?.destinationArn ?? '');
				args.accessLogSettings = { destinationArn: destination, format: JSON.stringify(accessLine) };
				args.defaultRouteSettings = {
					throttlingRateLimit: settings.callsPerSecond,
					throttlingBurstLimit: 2 * settings.callsPerSecond,
				};
			},
		},
	});
}

/** API Gateway gives up after 30 seconds (HTTP API quotas); the function ends before. */
export function makeApi(gateway: sst.aws.ApiGatewayV2, shared: Shared): Made {
	const api = makeFunction('api', shared, { timeout: '29 seconds', memory: '1769 MB' });
	gateway.route('$default', api.run.arn);
	return api;
}
