/**
 * Erasing what the ledger says in words: names, free text and literals lie in payloads, of which an entry holds a salted
 * hash alone. A payload goes, the entry stays, and everything still verifies.
 *
 * Promise: nothing is erased that was not asked for on record, by whoever answers for it; nothing that something in force
 * still needs; and that it was is on record, too. Who asks can erase nothing, and the eraser (eraser.ts) can ask nothing.
 */
export { type Erasure, get } from './eraser.ts';
export { ErasureRequest, request } from './erasure/request.ts';
export { ErasureView, viewOf } from './erasure/view.ts';
