/**
 * `risk verify scores`: recomputes stored scores from the features, rule set and model stored with them and
 * compares bit for bit, which proves that a score can be explained years later. `risk verify tallies` counts
 * again what the tallies of days and merchants say.
 */
import type { OpenModels, Opinion } from '../../core/score/judge.ts';
import { verifyScore } from '../../core/score/verify-score.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
  UsageError,
} from '../../kit/command/command.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import type { Database } from '../../kit/database/pool.ts';
import { repairDays } from './store/recount-days.ts';
import { type SampledScore, sampleScores } from './store/score-sample.ts';
import { createStoredOpinions } from './verify/stored-opinions.ts';
import { describeDays, describeTallies, verifyDays, verifyTallies } from './verify/tallies.ts';

const SAMPLE_MAX = 1_000_000_000;
const SAMPLE_DEFAULT = 10_000;
/** Differing scores that are listed; all are counted. */
const SHOWN_MAX = 10;

const USAGE = `risk verify scores [--sample N]
risk verify tallies [--repair]

Recomputes stored scores, evenly spread over all months, from what was stored with them, by the rule set
and the registered model that they name, and compares score, risk, probability, verdict and reasons bit for
bit. Needs DATABASE_URL. Last line:
verified=N different=0 available=M. Exit code 1 when any differs or there was none to verify.

tallies counts again and compares: transactions, scores and their reasons, labels and dead letters of every day whose
month is there, and transactions of every tallied merchant. Last lines: days rows=R tallies=T different=0 and merchants=N
transactions=M tallies=T different=0. Exit code 1 when any differs.

  --sample N   how many (default ${SAMPLE_DEFAULT})
  --repair     first add to the tallies of days what they lack; the engine may run

Example: risk verify scores --sample 100000
`;

type Verification = {
  verified: number;
  different: number;
  available: number;
  /** The first few that differ. */
  readonly differing: { transaction_id: string; created_at: string; fields: string[] }[];
  /** Models that could not be loaded, and why. */
  readonly models: readonly { readonly model: string; readonly problem: string }[];
};

export const createCommand = (openModels: OpenModels): Command => ({
  name: 'verify',
  summary: 'Recomputes stored scores, or counts tallies again, and compares.',
  usage: USAGE,
  run: async (args, context) => {
    const { values, positionals } = parseArguments(
      args,
      { sample: { type: 'string' }, repair: { type: 'boolean' } },
      { required: ['scores or tallies'] },
    );
    const [what] = positionals;
    if (what !== 'scores' && what !== 'tallies') {
      throw new UsageError(`verify takes scores or tallies, not '${what ?? ''}'`);
    }
    const bounds = { min: 1, max: SAMPLE_MAX };
    const sample = integerOption('--sample', values.sample, bounds, SAMPLE_DEFAULT);
    const { DATABASE_URL: url } = context.config;
    if (url === undefined) {
      context.output.error('risk verify: DATABASE_URL is not set and no engine runs here');
      return EXIT.impossibleHere;
    }
    await using database = openVerified(context, url);
    if (what === 'tallies') {
      if (values.repair === true) await repairDays(database, context.signal);
      const days = await verifyDays(database, context.signal);
      const found = await verifyTallies(database.query, context.signal);
      context.output.value({ ...found, days }, [...describeDays(days), ...describeTallies(found)]);
      return days.different + found.different === 0 ? EXIT.fine : EXIT.failed;
    }
    const verification = await verify(context, database, openModels, sample);
    show(context, verification);
    const fine = verification.verified > 0 && verification.different === 0;
    return fine ? EXIT.fine : EXIT.failed;
  },
});

function openVerified({ config }: CommandContext, url: string): Database {
  return openDatabase(config, url, 'verify', {
    ...{ connectionsMax: 2, statementTimeoutMs: VERIFY_TIMEOUT_MS, namedStatements: false },
  });
}

async function verify(
  { signal }: CommandContext,
  database: Database,
  openModels: OpenModels,
  sample: number,
): Promise<Verification> {
  const verification = { verified: 0, different: 0, differing: [] };
  const models = await openModels({ primary: database, replica: null, now: Date.now });
  const opinions = createStoredOpinions(models);
  const onPage = async (scores: readonly SampledScore[]) => {
    const made = await opinions.judge(scores);
    for (const [index, stored] of scores.entries()) compare(stored, made[index], verification);
  };
  const { available } = await sampleScores(database, { sample, signal, onPage });
  const problems = [...opinions.problems].map(([model, problem]) => ({ model, problem }));
  return { ...verification, available, models: problems };
}

function compare(
  stored: SampledScore,
  opinion: Opinion | null | undefined,
  verification: Pick<Verification, 'verified' | 'different' | 'differing'>,
): void {
  verification.verified++;
  const fields = verifyScore(stored, opinion);
  if (!stored.isVectorIntact) fields.unshift('features');
  if (fields.length === 0) return;
  verification.different++;
  if (verification.differing.length === SHOWN_MAX) return;
  const created_at = new Date(stored.createdAtMs).toISOString();
  verification.differing.push({ transaction_id: stored.transactionId, created_at, fields });
}

/** Bound on one count, of a month of keys or of one merchant; it is long, as only an operator waits for it. */
const VERIFY_TIMEOUT_MS = 600_000;

function show({ output }: CommandContext, verification: Verification): void {
  const { verified, different, available, differing, models } = verification;
  const lines = differing.map((one) => `differs ${one.transaction_id}: ${one.fields.join(', ')}`);
  for (const { model, problem } of models) lines.push(`model ${model}: ${problem}`);
  lines.push(`verified=${verified} different=${different} available=${available}`);
  output.value(verification, lines);
}
