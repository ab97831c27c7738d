/**
 * The ledger from the command line: `npm run ledger -- seal | audit | export DIR | verify DIR`. For a deployment it takes the
 * settings of its sealer from the environment; otherwise the data folder of `npm start`.
 */
import { run } from './ledger/run.ts';

// The SDK's notice on Node 20 belongs to operators of a deployment.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const printer = (stream: NodeJS.WriteStream) => (text: string) => void stream.write(`${text}\n`);

process.exitCode = await run(
	process.argv.slice(2),
	{ out: printer(process.stdout), err: printer(process.stderr) },
	process.env,
);
