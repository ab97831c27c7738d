/** What entries of several kinds share. */
import * as z from 'zod';
import { Hash } from '../entry.ts';

export const Person = z.string();
export const Instant = z.iso.datetime({ precision: 3 });

/** A Glue table where it really is: never a share or a resource link. */
export const TableRef = z.object({ account: z.string(), database: z.string(), table: z.string() });
export type TableRef = z.infer<typeof TableRef>;

/** Which policies decided, and the hash of the whole set they belong to. */
export const Rules = z.object({ policies: z.array(z.string()), setHash: Hash });
export type Rules = z.infer<typeof Rules>;

/** Row filter tree as recorded; parsed again by the row-filter schema before it is used. */
export const StoredFilter = z.union([z.null(), z.record(z.string(), z.json())]);

export const TableScope = TableRef.extend({ columns: z.array(z.string()).min(1), rowFilter: StoredFilter });
