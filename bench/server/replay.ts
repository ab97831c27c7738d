/**
 * Lets the store answer from memory what it answered before: reads by their whole input, writes by table. What is left
 * of a request is Fairlead's own work, without the client of DynamoDB and without its server.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

type Command = { readonly input: { readonly TableName?: string } };
type Send = (command: Command) => Promise<unknown>;

export function replayStore(): void {
	const prototype = DynamoDBClient.prototype as unknown as { send: Send };
	const { send } = prototype;
	const answers = new Map<string, unknown>();
	prototype.send = async function remembered(this: DynamoDBClient, command) {
		const { name } = command.constructor;
		const isRead = /^(Get|Query|BatchGet|Scan)/.test(name);
		const key = `${name} ${isRead ? JSON.stringify(command.input) : (command.input.TableName ?? '')}`;
		if (!answers.has(key)) answers.set(key, await send.call(this, command));
		return answers.get(key);
	};
}
