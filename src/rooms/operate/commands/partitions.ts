/** `risk partitions`: the months of transactions, scores and labels, straight in the database. */

import { countDeadLetters } from '../../../core/store/dead-letters/dead-letters.ts';
import {
  attachMonth,
  detachMonth,
  dropMonth,
  LOCK_WAIT_MS,
  recordDetach,
} from '../../../core/store/partitions/detach-months.ts';
import {
  ensurePartitions,
  isCold,
  isDetached,
  listMonthTables,
  type MonthTables,
  partitionName,
} from '../../../core/store/partitions/partitions.ts';
import { type CommandContext, EXIT, UsageError } from '../../../kit/command/command.ts';
import { monthOption, patiently, WAIT_OPTION, WAIT_SECONDS } from '../../../kit/command/options.ts';
import { commandOf, written } from '../../../kit/command/rows.ts';
import { byCommand, openCommandDatabase } from '../../../kit/command/stores.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { monthOf, monthText } from '../../../kit/words/month.ts';

/** No transaction is accepted before this month. */
const FIRST_MONTH = 2000 * 12;
/** Months from now that an operator may make. */
const AHEAD_MONTHS_MAX = 12;
/** Months of one database transaction: it holds a lock, for which other makers of partitions wait. */
const STEP_MONTHS = 12;
const STATEMENT_MS_MAX = 600_000;

const openMonths = (context: CommandContext) =>
  openCommandDatabase(context, 'partitions', {
    lockTimeoutMs: LOCK_WAIT_MS,
    statementTimeoutMs: STATEMENT_MS_MAX,
  });

const readSizes = rowsOf<{ name: string; rows: number; bytes: number }, [names: readonly string[]]>(
  'list-month-sizes',
  `select c.relname as name, greatest(c.reltuples, 0)::float8 as rows, pg_total_relation_size(c.oid)::float8 as bytes
           from pg_class c
          where c.oid = any (select to_regclass('market.' || name)::oid from unnest($1::text[]) as u (name))`,
);

/** All months, the oldest first. */
async function listMonthSizes({ query }: Pick<Database, 'query'>) {
  const months = [...(await listMonthTables(query))].sort(([left], [right]) => left - right);
  const names = months.flatMap(([month, tables]) =>
    [...tables.keys()].map((table) => partitionName(table, month)),
  );
  const sizes = await readSizes(query, names);
  const byName = new Map(sizes.map((size) => [size.name, size]));
  return months.map(([month, tables]) => {
    const ours = [...tables.keys()].map((table) => byName.get(partitionName(table, month)));
    return {
      month,
      state: stateOf(tables),
      /** The row count of the last analyze. */
      transactions: byName.get(partitionName('transactions', month))?.rows ?? 0,
      bytes: ours.reduce((sum, size) => sum + (size?.bytes ?? 0), 0),
    };
  });
}

/** `part`: the command was interrupted and has to be repeated. */
function stateOf(tables: MonthTables): 'attached' | 'detached' | 'part' | 'cold' {
  if (isCold(tables)) return 'cold';
  if (!isDetached(tables)) return 'attached';
  return [...tables.values()].every((state) => state === 'detached') ? 'detached' : 'part';
}

const list = written('', 'Months, and whether they are attached', {}, async (_given, context) => {
  await using database = openMonths(context);
  const months = await listMonthSizes(database);
  context.output.table(
    [
      'month',
      'state',
      { field: 'transactions', title: 'transactions, about', align: 'right' },
      { field: 'bytes', align: 'right' },
    ],
    months.map((size) => ({ ...size, month: monthText(size.month) })),
  );
});

const RANGE = {
  '--from MONTH': { says: 'The first month', read: monthOption },
  '--to MONTH': { says: 'The last month', read: monthOption },
} as const;
const CREATES = 'Make a range of months ahead of a backfill';

const create = written('', CREATES, RANGE, async ({ values }, context) => {
  const { output, signal } = context;
  const { from, to } = values;
  const last = monthOf(Date.now()) + AHEAD_MONTHS_MAX;
  if (from < FIRST_MONTH || to > last || from > to) {
    const bounds = `${monthText(FIRST_MONTH)} <= --from <= --to <= ${monthText(last)}`;
    throw new UsageError(
      `months must be in ${bounds}, not from ${monthText(from)} to ${monthText(to)}`,
    );
  }
  await using database = openMonths(context);
  const made: string[] = [];
  for (let at = from; at <= to && !signal.aborted; at += STEP_MONTHS) {
    const length = Math.min(STEP_MONTHS, to - at + 1);
    const step = Array.from({ length }, (_, index) => at + index);
    const make = () => ensurePartitions(database, step, byCommand('partitions create'));
    made.push(...(await patiently(WAIT_SECONDS, signal, make)));
    output.note(`${monthText(at + length - 1)}: ${made.length} partitions made`);
  }
  output.value({ made }, [`made ${made.length} partitions`]);
  return signal.aborted ? EXIT.failed : EXIT.fine;
});

const TAKES_OFF = 'Take a month that is over off, with its rows';
const detach = written('MONTH', TAKES_OFF, WAIT_OPTION, async ({ values, words }, context) => {
  const month = monthOption('the month', words[0]);
  const text = monthText(month);
  await using database = openMonths(context);
  await recordDetach(database, month, byCommand('partitions detach'));
  const detach = () => detachMonth(database, month);
  const detached = await patiently(values['wait-seconds'], context.signal, detach);
  const said = detached ? `${text} is detached` : `${text} was detached before`;
  context.output.value({ month: text, detached }, [said]);
});

const PUTS_BACK = 'Put a month back; what was never scored is scored then';
const attach = written('MONTH', PUTS_BACK, WAIT_OPTION, async ({ values, words }, context) => {
  const month = monthOption('the month', words[0]);
  const text = monthText(month);
  await using database = openMonths(context);
  const attach = () => attachMonth(database, month, byCommand('partitions attach'));
  const toBeScored = await patiently(values['wait-seconds'], context.signal, attach);
  const deadLetters = await countDeadLetters(database, month);
  context.output.value({ month: text, to_be_scored: toBeScored, dead_letters: deadLetters }, [
    `${text} is attached; the reconciler of a worker appends its transactions without a score: ${toBeScored}`,
    ...deadLetters.map(sayGivenUp),
  ]);
});

type GivenUp = Awaited<ReturnType<typeof countDeadLetters>>[number];

function sayGivenUp({ error_code: code, dead_letters: count }: GivenUp): string {
  const before = code === 'MONTH_DETACHED' ? '' : 'correct the cause, then ';
  return `dead letters ${code} of the month: ${count}; ${before}bin/risk dead-letters replay --error-code ${code}`;
}

const DELETES =
  'Delete a detached month for ever, once two people have agreed (archive request-drop)';
const drop = written('MONTH', DELETES, {}, async ({ words }, context) => {
  const month = monthOption('the month', words[0]);
  await using database = openMonths(context);
  const drop = () => dropMonth(database, month, byCommand('partitions drop'));
  await patiently(WAIT_SECONDS, context.signal, drop);
  const text = monthText(month);
  context.output.value({ month: text, dropped: true }, [`${text} is dropped`]);
});

export const command = commandOf({
  name: 'partitions',
  summary: 'Makes, detaches, attaches and drops months.',
  notes: `MONTH is a UTC month of created_at, as 2026-03: its transactions, scores and labels together. What meets
a detached month is refused with month-detached, or is a dead letter MONTH_DETACHED that can be
replayed once the month is attached. While detach and attach wait, nobody waits for them; given again they go
on where they stopped. Needs DATABASE_URL.

Example: risk partitions create --from 2000-01 --to 2026-11`,
  needs: ['DATABASE_URL'],
  actions: { list, create, detach, attach, drop },
});
