/** The functions that are deployed: where each starts and where its bundle lies. */
import type { FunctionName } from './actions.ts';

/** From the root of the repository. */
export const entries: Record<FunctionName, string> = {
	api: 'functions/api.ts',
	sweep: 'functions/sweep.ts',
	reconcile: 'functions/reconcile.ts',
	seal: 'functions/seal.ts',
	erase: 'functions/erase.ts',
	completeness: 'functions/completeness.ts',
};

/** The thread that reads SQL, beside the function that starts it. */
export const parser = 'functions/parser.ts';

/** What others deploy in their accounts (`infra/accounts/witness.yaml`). */
export const witness = 'functions/witness.ts';

/** Folder of a function's bundle below the root; its handler is `index.handler`. */
export const folderOf = (name: FunctionName) => `dist/${name}`;

/** Where Lambda unpacks that folder. */
export const TASK_ROOT = '/var/task';
