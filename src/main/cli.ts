/** `bin/risk NAME …`: the entry of every process, which watches the signals. */
import { EXIT } from '../kit/command/command.ts';
import { readEnvironment } from '../kit/config/config.ts';
import '../kit/process/address-time.ts';
import { run } from './run.ts';
import { onShutdown } from './shutdown.ts';

/** How long open handles may keep a finished command alive before it is ended for them. */
const NATURAL_EXIT_MS = 2000;

// A reader that left early (`risk … | head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.fine);
  throw error;
});
// Progress that cannot be written, as on a full disk, ends no work: a migration would stop in its midst.
process.stderr.on('error', () => undefined);

process.exitCode = await run(process.argv.slice(2), {
  environment: readEnvironment(),
  openSignal: onShutdown,
  // A supervisor that has just ended takes no message.
  tellAlive: () => process.connected && process.send?.('alive', undefined, {}, () => undefined),
});
setTimeout(() => {
  process.stderr.write('risk: something kept the process open after it had finished\n');
  process.exit();
}, NATURAL_EXIT_MS).unref();
