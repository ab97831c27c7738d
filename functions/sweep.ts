/** Lambda entry of the schedule: expiry, repair. */
import { randomBytes } from 'node:crypto';
import { sweep } from '#core/sweep.ts';
import { buildPlatform } from './platform.ts';

const { platform } = buildPlatform(process.env);

export const handler = () => sweep(platform, randomBytes(16).toString('hex'));
