/**
 * The log over the ledger: its entries sealed into a Merkle tree (RFC 6962) that is published as tiles, entry bundles and
 * signed checkpoints (C2SP tlog-tiles, tlog-checkpoint), so that anybody who holds one checkpoint and the key can show
 * that a sealed entry was changed, taken away or moved.
 *
 * Promise: an entry that was acknowledged comes into the log once, after everything that it follows. What cannot be
 * sealed is put aside and told. Where the log is not as the sealer left it, nothing is signed any more.
 */
export { type Audit, type AuditFault, auditStore } from './tlog/audit.ts';
export { readHead } from './tlog/head.ts';
export { QUARANTINE, quarantined, release } from './tlog/marker.ts';
export type { Alarm, Log, Objects, ReadCtx, SealCtx, Signer, Witness, Witnesses } from './tlog/ports.ts';
export { type Consistency, consistencyBetween, type Found, find, proofAt } from './tlog/proofs.ts';
export { archived, published } from './tlog/publish.ts';
export { type Pass, seal } from './tlog/seal.ts';
