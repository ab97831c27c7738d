/**
 * The schedule: one pass a minute, one at a time. A pass that fails is not repeated, for the next one does its work; it
 * goes to the dead-letter queue and to an alarm. Two passes at once would be safe, and slow.
 */
import { makeFunction, type Shared } from './functions.ts';

export type Sweep = { readonly sweep: sst.aws.Function; readonly dead: aws.sqs.Queue };

/** Waits at most this long for a pass that is still running. */
const PATIENCE_SECONDS = 300;

export function makeSweep(shared: Shared): Sweep {
	const dead = new aws.sqs.Queue('DeadSweeps', {
		sqsManagedSseEnabled: true,
		messageRetentionSeconds: 14 * 86_400,
	});
	const more = [{ Sid: 'Dead', Effect: 'Allow' as const, Action: ['sqs:SendMessage'], Resource: [dead.arn] }];
	const sweep = makeFunction('sweep', shared, {
		timeout: '10 minutes',
		memory: '1024 MB',
		concurrency: { reserved: 1 },
		more,
	});
	new aws.lambda.FunctionEventInvokeConfig('SweepEvents', {
		functionName: sweep.name,
		maximumRetryAttempts: 0,
		maximumEventAgeInSeconds: PATIENCE_SECONDS,
		destinationConfig: { onFailure: { destination: dead.arn } },
	});
	new sst.aws.CronV2('SweepSchedule', {
		schedule: 'rate(1 minute)',
		function: sweep.arn,
		retries: 2,
		dlq: dead.arn,
		transform: {
			role: (args) => {
				args.assumeRolePolicy = schedulerOfThisAccount();
			},
		},
	});
	return { sweep, dead };
}

/** EventBridge Scheduler User Guide, confused deputy: only schedules of this account may use the role. */
function schedulerOfThisAccount(): $util.Output<string> {
	return $jsonStringify({
		Version: '2012-10-17',
		Statement: [
			{
				Effect: 'Allow',
				Principal: { Service: 'scheduler.amazonaws.com' },
				Action: 'sts:AssumeRole',
				Condition: { StringEquals: { 'aws:SourceAccount': aws.getCallerIdentityOutput().accountId } },
			},
		],
	});
}
