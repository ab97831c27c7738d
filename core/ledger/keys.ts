/** The names of the listings: what each of them holds, and by what its lines are ordered. Pure. */
import type { TableRef } from './schema.ts';

/** Work queues and flow listings are spread over this many partitions. */
export const SHARDS = 8;

export const key = {
	domains: 'domains',
	products: 'products',
	person: (person: string) => `person#${person}`,
	table: (database: string, table: string) => `table#${database}.${table}`,
	requestsOfDomain: (domain: string) => `requests#domain#${domain}`,
	requestsOfPerson: (person: string) => `requests#person#${person}`,
	grantsOfDomain: (domain: string) => `grants#domain#${domain}`,
	grantsOfPerson: (person: string) => `grants#person#${person}`,
	/** Grants of a product that may be in force; whoever finds one there that has ended takes it off. */
	grantsOfProduct: (product: string) => `grants#product#${product}`,
	/** The same of a consuming domain. */
	grantsOfConsumer: (domain: string) => `grants#consumer#${domain}`,
	/** Products and domains by when the grants that their last change may affect are to be looked at. */
	affected: (shard: number) => `affected#${shard}`,
	/** Delegations that somebody gave or was given, and those of a domain. */
	delegationsOfPerson: (person: string) => `delegations#person#${person}`,
	delegationsOfDomain: (domain: string) => `delegations#domain#${domain}`,
	/** By whose delegations somebody may decide in a domain, by their end, and those of a domain; what was taken back goes. */
	mandates: (person: string, domain: string) => `mandates#${person}#${domain}`,
	delegationsByEnd: (domain: string) => `delegations#end#${domain}`,
	/** Every table on which anybody ever held anything. */
	held: 'held',
	/** Who ever held anything on a table. */
	holdersOf: (t: TableRef) => `holders#${t.account}.${t.database}.${t.table}`,
	/** Which tables the principals of a consuming account ever held in databases of other accounts. */
	heldFrom: (account: string) => `heldfrom#${account}`,
	/** Entitlements by when they were last on their way to Lake Formation: whoever was overtaken may have left something. */
	moving: (shard: number) => `moving#${shard}`,
	/** Requests by when they were filed, for reminders and lapsing; the sweep takes off what is decided. */
	pending: (shard: number) => `pending#${shard}`,
	/** Access taken in an emergency that nobody has looked at, by when that is due: of all, and of one domain's products. */
	unreviewed: 'unreviewed',
	unreviewedOfDomain: (domain: string) => `unreviewed#domain#${domain}`,
	/** The same, for the sweep to tell of what is overdue. */
	reviews: (shard: number) => `reviews#${shard}`,
	/** What somebody took in emergencies: what nobody has looked at, by when that is due, and what was without need, by when that was found. */
	emergenciesOf: (person: string) => `emergencies#person#${person}`,
	condemnedOf: (person: string) => `condemned#person#${person}`,
	/** The flow of an execution of Athena, as its end says. */
	execution: (id: string) => `execution#${id}`,
	/** Flows that ended without anybody knowing their execution, by when. */
	unnoted: 'unnoted',
	/** Days that were checked, and bypasses that were found on one: of all, and on one domain's products. */
	completeness: 'completeness',
	bypasses: (day: string) => `bypasses#${day}`,
	bypassesOfDomain: (domain: string, day: string) => `bypasses#domain#${domain}#${day}`,
	/** Entries whose payload was to be erased, by when that was asked; and those of them that still have it. */
	erasures: 'erasures',
	erasing: 'erasing',
	/** Grants by their end, for expiry. */
	due: (shard: number) => `due#${shard}`,
	/** Grants and queries that are on their way. */
	open: (shard: number) => `open#${shard}`,
	flows: (product: string, day: string, shard: number) => `flows#${product}#${day}#${shard}`,
} as const;
