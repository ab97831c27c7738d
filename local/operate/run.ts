/** The commands of an operator, by name. */
import { parseArgs } from 'node:util';
import { adopt } from './adopt.ts';
import { connect, where } from './api.ts';
import { CANNOT_ASK, type Command, type Output } from './command.ts';
import { completeness } from './completeness.ts';
import { doctor } from './doctor.ts';
import { reconcile } from './reconcile.ts';

const commands: Readonly<Record<string, Command>> = { adopt, completeness, doctor, reconcile };

/** The exit code: 2 where the mesh could not be asked, else the command's own. */
export async function run(
	[name = '', ...args]: readonly string[],
	output: Output,
	environment: NodeJS.ProcessEnv,
): Promise<number> {
	try {
		const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
		if (command === undefined) throw new Error(`commands: ${Object.keys(commands).join(', ')}; each has --help`);
		const options = { ...where.options, ...command.options, help: { type: 'boolean' } } as const;
		const { values } = parseArgs({ args, options });
		if (values.help === true) {
			output.out(`npm run ${name} -- [options]\n${command.usage}\n${where.usage}`);
			return 0;
		}
		return await command.run(await connect(values, environment), values, output);
	} catch (error) {
		output.err(error instanceof Error ? error.message : String(error));
		return CANNOT_ASK;
	}
}
