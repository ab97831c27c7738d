/** What a contract suggests to ask for. */
export const accessTemplate = {
	id: 'arrears',
	name: 'Loans in arrears',
	tables: [{ table: 'loans', columns: ['loan_id', 'status'], rowFilter: "status = 'D'" }],
	purpose: 'credit-risk',
	duration: 'P30D',
};
