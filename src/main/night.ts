/**
 * The process of a night, which the worker that leads starts. It imports what a night needs and nothing else, as each module stays in
 * memory; settings come by standard input, as the worker has read them.
 */
import { text } from 'node:stream/consumers';
import { buildTable, NIGHT_STATEMENT_MS } from '../core/repair/night/build-table.ts';
import type { Config } from '../kit/config/config.ts';
import { openDatabase } from '../kit/database/open-database.ts';
import { toError } from '../kit/words/failure.ts';
import { engineOf } from '../kit/words/principal.ts';

type Task = { readonly config: Config & { readonly DATABASE_URL: string }; readonly day: number };

/** Shorter: a process that gives way to all others does not connect on a busy machine. */
const CONNECT_MS = 60_000;

const { config, day }: Task = JSON.parse(await text(process.stdin));
const database = openDatabase(config, config.DATABASE_URL, 'night', {
  connectionsMax: 1,
  connectTimeoutMs: CONNECT_MS,
  statementTimeoutMs: NIGHT_STATEMENT_MS,
});
try {
  await buildTable(database, {
    ...{ day, maturityDays: config.RISK_LABEL_MATURITY_DAYS },
    by: engineOf('risk worker'),
    signal: new AbortController().signal,
  });
} catch (error) {
  process.stderr.write(toError(error).message);
  process.exitCode = 1;
} finally {
  await database[Symbol.asyncDispose]();
}
