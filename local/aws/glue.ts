/**
 * Glue's Data Catalog as Lake Formation lets a caller see and change it: databases, resource links, tables, partitions.
 * Columns that were not granted are not listed, and what may not be seen does not exist. Each change is kept before it
 * is answered, so a crash leaves it done or not done. Rules: Glue API reference and service model; LF developer guide,
 * "resource-links-glue-apis" for what is followed through a link.
 */
import type { Operations } from '../wire.ts';
import { databaseOperations } from './glue/databases.ts';
import { partitionOperations } from './glue/partitions.ts';
import { tableOperations } from './glue/tables.ts';
import type { Store } from './store.ts';

export { forgotten, LEFT_BY_A_DROP, onTable } from './glue/dropped.ts';

export function makeGlue(store: Store, clock: () => Date): Operations {
	return new Map([
		...databaseOperations(store, clock),
		...tableOperations(store, clock),
		...partitionOperations(store, clock),
	]);
}
