/**
 * What runs by the clock, each one at a time. A pass that fails is not repeated, for the next one does its work; it goes
 * to a dead-letter queue and to an alarm. Two passes at once would be safe, and slow.
 */
import { type Made, makeFunction, type Shared } from './functions.ts';

export type Scheduled = Made & { readonly dead: aws.sqs.Queue };

type Plan = {
	readonly name: 'sweep' | 'reconcile' | 'seal' | 'erase' | 'completeness';
	/** Its queue. */
	readonly dead: string;
	readonly every: $util.Input<'rate(1 minute)' | 'rate(15 minutes)' | 'rate(6 hours)'>;
	readonly timeout: sst.aws.FunctionArgs['timeout'];
	/** An event waits at most this long for a pass that is still running. */
	readonly patienceSeconds: number;
};

/** Expiry and whatever was left half done. */
export function makeSweep(shared: Shared): Scheduled {
	return schedule(shared, {
		name: 'sweep',
		dead: 'DeadSweeps',
		every: 'rate(1 minute)',
		timeout: '10 minutes',
		patienceSeconds: 300,
	});
}

/** What Lake Formation holds against what was granted. A pass that is cut off leaves its lease to run out. */
export function makeReconcile(shared: Shared): Scheduled {
	return schedule(shared, {
		name: 'reconcile',
		dead: 'DeadReconciliations',
		every: 'rate(15 minutes)',
		timeout: '15 minutes',
		patienceSeconds: 900,
	});
}

/** The log over the ledger: passes for most of each minute. A pass that is cut off is gone on with by the next one. */
export function makeSeal(shared: Shared): Scheduled {
	return schedule(shared, {
		name: 'seal',
		dead: 'DeadSeals',
		every: 'rate(1 minute)',
		timeout: '3 minutes',
		patienceSeconds: 120,
	});
}

/** What is to be erased, within minutes of being asked for. A pass that is cut off is gone on with by the next one. */
export function makeErase(shared: Shared): Scheduled {
	return schedule(shared, {
		name: 'erase',
		dead: 'DeadErasures',
		every: 'rate(1 minute)',
		timeout: '3 minutes',
		patienceSeconds: 120,
	});
}

/**
 * Each day that is over, once. More often than daily: a day that a pass had no time for, or an account that did not answer,
 * does not wait until tomorrow; with nothing to do a pass reads a few entries.
 */
export function makeCompleteness(shared: Shared): Scheduled {
	return schedule(shared, {
		name: 'completeness',
		dead: 'DeadCompleteness',
		every: 'rate(6 hours)',
		timeout: '15 minutes',
		patienceSeconds: 3600,
	});
}

function schedule(shared: Shared, { name, dead: queue, every, timeout, patienceSeconds }: Plan): Scheduled {
	const dead = new aws.sqs.Queue(queue, { sqsManagedSseEnabled: true, messageRetentionSeconds: 14 * 86_400 });
	const more = [{ Sid: 'Dead', Effect: 'Allow' as const, Action: ['sqs:SendMessage'], Resource: [dead.arn] }];
	const { run, logGroup } = makeFunction(name, shared, {
		timeout,
		memory: '1024 MB',
		concurrency: { reserved: 1 },
		more,
	});
	const title = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
	new aws.lambda.FunctionEventInvokeConfig(`${title}Events`, {
		functionName: run.name,
		maximumRetryAttempts: 0,
		maximumEventAgeInSeconds: patienceSeconds,
		destinationConfig: { onFailure: { destination: dead.arn } },
	});
	new sst.aws.CronV2(`${title}Schedule`, {
		schedule: every,
		function: run.arn,
		retries: 2,
		dlq: dead.arn,
		transform: {
			role: (args) => {
				args.assumeRolePolicy = schedulerOfThisAccount();
			},
		},
	});
	return { run, logGroup, dead };
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
