/** The tables of the sample bank as values. Rows depend on the random numbers given and on nothing else. */
import { createHmac } from 'node:crypto';
import * as words from './bank/words.ts';
import type { Random } from './random.ts';

export type Value = string | number | boolean | null;
type Row = readonly Value[];
/** Columns as name and type, in the order of the contract. */
export type Table = { readonly columns: readonly (readonly [string, string])[]; readonly rows: readonly Row[] };

const DAY = 86_400_000;
const OPENED = Date.UTC(2019, 0, 1);
const CLOSED = Date.UTC(2024, 11, 31);
const DAYS = (CLOSED - OPENED) / DAY;

/** The day that comes `days` after the first account was opened. */
function date(days: number): string {
	return new Date(OPENED + days * DAY).toISOString().slice(0, 10);
}

function crowns(cents: number): string {
	const whole = Math.trunc(Math.abs(cents) / 100);
	return `${cents < 0 ? '-' : ''}${whole}.${String(Math.abs(cents) % 100).padStart(2, '0')}`;
}

function times<T>(count: number, make: (i: number) => T): T[] {
	return Array.from({ length: count }, (_, i) => make(i));
}

function column(table: Table, name: string): [Value, ...Value[]] {
	const index = table.columns.findIndex(([n]) => n === name);
	const [first, ...rest] = table.rows.map((row) => row[index] ?? null);
	if (first === undefined) throw new Error('a table without rows has no keys');
	return [first, ...rest];
}

export function districts(random: Random): Table {
	return {
		columns: [
			['district_id', 'INTEGER'],
			['name', 'VARCHAR'],
			['region', 'VARCHAR'],
			['inhabitants', 'INTEGER'],
			['average_salary', 'INTEGER'],
			['unemployment', 'DOUBLE'],
		],
		rows: words.districts.map(([name, region], i) => [
			i + 1,
			name,
			region,
			random.int(40_000, i === 0 ? 1_300_000 : 400_000),
			random.int(27_000, 52_000),
			random.chance(8) ? null : `${random.int(1, 9)}.${random.int(1, 9)}`,
		]),
	};
}

export function accounts(random: Random, count: number, places: Table): Table {
	const ids = column(places, 'district_id');
	return {
		columns: [
			['account_id', 'BIGINT'],
			['district_id', 'INTEGER'],
			['frequency', 'VARCHAR'],
			['opened_on', 'DATE'],
		],
		rows: times(count, (i) => [i + 1, random.pick(ids), random.pick(words.frequencies), date(random.int(0, 1000))]),
	};
}

/** At most one loan per account, as at the real bank; about one in nine in trouble. */
export function loans(random: Random, count: number, owned: Table): Table {
	const free = column(owned, 'account_id').slice();
	const rows = times(Math.min(count, free.length), (i) => {
		const [account = null] = free.splice(random.int(0, free.length - 1), 1);
		const duration = random.pick([12, 24, 36, 48, 60]);
		const payment = random.int(300, 9900) * 100;
		return [
			4960 + i,
			account,
			date(random.int(1000, DAYS)),
			crowns(payment * duration),
			duration,
			crowns(payment),
			random.pick(words.statuses),
			random.chance(40) ? null : random.pick(words.collaterals),
		];
	});
	return {
		columns: [
			['loan_id', 'BIGINT'],
			['account_id', 'BIGINT'],
			['granted_on', 'DATE'],
			['amount', 'DECIMAL(12,2)'],
			['duration', 'INTEGER'],
			['payments', 'DECIMAL(10,2)'],
			['status', 'VARCHAR'],
			['collateral', 'VARCHAR'],
		],
		rows,
	};
}

export function clients(random: Random, count: number, places: Table): Table {
	const ids = column(places, 'district_id');
	// Without the secret nobody can try all birth numbers and find whose token it is.
	const secret = times(4, () => random.int(0, 0xffff_ffff)).join(' ');
	return {
		columns: [
			['client_id', 'BIGINT'],
			['full_name', 'VARCHAR'],
			['birth_number', 'VARCHAR'],
			['birth_token', 'VARCHAR'],
			['district_id', 'INTEGER'],
			['address_note', 'VARCHAR'],
		],
		rows: times(count, (i) => {
			const month = random.int(1, 12) + (random.chance(50) ? 50 : 0);
			const born = [random.int(40, 99), month, random.int(1, 28)].map((n) => String(n).padStart(2, '0')).join('');
			const token = createHmac('sha256', secret).update(born).digest('hex').slice(0, 16);
			const name = `${random.pick(words.givenNames)} ${random.pick(words.familyNames)}`;
			return [i + 1, name, born, token, random.pick(ids), random.pick(words.addressNotes)];
		}),
	};
}

/** Every account has an owner; the clients left over may dispose of the first accounts too. */
export function dispositions(owned: Table, persons: Table): Table {
	const accountIds = column(owned, 'account_id');
	return {
		columns: [
			['disp_id', 'BIGINT'],
			['client_id', 'BIGINT'],
			['account_id', 'BIGINT'],
			['type', 'VARCHAR'],
		],
		rows: column(persons, 'client_id').map((client, i) => {
			const owner = i < accountIds.length;
			return [i + 1, client, accountIds[i % accountIds.length] ?? null, owner ? 'OWNER' : 'DISPONENT'];
		}),
	};
}

export function cards(random: Random, count: number, held: Table): Table {
	const free = column(held, 'disp_id').slice();
	return {
		columns: [
			['card_id', 'BIGINT'],
			['disp_id', 'BIGINT'],
			['type', 'VARCHAR'],
			['issued_on', 'DATE'],
			['blocked', 'BOOLEAN'],
		],
		rows: times(Math.min(count, free.length), (i) => {
			const [disposition = null] = free.splice(random.int(0, free.length - 1), 1);
			const blocked = random.chance(15) ? null : random.chance(6);
			return [i + 1, disposition, random.pick(words.cardTypes), date(random.int(1000, DAYS)), blocked];
		}),
	};
}

export function orders(random: Random, count: number, owned: Table): Table {
	const ids = column(owned, 'account_id');
	return {
		columns: [
			['order_id', 'BIGINT'],
			['account_id', 'BIGINT'],
			['bank_to', 'VARCHAR'],
			['account_to', 'VARCHAR'],
			['amount', 'DECIMAL(10,2)'],
			['k_symbol', 'VARCHAR'],
		],
		rows: times(count, (i) => [
			29_401 + i,
			random.pick(ids),
			random.pick(words.bankCodes),
			String(random.int(10_000, 99_999_999)).padStart(8, '0'),
			crowns(random.int(100, 1_500_000)),
			random.pick(words.symbols),
		]),
	};
}

/** In order of day; the balance is that of the account after the booking. */
export function transactions(random: Random, count: number, owned: Table): Table {
	const ids = column(owned, 'account_id');
	const balances = new Map<Value, number>();
	return {
		columns: [
			['trans_id', 'BIGINT'],
			['account_id', 'BIGINT'],
			['booked_on', 'DATE'],
			['type', 'VARCHAR'],
			['operation', 'VARCHAR'],
			['amount', 'DECIMAL(12,2)'],
			['balance', 'DECIMAL(14,2)'],
			['purpose', 'VARCHAR'],
			['bank', 'VARCHAR'],
			['partner_account', 'VARCHAR'],
		],
		rows: times(count, (i) => {
			const account = random.pick(ids);
			const credit = random.chance(54);
			const amount = random.int(1000, credit ? 4_000_000 : 3_000_000);
			const balance = (balances.get(account) ?? 0) + (credit ? amount : -amount);
			balances.set(account, balance);
			const operation = random.pick(credit ? words.creditOperations : words.withdrawalOperations);
			const other = operation?.includes('Bank') === true;
			return [
				650_000 + i,
				account,
				date(1000 + Math.floor((i * (DAYS - 1000)) / count)),
				credit ? 'Credit' : 'Withdrawal',
				operation,
				crowns(amount),
				crowns(balance),
				random.pick(words.purposes),
				other ? random.pick(words.banks) : null,
				other ? String(random.int(0, 99_999_999)).padStart(8, '0') : null,
			];
		}),
	};
}
