/**
 * A process that a worker starts. It imports the module of its work and what that needs, as each module stays in memory; the day and the
 * settings come by standard input, as the worker has read them, and an error goes to standard error.
 */
import { text } from 'node:stream/consumers';
import type { BuildOptions } from '../core/repair/night/build-table.ts';
import type { Config } from '../kit/config/config.ts';
import { openDatabase } from '../kit/database/open-database.ts';
import type { Database } from '../kit/database/pool.ts';
import { toError } from '../kit/words/failure.ts';
import { engineOf } from '../kit/words/principal.ts';

type Task = { readonly config: Config & { readonly DATABASE_URL: string }; readonly day: number };
type Work = (database: Database, options: BuildOptions) => Promise<unknown>;

/** Shorter: a process that gives way to all others does not connect on a busy machine, or its statements end early. */
const [CONNECT_MS, STATEMENT_MS] = [60_000, 3_600_000];

const [, , name = '', module = '', run = ''] = process.argv;
const { config, day }: Task = JSON.parse(await text(process.stdin));
await using database = openDatabase(config, config.DATABASE_URL, name, {
  ...{ connectionsMax: 1, connectTimeoutMs: CONNECT_MS, statementTimeoutMs: STATEMENT_MS },
});
try {
  const { [run]: work }: Readonly<Record<string, Work>> = await import(module);
  await work?.(database, {
    ...{ day, maturityDays: config.RISK_LABEL_MATURITY_DAYS, by: engineOf('risk worker') },
    signal: new AbortController().signal,
  });
} catch (error) {
  process.stderr.write(toError(error).message);
  process.exitCode = 1;
}
