/** What a ClientRequestToken stands for, and for how long (Athena API reference; measured by others for over a minute). */
import { randomUUID } from 'node:crypto';
import { StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import type { Assumption } from './stage.ts';
import { ended, grant, pause, refusalOf, tableOf } from './steps.ts';

export const tokenReplay: Assumption = {
	name: 'token-replay',
	question: 'Does a token give the same execution again, after its end, after a failure, and after a while?',
	assumed: {
		again: true,
		afterItsEnd: true,
		afterAFailure: true,
		afterAWhile: true,
		otherText: 'IDEMPOTENT_PARAMETER_MISMATCH',
		afterASyntaxError: 'taken',
	},
	async observe(stage) {
		const { athena } = await stage.as();
		await grant(stage, tableOf(stage, stage.tables.plain));
		const good = `SELECT id FROM ${stage.database}.${stage.tables.plain}`;
		const start = async (QueryString: string, ClientRequestToken: string) => {
			const command = new StartQueryExecutionCommand({ QueryString, ClientRequestToken, WorkGroup: stage.workGroup });
			return (await athena.send(command)).QueryExecutionId;
		};
		const token = randomUUID();
		const first = await start(good, token);
		const again = (await start(good, token)) === first;
		await ended(stage, athena, first);
		const afterItsEnd = (await start(good, token)) === first;
		const other: unknown = await start('SELECT 1', token).catch((error: unknown) => error);
		const otherText =
			typeof other === 'object' && other !== null && 'AthenaErrorCode' in other
				? String(other.AthenaErrorCode)
				: 'taken';
		const failing = `SELECT nosuch FROM ${stage.database}.${stage.tables.plain}`;
		const failed = randomUUID();
		const execution = await start(failing, failed);
		await ended(stage, athena, execution);
		const unread = randomUUID();
		await refusalOf(start('SELEC 1', unread));
		const afterASyntaxError = (await refusalOf(start(good, unread))).name || 'taken';
		const afterAFailure = (await start(failing, failed)) === execution;
		await pause(stage.patienceMs);
		return {
			observed: {
				again,
				afterItsEnd,
				afterAFailure,
				afterAWhile: (await start(good, token)) === first,
				otherText,
				afterASyntaxError,
			},
			measured: { whileInSeconds: stage.patienceMs / 1000 },
		};
	},
};
