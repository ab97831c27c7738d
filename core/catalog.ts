/**
 * Data products: what a domain publishes, one stream per product, one version of it per contract version.
 * Metadata is open to every member of the mesh; nothing here gives access to data.
 */
export { type Expansion, expand, type FoundTable, type FoundView } from './catalog/expand.ts';
export { glueTable } from './catalog/glue.ts';
export { keyOf, mentions } from './catalog/mentions.ts';
export { type Publication, publish } from './catalog/publish.ts';
export {
	byTable,
	contractText,
	get,
	type Product,
	personalColumns,
	readableVersions,
	type Search,
	search,
	version,
	versions,
} from './catalog/read.ts';
export { misfit, type Via } from './catalog/via.ts';
export {
	factsOf,
	lifeOf,
	ProductSummary,
	ProductView,
	refOf,
	summaryOf,
	VersionSummary,
	VersionView,
	versionSummary,
	versionView,
} from './catalog/view.ts';
