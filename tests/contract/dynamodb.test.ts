/**
 * What Fairlead asks of DynamoDB, and what it is told, of the embedded one and of any other that
 * FAIRLEAD_DYNAMODB_ENDPOINT names (dynamodb/store.ts).
 */
import { expect, test } from 'vitest';
import { dynamodbPromises } from './dynamodb/promises.ts';
import { OTHERWISE, told } from './dynamodb/store.ts';

dynamodbPromises('the embedded one, or the one that is named');

test('each exception from the suite is one of a promise in it', () => {
	expect([...told].toSorted()).toEqual(Object.keys(OTHERWISE).toSorted());
});
