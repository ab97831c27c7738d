/** Athena's way to refuse: one error name, told apart by two members that hold the same code. */
import { AwsError } from '../wire.ts';

export function invalid(message: string, code = 'INVALID_INPUT'): AwsError {
	return new AwsError('InvalidRequestException', message, { members: { AthenaErrorCode: code, ErrorCode: code } });
}
