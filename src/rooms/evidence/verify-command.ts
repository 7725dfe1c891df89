/** `risk verify scores`: computes stored scores again, and compares. */
import type { OpenModels } from '../../core/score/judge.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import { type Command, EXIT } from '../../kit/command/command.ts';
import { whole } from '../../kit/command/options.ts';
import { commandOf, written } from '../../kit/command/rows.ts';
import { byCommand, openCommandDatabase } from '../../kit/command/stores.ts';
import { verifyScores } from './verify/scores.ts';

const SAMPLE_MAX = 1_000_000_000;
const SAMPLE_DEFAULT = 10_000;
/** Bound on one read, of a month's keys; it is long, as only an operator waits for it. */
const VERIFY_TIMEOUT_MS = 600_000;

const SCORES_OPTIONS = {
  '--sample N': whole('How many', { min: 1, max: SAMPLE_MAX }, SAMPLE_DEFAULT),
} as const;

export const createCommand = (openModels: OpenModels): Command =>
  commandOf({
    name: 'verify',
    summary: 'Recomputes stored scores, and compares.',
    needs: ['DATABASE_URL'],
    notes: `scores takes scores evenly spread over all months and computes them again from what was stored with them, by the rule set and
the registered model that they name. Last line: verified=N different=0 available=M. Exit code 1 when any differs or there was
none to verify.

Example: risk verify scores --sample 100000`,
    actions: { scores: scoresOf(openModels) },
  });

const COMPARES = 'Compare score, risk, probability, verdict and reasons bit for bit';
const scoresOf = (openModels: OpenModels) =>
  written('', COMPARES, SCORES_OPTIONS, async ({ values }, context) => {
    const { sample } = values;
    await using database = openCommandDatabase(context, 'verify', {
      connectionsMax: 2,
      statementTimeoutMs: VERIFY_TIMEOUT_MS,
      namedStatements: false,
    });
    const models = await openModels({ primary: database, replica: null, now: Date.now });
    const found = await verifyScores(database, models, sample, context.signal);
    const { verified, different, available } = found;
    // The log of evidence seals the result.
    await database.transaction((query) =>
      recordChange(query, byCommand('verify scores'), {
        action: 'verification.end',
        subject: 'scores',
        before: null,
        after: { sample, verified, different, available },
      }),
    );
    context.output.value(found, [
      ...found.differing.map(
        (difference) => `differs ${difference.transaction_id}: ${difference.fields.join(', ')}`,
      ),
      ...found.models.map(({ model, problem }) => `model ${model}: ${problem}`),
      `verified=${verified} different=${different} available=${available}`,
    ]);
    return verified > 0 && different === 0 ? EXIT.fine : EXIT.failed;
  });
