/**
 * What somebody must be told: a scheduled pass that failed, was given up or is silent; rights in Lake Formation that nobody
 * approved; access taken in an emergency; answers that are our fault.
 */
import type { Made } from './functions.ts';
import type { Scheduled } from './schedules.ts';
import type { StageSettings } from './settings.ts';

type Metric = Pick<
	aws.cloudwatch.MetricAlarmArgs,
	'namespace' | 'metricName' | 'dimensions' | 'statistic' | 'alarmDescription'
> & {
	readonly above?: number;
	readonly below?: number;
	readonly minutes: number;
};

/**
 * How reconciliation tells of drift that is left to somebody (`core/reconcile`). A phrase in quotes is found wherever it
 * stands in a line (CloudWatch Logs User Guide, filter and pattern syntax), however Lambda wraps what is written.
 */
export const DRIFT_PATTERN = '"reconcile: drift"';

type Told = {
	readonly api: Made;
	readonly sweep: Scheduled;
	readonly reconcile: Scheduled;
	readonly seal: Scheduled;
	readonly erase: Scheduled;
	readonly completeness: Scheduled;
};

export function makeAlarms(
	settings: StageSettings,
	{ api, sweep, reconcile, seal, erase, completeness }: Told,
	gateway: sst.aws.ApiGatewayV2,
) {
	const topic = new aws.sns.Topic('Alarms');
	if (settings.alarmEmail !== null) {
		new aws.sns.TopicSubscription('AlarmsMail', {
			topic: topic.arn,
			protocol: 'email',
			endpoint: settings.alarmEmail,
		});
	}
	watch('Sweep', topic, sweep, {
		fails: 'A sweep failed. Access is refused on time without it; Lake Formation follows late.',
		silent: 'No sweep for ten minutes: ended grants stay in Lake Formation, and queries open.',
		silence: 10,
	});
	watch('Reconcile', topic, reconcile, {
		fails: 'A reconciliation left tables unchecked, or found what is not to be repaired and could not record it.',
		silent: 'No reconciliation for an hour: rights that nobody approved would stay unseen.',
		silence: 60,
	});
	watch('Erase', topic, erase, {
		fails: 'A pass of the eraser failed: what is to be erased is still there.',
		silent: 'No pass of the eraser for an hour: what is to be erased is still there.',
		silence: 60,
	});
	const namespace = `${$app.name}/${$app.stage}`;
	new aws.cloudwatch.LogMetricFilter('DriftLines', {
		logGroupName: reconcile.logGroup.name,
		pattern: DRIFT_PATTERN,
		metricTransformation: { name: 'Drift', namespace, value: '1' },
	});
	// Each pass tells of it again: a period of two leaves no gap while it stands.
	alarm('Drift', topic, {
		namespace,
		metricName: 'Drift',
		statistic: 'Sum',
		alarmDescription: 'Reconciliation found what nobody approved and does not mend by itself; the doctor lists it.',
		above: 0,
		minutes: 30,
	});
	emergencies(topic, namespace, { api, sweep });
	log(topic, namespace, seal);
	reads(topic, namespace, { api, completeness });
	alarm('ApiFaults', topic, {
		namespace: 'AWS/ApiGateway',
		metricName: '5xx',
		dimensions: { ApiId: gateway.nodes.api.id },
		statistic: 'Sum',
		alarmDescription: 'More than five answers of the API in five minutes were 5xx.',
		above: 5,
		minutes: 5,
	});
	return topic;
}

/** How `core/completeness` tells of data that went past Fairlead, of flows without an end, and of a day it could not see whole. */
export const BYPASS_PATTERN = '"completeness: bypass"';
export const ORPHANED_PATTERN = '"completeness: orphaned flows"';
export const INCOMPLETE_PATTERN = '"completeness: incomplete day"';

/**
 * A bypass is told as soon as it is found, and again when its day is recorded; of an incomplete day each pass tells again. A
 * day checked on demand is checked by the API.
 */
function reads(
	topic: aws.sns.Topic,
	namespace: string,
	{ api, completeness }: Pick<Told, 'api' | 'completeness'>,
): void {
	watch('Completeness', topic, completeness, {
		fails: 'A check of what AWS saw of reads failed: what went past Fairlead would stay unseen.',
		silent: 'No check of what AWS saw of reads for a day: what went past Fairlead would stay unseen.',
		silence: 1440,
	});
	const told = [
		['Bypass', BYPASS_PATTERN, 'Data of one domain was read by another past Fairlead; GET /completeness lists it.'],
		['Orphaned', ORPHANED_PATTERN, 'Flows of a day have no end; GET /completeness lists them.'],
		['Incomplete', INCOMPLETE_PATTERN, 'What was read on a day could not be looked at in every account.'],
	] as const;
	for (const [name, pattern, alarmDescription] of told) {
		const metricTransformation = { name, namespace, value: '1' };
		for (const [title, { logGroup }] of [
			[`${name}Lines`, completeness],
			[`${name}OnDemandLines`, api],
		] as const) {
			new aws.cloudwatch.LogMetricFilter(title, { logGroupName: logGroup.name, pattern, metricTransformation });
		}
		alarm(name, topic, { namespace, metricName: name, statistic: 'Sum', alarmDescription, above: 0, minutes: 5 });
	}
}

/** How `core/access` tells of access that was taken without approval, and of what nobody reviewed in time. */
export const BROKEN_PATTERN = '"access: glass broken"';
export const OVERDUE_PATTERN = '"access: review overdue"';

/** Each is told once, or twice: never again while it stands. */
function emergencies(topic: aws.sns.Topic, namespace: string, { api, sweep }: Pick<Told, 'api' | 'sweep'>): void {
	const count = (title: string, name: string, pattern: string, { logGroup }: Pick<Made, 'logGroup'>) => {
		const metricTransformation = { name, namespace, value: '1' };
		new aws.cloudwatch.LogMetricFilter(title, { logGroupName: logGroup.name, pattern, metricTransformation });
	};
	// What the API could not finish, the sweep opens.
	count('GlassBrokenLines', 'GlassBroken', BROKEN_PATTERN, api);
	count('GlassBrokenLateLines', 'GlassBroken', BROKEN_PATTERN, sweep);
	count('ReviewOverdueLines', 'ReviewOverdue', OVERDUE_PATTERN, sweep);
	const told = { namespace, statistic: 'Sum', above: 0, minutes: 5 };
	alarm('GlassBroken', topic, {
		...told,
		metricName: 'GlassBroken',
		alarmDescription: 'Somebody took access in an emergency, without approval; GET /break-glass lists it.',
	});
	alarm('ReviewOverdue', topic, {
		...told,
		metricName: 'ReviewOverdue',
		alarmDescription: 'Nobody reviewed in time what was taken in an emergency; GET /break-glass lists it.',
	});
}

/** How the sealer tells that it stopped, what it put aside, that entries wait too long, and who did not cosign. */
export const STOPPED_PATTERN = '"ledger: sealing stopped"';
export const ASIDE_PATTERN = '"ledger: an entry cannot be sealed"';
export const LATE_PATTERN = '"ledger: sealing is late"';
export const UNCOSIGNED_PATTERN = '"ledger: a witness did not cosign"';

function log(topic: aws.sns.Topic, namespace: string, seal: Scheduled): void {
	watch('Seal', topic, seal, {
		fails: 'A pass of the sealer failed. What is recorded stays recorded; it is not in the log yet.',
		silent: 'No pass of the sealer for ten minutes: what is recorded since is not tamper-evident yet.',
		silence: 10,
	});
	const told = [
		['SealStopped', STOPPED_PATTERN, 'The log is not as the sealer left it: nothing is signed. See docs/ledger.md.'],
		['SealAside', ASIDE_PATTERN, 'An entry cannot be sealed and was put aside. See docs/ledger.md.'],
		['SealLate', LATE_PATTERN, 'An entry waits for more than five minutes to be sealed.'],
		['SealUncosigned', UNCOSIGNED_PATTERN, 'A witness did not cosign a checkpoint. See docs/ledger.md.'],
	] as const;
	for (const [name, pattern, alarmDescription] of told) {
		const metricTransformation = { name, namespace, value: '1' };
		new aws.cloudwatch.LogMetricFilter(`${name}Lines`, {
			logGroupName: seal.logGroup.name,
			pattern,
			metricTransformation,
		});
		alarm(name, topic, { namespace, metricName: name, statistic: 'Sum', alarmDescription, above: 0, minutes: 5 });
	}
}

type Watched = { readonly fails: string; readonly silent: string; readonly silence: number };

function watch(name: string, topic: aws.sns.Topic, { run, dead }: Scheduled, watched: Watched): void {
	const onRun = { namespace: 'AWS/Lambda', dimensions: { FunctionName: run.name }, statistic: 'Sum' };
	const { fails, silent, silence } = watched;
	alarm(`${name}Fails`, topic, { ...onRun, metricName: 'Errors', alarmDescription: fails, above: 0, minutes: 1 });
	alarm(`${name}Silent`, topic, {
		...onRun,
		metricName: 'Invocations',
		alarmDescription: silent,
		below: 1,
		minutes: silence,
	});
	alarm(`${name}GivenUp`, topic, {
		namespace: 'AWS/SQS',
		metricName: 'ApproximateNumberOfMessagesVisible',
		dimensions: { QueueName: dead.name },
		statistic: 'Maximum',
		alarmDescription: `The dead-letter queue of the ${name.toLowerCase()} holds an event.`,
		above: 0,
		minutes: 1,
	});
}

/** Where nothing is measured, nothing fails; except where something should be: then silence is the fault. */
function alarm(name: string, topic: aws.sns.Topic, { above, below, minutes, ...metric }: Metric): void {
	new aws.cloudwatch.MetricAlarm(name, {
		...metric,
		comparisonOperator: below === undefined ? 'GreaterThanThreshold' : 'LessThanThreshold',
		threshold: below ?? above ?? 0,
		period: 60 * minutes,
		evaluationPeriods: 1,
		treatMissingData: below === undefined ? 'notBreaching' : 'breaching',
		alarmActions: [topic.arn],
		okActions: [topic.arn],
	});
}
