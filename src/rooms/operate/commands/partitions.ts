/** `risk partitions`: the months of transactions, scores and labels, straight in the database. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  attachMonth,
  detachMonth,
  dropMonth,
  LOCK_WAIT_MS,
  listMonthSizes,
  recordDetach,
} from '../../../core/store/partitions/detach-months.ts';
import { ensurePartitions } from '../../../core/store/partitions/partitions.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
  UsageError,
} from '../../../kit/command/command.ts';
import { EXIT_BAD_CONFIGURATION } from '../../../kit/config/config.ts';
import { openDatabase } from '../../../kit/database/open-database.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { Failure, isUnavailable } from '../../../kit/words/failure.ts';
import { type Month, monthOf, monthText, parseMonth } from '../../../kit/words/month.ts';
import type { Actor } from '../../../kit/words/principal.ts';

/** No transaction is accepted before this month. */
const FIRST_MONTH = 2000 * 12;
/** Months from now that an operator may make. */
const AHEAD_MONTHS_MAX = 12;
/** Months of one database transaction: it holds a lock, for which other makers of partitions wait. */
const STEP_MONTHS = 12;
const STATEMENT_MS_MAX = 600_000;
const RETRY_EVERY_MS = 500;
const WAIT_SECONDS = 600;
const WAIT_SECONDS_MAX = 86_400;

export const command: Command = {
  name: 'partitions',
  summary: 'Makes, detaches, attaches and drops months.',
  usage: `risk partitions ACTION

  list                              months, and whether they are attached
  create --from MONTH --to MONTH    makes a range ahead of a backfill
  detach MONTH [--wait-seconds N]   takes a month that is over off, with its rows
  attach MONTH [--wait-seconds N]   puts it back; what was never scored is scored then
  drop MONTH --confirm MONTH        deletes a detached month for ever

MONTH is a UTC month of created_at, as 2026-03: its transactions, scores and labels together. What meets
a detached month is refused with month-detached, or is a dead letter MONTH_DETACHED that can be
replayed once the month is attached. detach and attach wait up to ${WAIT_SECONDS} s for open database transactions,
while nobody waits for them; given again they go on where they stopped. Needs DATABASE_URL.

Example: risk partitions create --from 2000-01 --to 2026-11
`,
  needs: ['DATABASE_URL'],
  async run(args, context) {
    const { config, output } = context;
    const [action, ...rest] = args;
    const run = Object.hasOwn(ACTIONS, action ?? '') ? ACTIONS[action ?? ''] : undefined;
    if (run === undefined) throw new UsageError('say list, create, detach, attach or drop');
    if (config.DATABASE_URL === undefined) {
      output.error('DATABASE_URL: is needed by partitions');
      return EXIT_BAD_CONFIGURATION;
    }
    await using database = openDatabase(config, config.DATABASE_URL, 'partitions', {
      connectionsMax: 1,
      lockTimeoutMs: LOCK_WAIT_MS,
      statementTimeoutMs: STATEMENT_MS_MAX,
    });
    return await run(rest, database, context);
  },
};

/** The actor has no key: the command connects with DATABASE_URL. */
const by = (action: string): Actor => ({
  name: null,
  keyId: null,
  request: `risk partitions ${action}`,
});

type Action = (args: string[], database: Database, context: CommandContext) => Promise<number>;

const list: Action = async (args, database, { output }) => {
  parseArguments(args, {});
  const months = await listMonthSizes(database);
  output.table(
    [
      { field: 'month' },
      { field: 'state' },
      { field: 'transactions', title: 'transactions, about', align: 'right' },
      { field: 'bytes', align: 'right' },
    ],
    months.map((size) => ({ ...size, month: monthText(size.month) })),
  );
  return EXIT.fine;
};

const create: Action = async (args, database, { output, signal }) => {
  const { values } = parseArguments(args, { from: { type: 'string' }, to: { type: 'string' } });
  const from = monthOption('--from', values.from);
  const to = monthOption('--to', values.to);
  const last = monthOf(Date.now()) + AHEAD_MONTHS_MAX;
  if (from < FIRST_MONTH || to > last || from > to) {
    const bounds = `${monthText(FIRST_MONTH)} <= --from <= --to <= ${monthText(last)}`;
    throw new UsageError(`months must be in ${bounds}, not from ${values.from} to ${values.to}`);
  }
  const made: string[] = [];
  for (let at = from; at <= to && !signal.aborted; at += STEP_MONTHS) {
    const length = Math.min(STEP_MONTHS, to - at + 1);
    const step = Array.from({ length }, (_, index) => at + index);
    made.push(
      ...(await patiently(WAIT_SECONDS, signal, () =>
        ensurePartitions(database, step, by('create')),
      )),
    );
    output.note(`${monthText(at + length - 1)}: ${made.length} partitions made`);
  }
  output.value({ made }, [`made ${made.length} partitions`]);
  return signal.aborted ? EXIT.failed : EXIT.fine;
};

const WAITING = { 'wait-seconds': { type: 'string' } } as const;

const detach: Action = async (args, database, { output, signal }) => {
  const { values, positionals } = parseArguments(args, WAITING, { required: ['MONTH'] });
  const month = monthOption('the month', positionals[0]);
  const waitSeconds = readWait(values['wait-seconds']);
  if (month >= monthOf(Date.now())) {
    throw new Failure('conflict', 'MONTH_NOT_OVER', `${monthText(month)} is not over`);
  }
  await recordDetach(database, month, by('detach'));
  const detached = await patiently(waitSeconds, signal, () => detachMonth(database, month));
  output.value({ month: monthText(month), detached }, [
    detached ? `${monthText(month)} is detached` : `${monthText(month)} was detached before`,
  ]);
  return EXIT.fine;
};

const attach: Action = async (args, database, { output, signal }) => {
  const { values, positionals } = parseArguments(args, WAITING, { required: ['MONTH'] });
  const month = monthOption('the month', positionals[0]);
  const waitSeconds = readWait(values['wait-seconds']);
  const toBeScored = await patiently(waitSeconds, signal, () =>
    attachMonth(database, month, by('attach')),
  );
  output.value({ month: monthText(month), to_be_scored: toBeScored }, [
    `${monthText(month)} is attached; ${toBeScored} transactions without a score go to the reconciler`,
  ]);
  return EXIT.fine;
};

const drop: Action = async (args, database, { output, signal }) => {
  const { values, positionals } = parseArguments(
    args,
    { confirm: { type: 'string' } },
    { required: ['MONTH'] },
  );
  const month = monthOption('the month', positionals[0]);
  if (values.confirm !== positionals[0]) {
    throw new UsageError(
      `drop deletes rows for ever: repeat the month, --confirm ${positionals[0]}`,
    );
  }
  await patiently(WAIT_SECONDS, signal, () => dropMonth(database, month, by('drop')));
  output.value({ month: monthText(month), dropped: true }, [`${monthText(month)} is dropped`]);
  return EXIT.fine;
};

const ACTIONS: Readonly<Record<string, Action>> = { list, create, detach, attach, drop };

function monthOption(flag: string, text: string | undefined): Month {
  if (text === undefined) throw new UsageError(`${flag} is missing`);
  const month = parseMonth(text);
  if (month === undefined)
    throw new UsageError(`${flag} must be a month as 2026-03, not '${text}'`);
  return month;
}

function readWait(text: string | undefined): number {
  const bounds = { min: 0, max: WAIT_SECONDS_MAX };
  return integerOption('--wait-seconds', text, bounds, WAIT_SECONDS);
}

/** Tries again while an open database transaction blocks it; the last failure is the command's. */
async function patiently<T>(
  waitSeconds: number,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const endMs = performance.now() + waitSeconds * 1000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || performance.now() > endMs || signal.aborted) throw error;
      await delay(RETRY_EVERY_MS);
    }
  }
}
