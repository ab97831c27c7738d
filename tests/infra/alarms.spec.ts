/** Of what somebody would be told by the sample stage, and how it is found. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, sampleStack } from './stack.ts';

const { all, one, settings } = sampleStack();

describe('the alarms', () => {
	it('tell of failure, of silence and of dead-letter queues, and reach somebody', () => {
		const alarms = all('aws:cloudwatch/metricAlarm:MetricAlarm');
		const watched = alarms.map((a) => [a.name, [a.inputs['metricName'], a.inputs['treatMissingData']]]);
		expect(Object.fromEntries(watched)).toEqual({
			ApiFaults: ['5xx', 'notBreaching'],
			Bypass: ['Bypass', 'notBreaching'],
			CompletenessFails: ['Errors', 'notBreaching'],
			CompletenessGivenUp: ['ApproximateNumberOfMessagesVisible', 'notBreaching'],
			CompletenessSilent: ['Invocations', 'breaching'],
			Drift: ['Drift', 'notBreaching'],
			EraseFails: ['Errors', 'notBreaching'],
			EraseGivenUp: ['ApproximateNumberOfMessagesVisible', 'notBreaching'],
			EraseSilent: ['Invocations', 'breaching'],
			GlassBroken: ['GlassBroken', 'notBreaching'],
			Incomplete: ['Incomplete', 'notBreaching'],
			Orphaned: ['Orphaned', 'notBreaching'],
			ReconcileFails: ['Errors', 'notBreaching'],
			ReconcileGivenUp: ['ApproximateNumberOfMessagesVisible', 'notBreaching'],
			ReconcileSilent: ['Invocations', 'breaching'],
			ReviewOverdue: ['ReviewOverdue', 'notBreaching'],
			SealAside: ['SealAside', 'notBreaching'],
			SealFails: ['Errors', 'notBreaching'],
			SealGivenUp: ['ApproximateNumberOfMessagesVisible', 'notBreaching'],
			SealLate: ['SealLate', 'notBreaching'],
			SealSilent: ['Invocations', 'breaching'],
			SealStopped: ['SealStopped', 'notBreaching'],
			SealUncosigned: ['SealUncosigned', 'notBreaching'],
			SweepFails: ['Errors', 'notBreaching'],
			SweepGivenUp: ['ApproximateNumberOfMessagesVisible', 'notBreaching'],
			SweepSilent: ['Invocations', 'breaching'],
		});
		expect(alarms.every((a) => (a.inputs['alarmActions'] as string[])[0]?.startsWith('arn:aws:sns:'))).toBe(true);
		expect(one('aws:sns/topicSubscription:TopicSubscription', 'AlarmsMail')['endpoint']).toBe(settings.alarmEmail);
	});
});

describe.each([
	['DriftLines', 'Drift', 'reconcileLog', 'core/reconcile'],
	['GlassBrokenLines', 'GlassBroken', 'apiLog', 'core/access'],
	['GlassBrokenLateLines', 'GlassBroken', 'sweepLog', 'core/access'],
	['ReviewOverdueLines', 'ReviewOverdue', 'sweepLog', 'core/access'],
	['SealAsideLines', 'SealAside', 'sealLog', 'core/tlog'],
	['SealStoppedLines', 'SealStopped', 'sealLog', 'functions'],
	['SealLateLines', 'SealLate', 'sealLog', 'functions'],
	['SealUncosignedLines', 'SealUncosigned', 'sealLog', 'core/tlog'],
	['BypassLines', 'Bypass', 'completenessLog', 'core/completeness'],
	['BypassOnDemandLines', 'Bypass', 'apiLog', 'core/completeness'],
	['OrphanedLines', 'Orphaned', 'completenessLog', 'core/completeness'],
	['IncompleteLines', 'Incomplete', 'completenessLog', 'core/completeness'],
	['IncompleteOnDemandLines', 'Incomplete', 'apiLog', 'core/completeness'],
])('what is told in a log (%s)', (title, name, log, from) => {
	const filter = () => one('aws:cloudwatch/logMetricFilter:LogMetricFilter', title);

	it('is counted in the log of the function that finds it, and each one is told', () => {
		expect(filter()['logGroupName']).toBe(one('aws:cloudwatch/logGroup:LogGroup', log)['name']);
		const metric = filter()['metricTransformation'] as { name: string; namespace: string; value: string };
		expect(metric).toMatchObject({ name, namespace: 'fairlead/sample', value: '1' });
		expect(one('aws:cloudwatch/metricAlarm:MetricAlarm', name)).toMatchObject({
			metricName: metric.name,
			namespace: metric.namespace,
			statistic: 'Sum',
			threshold: 0,
			comparisonOperator: 'GreaterThanThreshold',
		});
	});

	it('is found by the words that the code writes', () => {
		const [, phrase = ''] = /^"([^"]+)"$/.exec(filter()['pattern'] as string) ?? [];
		const folder = path.join(root, from);
		const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
		const sources = files.map((file) => readFileSync(path.join(folder, file), 'utf8'));
		expect(phrase.length).toBeGreaterThan(10);
		const warns = [`.warn('${phrase}`, `.warn(\`${phrase}`];
		const says = [...warns, `export const STOPPED = '${phrase}'`, `export const LATE = '${phrase}'`];
		expect(sources.filter((source) => says.some((text) => source.includes(text)))).toHaveLength(1);
	});
});
