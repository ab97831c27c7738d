/** The answer of the frameworks that are compared: of the size and shape of Fairlead's purpose list. */
export const body = {
	purposes: Array.from({ length: 6 }, (_, i) => ({
		id: `purpose-${i}`,
		name: 'Measurement of credit risk',
		legalBasis: 'GDPR 6(1)(c), Regulation (EU) 575/2013',
		retention: 'P7Y',
	})),
};
