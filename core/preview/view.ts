/** What a preview shows of one table, and of all. */
import * as z from 'zod';
import { Classification } from '../contract.ts';
import * as Grants from '../grants.ts';
import { idOf, ProductId, RoleArn } from '../id.ts';

const Seen = z
	.object({
		columns: z.array(z.string()),
		rowFilter: z.string().nullable().optional().meta({
			description:
				'Canonical text; null is all rows; absent where grants that you may not see compare personal columns with constants',
		}),
	})
	.nullable();

const ColumnSeen = z.object({
	name: z.string(),
	classification: Classification,
	personal: z.boolean().meta({ description: 'Whether it is personal data, or was in an earlier version' }),
});

const change = (all: string) =>
	z.object({
		columns: z.array(ColumnSeen).meta({ description: 'By themselves, whatever the rows' }),
		rows: z.enum(['none', 'some', 'all']).meta({ description: `${all}; \`some\` where that is not certain` }),
		classification: Classification.nullable().meta({
			description: 'The highest among the cells that change; null where none does',
		}),
		personal: z.boolean().meta({ description: 'Whether personal data is among them' }),
	});

const Flag = z
	.object({
		of: z.enum(['asked', 'after']).meta({ description: 'The filter that is asked for, or all together afterwards' }),
		part: z.string().meta({ description: 'The filter, or the part of it, that restricts less than it seems to' }),
		detail: z.string().meta({ description: 'In plain words' }),
	})
	.meta({ id: 'FilterFlag' });

export const TablePreview = z
	.object({
		table: z.string().meta({ description: 'Name in SQL: database.table' }),
		before: Seen.meta({ description: 'What the principal holds on it; null: nothing' }),
		after: Seen.meta({ description: 'What it would hold then; null: nothing, or no one filter if `clash` is there' }),
		gains: change('`all`: every row of the table comes into view'),
		loses: change('`all`: no row stays in view'),
		with: z.array(idOf('grant')).meta({ description: 'Grants that it adds up with, as far as you may see them' }),
		hidden: z.int().min(0).meta({ description: 'Further grants that it adds up with, of others' }),
		clash: Grants.Clash.nullable().meta({ description: 'null: the union is exactly one filter' }),
		flags: z.array(Flag).meta({ description: 'What an approver should know of the filter' }),
	})
	.meta({ id: 'TablePreview' });
export type TablePreview = z.infer<typeof TablePreview>;

export const PreviewView = z
	.object({
		principal: RoleArn,
		product: ProductId,
		exact: z
			.boolean()
			.meta({ description: 'Whether it could be held beside what the principal holds, on every table' }),
		tables: z.array(TablePreview),
	})
	.meta({ id: 'Preview' });
export type PreviewView = z.infer<typeof PreviewView>;
