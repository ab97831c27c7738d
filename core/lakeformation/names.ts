/** Names of data cells filters that only Fairlead gives: a prefix per principal and table, then a version. */
const OURS = /^(fl_[0-9a-f]{24}_)[0-9]+$/;

export const isOurs = (name: string): boolean => OURS.test(name);
/** What all filters of one principal on one table share; empty for a name that is not ours. */
export const prefixOf = (name: string): string => OURS.exec(name)?.[1] ?? '';
