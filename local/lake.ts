/**
 * A lake: a folder of CSV or Parquet files, the data contracts that describe them and the domains that own them.
 * The sample bank's is made here from a seed; any other can be named. Files are only read, and only those that a
 * contract locates.
 */
import { fileURLToPath } from 'node:url';

export { type ContractFile, readContracts } from './lake/contracts.ts';
export { type Domain, type DomainFile, readDomains, registrationOf } from './lake/domains.ts';
export { generateLake, type LakeOptions } from './lake/generate.ts';
export { type LandingOptions, landing } from './lake/landing.ts';
export { type Row, readTable } from './lake/read.ts';

/** `domains.yaml` and `contracts/` of the sample bank, for the lake that `generateLake` makes. */
export const sampleContracts = fileURLToPath(new URL('sample', import.meta.url));
