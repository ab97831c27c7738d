/** The functions that are deployed: where each starts and where its bundle lies. */
import type { FunctionName } from './actions.ts';

/** From the root of the repository. */
export const entries: Record<FunctionName, string> = { api: 'functions/api.ts', sweep: 'functions/sweep.ts' };

/** The thread that reads SQL, beside the function that starts it. */
export const parser = 'functions/parser.ts';

/** Folder of a function's bundle below the root; its handler is `index.handler`. */
export const folderOf = (name: FunctionName) => `dist/${name}`;

/** Where Lambda unpacks that folder. */
export const TASK_ROOT = '/var/task';
