/** `risk verify`: computes stored scores again, or counts again what tallies say, and compares. */
import type { OpenModels } from '../../core/score/judge.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  optionsOf,
  parseArguments,
} from '../../kit/command/command.ts';
import { commandOf } from '../../kit/command/rows.ts';
import { byCommand, openCommandDatabase } from '../../kit/command/stores.ts';
import type { Database } from '../../kit/database/pool.ts';
import { repairDays, verifyDays } from './store/recount-days.ts';
import { verifyMerchants } from './store/recount-tallies.ts';
import { verifyScores } from './verify/scores.ts';

const SAMPLE_MAX = 1_000_000_000;
const SAMPLE_DEFAULT = 10_000;
/** Bound on one count, of a month of keys or of one merchant; it is long, as only an operator waits for it. */
const VERIFY_TIMEOUT_MS = 600_000;

const SCORES_OPTIONS = { '--sample N': `How many (${SAMPLE_DEFAULT})` } as const;
const TALLIES_OPTIONS = {
  '--repair': 'First add to the tallies of days what they lack; the engine may run',
} as const;

const openVerified = (context: CommandContext) =>
  openCommandDatabase(context, 'verify', {
    connectionsMax: 2,
    statementTimeoutMs: VERIFY_TIMEOUT_MS,
    namedStatements: false,
  });

export const createCommand = (openModels: OpenModels): Command =>
  commandOf({
    name: 'verify',
    summary: 'Recomputes stored scores, or counts tallies again, and compares.',
    needs: ['DATABASE_URL'],
    notes: `scores takes scores evenly spread over all months and computes them again from what was stored with them, by the rule set and
the registered model that they name. Last line: verified=N different=0 available=M. Exit code 1 when any differs or there was
none to verify.

tallies counts transactions, scores and their reasons, labels and dead letters of every day whose month is there, and
transactions of every tallied merchant. Last lines: days rows=R tallies=T different=0 and merchants=N transactions=M tallies=T
different=0. Exit code 1 when any differs.

Example: risk verify scores --sample 100000`,
    actions: {
      scores: {
        words: '',
        summary: 'Compare score, risk, probability, verdict and reasons bit for bit',
        options: SCORES_OPTIONS,
        run: (args, context) => scores(args, context, openModels),
      },
      tallies: {
        words: '',
        summary: 'Compare the tallies of days and merchants with their rows',
        options: TALLIES_OPTIONS,
        run: tallies,
      },
    },
  });

async function scores(
  args: string[],
  context: CommandContext,
  openModels: OpenModels,
): Promise<number> {
  const { values } = parseArguments(args, optionsOf(SCORES_OPTIONS));
  const bounds = { min: 1, max: SAMPLE_MAX };
  const sample = integerOption('--sample', values.sample, bounds, SAMPLE_DEFAULT);
  await using database = openVerified(context);
  const models = await openModels({ primary: database, replica: null, now: Date.now });
  const found = await verifyScores(database, models, sample, context.signal);
  const { verified, different, available } = found;
  await recordRun(database, 'scores', { sample, verified, different, available });
  context.output.value(found, [
    ...found.differing.map((one) => `differs ${one.transaction_id}: ${one.fields.join(', ')}`),
    ...found.models.map(({ model, problem }) => `model ${model}: ${problem}`),
    `verified=${verified} different=${different} available=${available}`,
  ]);
  return verified > 0 && different === 0 ? EXIT.fine : EXIT.failed;
}

async function tallies(args: string[], context: CommandContext): Promise<number> {
  const { values } = parseArguments(args, optionsOf(TALLIES_OPTIONS));
  const { signal } = context;
  await using database = openVerified(context);
  if (values.repair === true) await repairDays(database, signal);
  const days = await verifyDays(database, signal);
  const found = await verifyMerchants(database.query, signal);
  await recordRun(database, 'tallies', {
    rows: days.rows,
    transactions: found.transactions,
    different: days.different + found.different,
  });
  context.output.value({ ...found, days }, [
    ...days.differing.map((one) => `differs ${one.of}: ${one.different}`),
    `days rows=${days.rows} tallies=${days.tallies} different=${days.different}`,
    ...found.differing.map((one) => `differs ${one.merchant_id}: ${one.different}`),
    `merchants=${found.merchants} transactions=${found.transactions} tallies=${found.tallies} different=${found.different}`,
  ]);
  return days.different + found.different === 0 ? EXIT.fine : EXIT.failed;
}

/** Records a verification in the audit log, so that the log of evidence seals the result. */
async function recordRun(
  database: Pick<Database, 'transaction'>,
  subject: 'scores' | 'tallies',
  after: object,
): Promise<void> {
  await database.transaction((query) =>
    recordChange(query, byCommand(`verify ${subject}`), {
      action: 'verification.end',
      subject,
      before: null,
      after,
    }),
  );
}
