/** An engine to kill: `node engine-child.ts DATA_DIR` prints `ready DATABASE_URL` and stays. */
import { startEmbedded } from '../../src/tools/start/services/start-embedded.ts';

const [dataDir = ''] = process.argv.slice(2);
const running = await startEmbedded({
  dataDir,
  signal: new AbortController().signal,
});
process.stdout.write(`ready ${running.databaseUrl}\n`);
process.stdin.resume();
