/** `risk scorecard`: builds tables of the day on the database, and shows them over a running API. */
import { TRANSACTION_LIMITS } from '../../core/domain/transaction.ts';
import { endWorse } from '../../core/repair/night/after-night.ts';
import { buildTable, makeAgain } from '../../core/repair/night/build-table.ts';
import { LEARNT_DAYS } from '../../core/repair/night/count-days.ts';
import { STATEMENT_MS } from '../../core/repair/trainings.ts';
import { textOfDay } from '../../core/score/scorecard/day-table.ts';
import { KNOWN_FRAUDS_MIN } from '../../core/score/scorecard/scorecard.ts';
import { countScored } from '../../core/store/scorecards/read-night.ts';
import type { ScorecardTable } from '../../kit/client/api-types.ts';
import { type CommandContext, EXIT, UsageError, unlessStopped } from '../../kit/command/command.ts';
import { dateOption } from '../../kit/command/options.ts';
import { asking, commandOf, written } from '../../kit/command/rows.ts';
import { byCommand, openCommandDatabase } from '../../kit/command/stores.ts';
import { Failure } from '../../kit/words/failure.ts';
import { DAY_MS } from '../../kit/words/range.ts';

/** No payment is of an earlier day. */
const FIRST_DAY = TRANSACTION_LIMITS.createdAtMsMin / DAY_MS;

const open = (context: CommandContext) =>
  openCommandDatabase(context, 'scorecard', { statementTimeoutMs: STATEMENT_MS });

const buildAction = written(
  '',
  'Build the table of a day from what is stored; a day has one, which never changes',
  { '--day DAY': 'The UTC day, not after today (today)' },
  async ({ values }, context) => {
    const { config, output, signal } = context;
    const today = Math.floor(Date.now() / DAY_MS);
    const day = values.day === undefined ? today : dateOption('--day', values.day) / DAY_MS;
    if (day < FIRST_DAY || day > today) {
      const bounds = `${textOfDay(FIRST_DAY)} to ${textOfDay(today)}, as a table has the whole days before its day`;
      throw new UsageError(`--day must be ${bounds}, not ${textOfDay(day)}`);
    }
    await using database = open(context);
    if ((await countScored(database.query, day - LEARNT_DAYS, day)).length === 0) {
      const why = `no payment of the ${LEARNT_DAYS} days before ${textOfDay(day)} is scored, and a table never changes`;
      throw new Failure('conflict', 'NOTHING_SCORED', why);
    }
    const maturityDays = config.RISK_LABEL_MATURITY_DAYS;
    const by = byCommand('scorecard build');
    const building = buildTable(database, { day, maturityDays, by, signal });
    const { night } = await unlessStopped(context, 'nothing was stored', building);
    await endWorse(database, day);
    const { payments, table, differs, isTaken } = night;
    const built = { day: textOfDay(day), payments, frauds: table.learnt.knownFrauds };
    output.value({ ...built, differs, is_taken: isTaken }, [
      `The table of ${built.day} is built: ${payments} payments, ${built.frauds} known frauds`,
      ...sayUnlearnt(table.learnt.knownFrauds),
      ...(table.leftOutLabels.length > 0
        ? [`Left out: labels of ${table.leftOutLabels.join(', ')}`]
        : []),
      ...(isTaken ? [] : ['It waits for two people: too many verdicts of the last day differ']),
    ]);
    return undefined;
  },
);

/** Larger: a table that learnt of other labels passes. Smaller: another order of sums fails. */
const APART_MAX = 0.05;

const checkAction = written(
  'DAY',
  'Make the table of a day again from what is stored now, store nothing, and compare margins',
  {},
  async ({ words: [text = ''] }, context) => {
    const { config, output, signal } = context;
    const day = dateOption('DAY', text) / DAY_MS;
    await using database = open(context);
    const maturityDays = config.RISK_LABEL_MATURITY_DAYS;
    const found = await makeAgain(database, { day, maturityDays, signal });
    const { apart, payments, frauds, frauds_now: now } = found;
    output.value({ day: text, ...found }, [
      `Margins of ${payments} payments are ${apart} apart at most: ${frauds} known frauds then, ${now} now`,
    ]);
    return apart <= APART_MAX ? EXIT.fine : EXIT.failed;
  },
);

/** Fewer known frauds: the table is in use all the same. */
const sayUnlearnt = (frauds: number) =>
  frauds < KNOWN_FRAUDS_MIN
    ? [
        `With fewer than ${KNOWN_FRAUDS_MIN} known frauds it has no weights: its margins are those of the rules alone`,
      ]
    : [];

type Fields = Readonly<Record<string, unknown>>;
type Told = Fields & Partial<Pick<ScorecardTable, 'measures' | 'weeks' | 'rules' | 'before'>>;

/** Most measures that the text shows; `--json` has all. */
const TOLD = 20;

/** Selects the measures that carry most, and the figures of weeks. */
const tell = ({
  measures = [],
  weeks = [],
  rules = [],
  before,
  hours,
  lifts,
  ...head
}: Told): Fields => ({
  ...head,
  before: before?.day,
  rules: rules.map(({ code, payments, weight, ...rule }) => ({
    ...{ code, payments: Math.round(payments), weight: Number(weight.toFixed(3)), ...rule },
  })),
  measures: measures
    .toSorted((left, right) => Math.abs(right.carries) - Math.abs(left.carries))
    .slice(0, TOLD)
    .map(({ measure, carries, carried_before: was }) => ({
      ...{ measure, carries: tenths(carries), before: was === null ? null : tenths(was) },
    })),
  weeks: weeks.map(({ decided, scorecard, ...week }) => ({
    ...week,
    precision: `${decided.average_precision?.toFixed(3)} -> ${scorecard.average_precision?.toFixed(3)}`,
    caught: `${decided.caught} -> ${scorecard.caught}`,
    stopped: `${decided.stopped} -> ${scorecard.stopped}`,
  })),
});

const tenths = (points: number) => Number(points.toFixed(1));

/** Least points that have a line of their own; smaller ones are summed. */
const POINTS_MIN = 0.05;

const explainAction = asking(
  'TRANSACTION',
  'Say which measures make the margin of a payment, the greatest first',
  {},
  async ({ words: [id = ''], ask }, { output }) => {
    const { scorecard } = await ask('GET /v1/scores/{id}/explanation', { path: { id } });
    if (scorecard === null) {
      throw new Failure('not-found', 'SCORECARD_UNKNOWN', `no table judged ${id}`);
    }
    const { day, margin, base, points } = scorecard;
    const told = points
      .filter((of) => Math.abs(of.points) >= POINTS_MIN)
      .sort((left, right) => Math.abs(right.points) - Math.abs(left.points));
    const rest = margin - told.reduce((sum, of) => sum + of.points, base);
    output.value(scorecard, [
      `By the table of ${day} the log-odds of fraud are ${margin.toFixed(1)}:`,
      `  the constant and the default rules: ${base.toFixed(1)}`,
      ...told.map(({ detail }) => `  ${detail}`),
      `  the other ${points.length - told.length} measures: ${rest.toFixed(1)}`,
    ]);
    return undefined;
  },
);

export const command = commandOf({
  name: 'scorecard',
  summary: 'Builds and shows what the market has learnt each night.',
  notes: `show --json prints the points of each measure. Example: risk scorecard build --day 2026-11-29`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    build: buildAction,
    check: checkAction,
    list: { operation: 'listScorecards' },
    show: {
      operation: 'readScorecard',
      tell,
      notes: ({ frauds = 0 }: Partial<ScorecardTable>) => sayUnlearnt(frauds)[0],
    },
    group: { operation: 'nameScorecardGroup' },
    explain: explainAction,
  },
});
