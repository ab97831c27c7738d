/** A log of three entries, as its sealer signed it. */
export const checkpoint =
	'bank.example/ledger/2026\n3\nWqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=\n\n— bank.example/ledger/2026 fM+JJZKs5JGSiiuqhyWy2AI6QXgKSYLgxi1U+H5g+Sz0d6Y/c5EZao4rY6vg9D95UFSMriWS2WD4lHTLjfz2GLJLaQ0=\n';

export const proof =
	'c2sp.org/tlog-proof@v1\nindex 1\n0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=\nZx8UbF5HHooag6PCFM5LqQe486WIjRTMjNPOdbsS75Q=\n\nbank.example/ledger/2026\n3\nWqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=\n\n— bank.example/ledger/2026 fM+JJZKs5JGSiiuqhyWy2AI6QXgKSYLgxi1U+H5g+Sz0d6Y/c5EZao4rY6vg9D95UFSMriWS2WD4lHTLjfz2GLJLaQ0=\n';

export const consistency = {
	from: { size: 2, root: 'T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=' },
	to: { size: 3, root: 'Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=' },
	proof: ['Zx8UbF5HHooag6PCFM5LqQe486WIjRTMjNPOdbsS75Q='],
};
