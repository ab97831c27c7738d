/** The path under which every operation lives. */
export const BASE = '/api/v1';

/** Where RFC 9728 metadata of the whole origin lives. */
export const RESOURCE_METADATA = '/.well-known/oauth-protected-resource';
