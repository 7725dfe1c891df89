/** `risk scorecard`: builds tables of the day on the database, and shows them over a running API. */
import { TRANSACTION_LIMITS } from '../../core/domain/transaction.ts';
import { buildTable, NIGHT_STATEMENT_MS } from '../../core/repair/night/build-table.ts';
import { textOfDay } from '../../core/score/scorecard/day-table.ts';
import { UsageError, unlessStopped } from '../../kit/command/command.ts';
import { dateOption } from '../../kit/command/options.ts';
import { commandOf, written } from '../../kit/command/rows.ts';
import { byCommand, openCommandDatabase } from '../../kit/command/stores.ts';
import { DAY_MS } from '../../kit/words/range.ts';

/** No payment is older. */
const FIRST_DAY = TRANSACTION_LIMITS.createdAtMsMin / DAY_MS;

const buildAction = written(
  '',
  'Build the table of a day from what is stored; a day has one, which never changes',
  { '--day DAY': 'The UTC day, at most tomorrow' },
  async ({ values }, context) => {
    const { config, output, signal } = context;
    const day = dateOption('--day', values.day) / DAY_MS;
    const tomorrow = Math.floor(Date.now() / DAY_MS) + 1;
    if (day < FIRST_DAY || day > tomorrow) {
      const bounds = `${textOfDay(FIRST_DAY)} to ${textOfDay(tomorrow)}`;
      throw new UsageError(`--day must be ${bounds}, not ${textOfDay(day)}`);
    }
    await using database = openCommandDatabase(context, 'scorecard', {
      statementTimeoutMs: NIGHT_STATEMENT_MS,
    });
    const maturityDays = config.RISK_LABEL_MATURITY_DAYS;
    const by = byCommand('scorecard build');
    const building = buildTable(database, { day, maturityDays, by, signal });
    const { night } = await unlessStopped(context, 'nothing was stored', building);
    const { payments, table } = night;
    const built = { day: textOfDay(day), payments, frauds: table.learnt.knownFrauds };
    output.value(built, [
      `The table of ${built.day} is built: ${payments} payments, ${built.frauds} known frauds`,
    ]);
    return undefined;
  },
);

const tell = ({ measures, hours, lifts, ...head }: Readonly<Record<string, unknown>>) => head;

export const command = commandOf({
  name: 'scorecard',
  summary: 'Builds and shows what the market has learnt each night.',
  notes: `show --json prints the points of each measure. Example: risk scorecard build --day 2026-11-29`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    build: buildAction,
    list: { operation: 'listScorecards' },
    show: { operation: 'readScorecard', tell },
    group: { operation: 'nameScorecardGroup' },
  },
});
