/**
 * The Open Data Contract Standard, v3.1.0, as a shape: what its own JSON schema refuses, this refuses, and what that
 * takes, this takes; formats (date, date-time, URI) are part of it. The conformance lane holds the two against each other.
 * https://bitol-io.github.io/open-data-contract-standard/v3.1.0/
 */
import * as z from 'zod';
import {
	authoritativeDefinitions,
	by,
	customProperties,
	date,
	dateTime,
	oneOf,
	part,
	roles,
	text,
	texts,
} from './odcs/common.ts';
import { table } from './odcs/schema.ts';
import { server } from './odcs/servers.ts';

const may = text.optional();

const teamMember = part({
	username: text,
	name: may,
	description: may,
	role: may,
	dateIn: date.optional(),
	dateOut: date.optional(),
	replacedByUsername: may,
	tags: texts.optional(),
	customProperties,
	authoritativeDefinitions,
});

const team = part({
	name: may,
	description: may,
	members: z.array(teamMember).optional(),
	tags: texts.optional(),
	customProperties,
	authoritativeDefinitions,
});

/** A list of members is how v3.0 wrote a team, and still allowed. */
const teamOrMembers = by((value) => (Array.isArray(value) ? z.array(teamMember) : team));

const scalar = z.union([text, z.number(), z.boolean(), z.null()], 'must be text, a number, a boolean or null');

const slaProperty = part({
	property: text,
	value: scalar,
	valueExt: scalar.optional(),
	unit: may,
	element: may,
	driver: may,
	description: may,
	scheduler: may,
	schedule: may,
});

const supportChannel = part({
	channel: text,
	url: may,
	description: may,
	tool: may,
	scope: may,
	invitationUrl: may,
	customProperties,
});

/** Every version that the schema of v3.1.0 names; which of them Fairlead reads is another question. */
const apiVersion = oneOf('v3.1.0', 'v3.0.2', 'v3.0.1', 'v3.0.0', 'v2.2.2', 'v2.2.1', 'v2.2.0');

export const OpenDataContract = z.strictObject({
	apiVersion,
	kind: oneOf('DataContract'),
	id: text,
	name: may,
	version: text,
	status: text,
	tenant: may,
	tags: texts.optional(),
	domain: may,
	dataProduct: may,
	description: z
		.looseObject({ purpose: may, usage: may, limitations: may, authoritativeDefinitions, customProperties })
		.optional(),
	servers: z.array(server).optional(),
	schema: z.array(table).optional(),
	support: z.array(supportChannel).optional(),
	price: part({ priceAmount: z.number().optional(), priceCurrency: may, priceUnit: may }).optional(),
	team: teamOrMembers.optional(),
	roles,
	slaDefaultElement: may,
	slaProperties: z.array(slaProperty).optional(),
	authoritativeDefinitions,
	customProperties,
	contractCreatedTs: dateTime.optional(),
});
