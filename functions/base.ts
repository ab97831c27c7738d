/** The path under which every operation lives. */
export const BASE = '/api/v1';
