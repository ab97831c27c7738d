/** The words of the sample bank. A word listed more often comes up more often. Nobody here is a real person. */

type Words<T = string> = readonly [T, ...T[]];

function often<T>(times: number, word: T): [T, ...T[]] {
	return [word, ...Array.from({ length: times - 1 }, () => word)];
}

/** Name and region. */
export const districts: Words<readonly [string, string]> = [
	['Hlavní město Praha', 'Prague'],
	['Benešov', 'central Bohemia'],
	['Beroun', 'central Bohemia'],
	['Kladno', 'central Bohemia'],
	['Kolín', 'central Bohemia'],
	['České Budějovice', 'south Bohemia'],
	['Český Krumlov', 'south Bohemia'],
	['Tábor', 'south Bohemia'],
	['Cheb', 'west Bohemia'],
	['Karlovy Vary', 'west Bohemia'],
	['Plzeň-město', 'west Bohemia'],
	['Děčín', 'north Bohemia'],
	['Liberec', 'north Bohemia'],
	['Ústí nad Labem', 'north Bohemia'],
	['Hradec Králové', 'east Bohemia'],
	['Pardubice', 'east Bohemia'],
	['Trutnov', 'east Bohemia'],
	['Brno-město', 'south Moravia'],
	['Hodonín', 'south Moravia'],
	['Zlín', 'south Moravia'],
	['Olomouc', 'north Moravia'],
	['Ostrava-město', 'north Moravia'],
	['Žďár nad Sázavou', 'south Moravia'],
	['Jeseník', 'north Moravia'],
];

export const frequencies: Words = [...often(9, 'monthly'), 'weekly', 'after transaction'];

/** The shares of the real bank: A 30 %, B 4.5 %, C 59 %, D 6.5 %. */
export const statuses: Words = [...often(30, 'A'), ...often(5, 'B'), ...often(59, 'C'), ...often(6, 'D')];

export const collaterals: Words = [
	'Flat',
	'House',
	'car',
	'Guarantee, two persons',
	'Machine "Tatra 815"',
	"Owner's flat",
	'',
];

export const givenNames: Words = [
	'Jan',
	'Eva',
	'Jiří',
	'Žofie',
	'Karel "Kája"',
	'Anna-Marie',
	'Łukasz',
	'Søren',
	'Zoë',
	'Nguyễn Thị',
	'Олена',
	'李',
];

export const familyNames: Words = [
	'Novák',
	'Nováková',
	'svoboda',
	'DVOŘÁK',
	"O'Brien",
	'de la Cruz',
	'von der Heide',
	'Müller, Jr.',
	'Šťastný',
	'Černá',
	'Коваль',
	'娜',
];

export const addressNotes: Words<string | null> = [
	...often<string | null>(6, null),
	'',
	'c/o Novák, 2nd floor',
	'Bell says "Firma"',
	'Back door\nring twice',
	'Moved; see file 12',
	'  ',
];

export const cardTypes: Words = [...often(7, 'classic'), 'junior', 'gold'];

export const bankCodes: Words = ['AB', 'CD', 'EF', 'GH', 'IJ', 'KL', 'MN', 'OP', 'QR', 'ST', 'UV', 'WX', 'YZ'];

export const symbols: Words<string | null> = [
	...often<string | null>(5, 'SIPO'),
	'UVER',
	'LEASING',
	'POJISTNE',
	' ',
	null,
];

export const creditOperations: Words<string | null> = ['Credit in cash', 'Collection from Another Bank', null];

export const withdrawalOperations: Words<string | null> = [
	'Withdrawal in cash',
	'Withdrawal in cash',
	'Remittance to Another Bank',
	'Credit Card Withdrawal',
];

export const purposes: Words<string | null> = [
	...often<string | null>(5, null),
	'',
	'Household',
	'Payment on Statement',
	'Old-age Pension',
	'Loan Payment',
	'rent, may "urgent"',
	'Insurance; 2nd notice',
];

export const banks: Words = ['Moneta', 'Raiffeisen bank', 'UniCredit Bank', 'Česká spořitelna', 'Bank "Ruby", a.s.'];
