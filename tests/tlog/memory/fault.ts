/** What DynamoDB answers to what it does not do, as its client throws it. */
import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';

export const meta = { $metadata: {} };

export const fault = (name: string, message: string) =>
	new DynamoDBServiceException({ name, message, $fault: 'client', ...meta });

export const invalid = (message: string) => fault('ValidationException', message);
