/** What somebody must be told: a sweep that failed, was given up or is silent; answers that are our fault. */
import type { StageSettings } from './settings.ts';
import type { Sweep } from './sweep.ts';

type Metric = Pick<
	aws.cloudwatch.MetricAlarmArgs,
	'namespace' | 'metricName' | 'dimensions' | 'statistic' | 'alarmDescription'
> & {
	readonly above?: number;
	readonly below?: number;
	readonly minutes: number;
};

export function makeAlarms(settings: StageSettings, { sweep, dead }: Sweep, gateway: sst.aws.ApiGatewayV2) {
	const topic = new aws.sns.Topic('Alarms');
	if (settings.alarmEmail !== null) {
		new aws.sns.TopicSubscription('AlarmsMail', {
			topic: topic.arn,
			protocol: 'email',
			endpoint: settings.alarmEmail,
		});
	}
	const onSweep = { namespace: 'AWS/Lambda', dimensions: { FunctionName: sweep.name }, statistic: 'Sum' };
	alarm('SweepFails', topic, {
		...onSweep,
		metricName: 'Errors',
		alarmDescription: 'A sweep failed. Access is refused on time without it; Lake Formation follows late.',
		above: 0,
		minutes: 1,
	});
	alarm('SweepSilent', topic, {
		...onSweep,
		metricName: 'Invocations',
		alarmDescription: 'No sweep for ten minutes: ended grants stay in Lake Formation, and queries open.',
		below: 1,
		minutes: 10,
	});
	alarm('SweepGivenUp', topic, {
		namespace: 'AWS/SQS',
		metricName: 'ApproximateNumberOfMessagesVisible',
		dimensions: { QueueName: dead.name },
		statistic: 'Maximum',
		alarmDescription: 'The dead-letter queue of the sweep holds an event.',
		above: 0,
		minutes: 1,
	});
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
