/** How something is refused; what is not, or not by a BrokerError, fails the test. */
import { BrokerError } from '#core/error.ts';

export function refusalOf(make: () => unknown): BrokerError {
	try {
		make();
	} catch (error) {
		if (error instanceof BrokerError) return error;
		throw error;
	}
	throw new Error('not refused');
}
