/** The same of the one in memory: what the log is tried and measured on answers as the others do. */
import { dynamodbPromises } from './dynamodb/promises.ts';

dynamodbPromises('the one in memory');
