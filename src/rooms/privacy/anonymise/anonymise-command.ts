/** `risk privacy anonymise`: a copy of a market for tests, in which no token leads to a value. */
import { isPersonalField } from '../../../core/domain/personal.ts';
import { UsageError, unlessStopped } from '../../../kit/command/command.ts';
import { needed } from '../../../kit/command/options.ts';
import { written } from '../../../kit/command/rows.ts';
import { neededUrl } from '../../../kit/command/stores.ts';
import type { Config } from '../../../kit/config/config.ts';
import { postgresUrl } from '../../../kit/config/service-urls.ts';
import { openDatabase } from '../../../kit/database/open-database.ts';
import { anonymise } from './anonymise.ts';
import { LEFT_OUT } from './copied-tables.ts';

/** A statement may read a whole table. Larger: a hanging statement is noticed later; smaller: a large table cannot be copied. */
const STATEMENT_MS_MAX = 3_600_000;
const LOCK_WAIT_MS = 10_000;

const OPTIONS = {
  '--to DATABASE_URL': needed('A database without the schema of the market'),
} as const;

const openForCopy = (config: Config, url: string) =>
  openDatabase(config, url, 'privacy', {
    connectionsMax: 2,
    statementTimeoutMs: STATEMENT_MS_MAX,
    lockTimeoutMs: LOCK_WAIT_MS,
    namedStatements: false,
  });

/** @throws UsageError that names the first word that is no field */
function readFields(words: readonly string[]): string[] {
  const wrong = words.find((field) => !isPersonalField(field));
  if (wrong !== undefined)
    throw new UsageError(
      `FIELD must be account_id, device_id, ip, or a member of metadata, as metadata.customer.email, not '${wrong}'`,
    );
  return [...new Set(words)];
}

const COPIES = 'Copy the market for tests, with tokens of nobody in personal fields';
export const anonymiseAction = written(
  '[FIELD…]',
  COPIES,
  OPTIONS,
  async ({ values, words }, context) => {
    const { config, output, signal } = context;
    const fields = readFields(words);
    const { to } = values;
    // The URL has a password, so it is not repeated.
    const wrong = postgresUrl().safeParse(to).error?.issues[0];
    if (wrong?.code === 'custom') throw new UsageError(`--to: ${wrong.message}`);
    if (wrong !== undefined)
      throw new UsageError('--to must be a URL as postgres://USER:PASSWORD@HOST/DATABASE');
    await using source = openForCopy(config, neededUrl(config, 'DATABASE_URL'));
    await using target = openForCopy(config, to);
    const beganMs = performance.now();
    const { note, progress } = output;
    const copied = await unlessStopped(
      context,
      'the target has no row: drop its schema before a copy begins anew',
      anonymise({ config, source, target, targetUrl: to, fields, signal, note, progress }),
    );
    const seconds = Math.round((performance.now() - beganMs) / 100) / 10;
    const { rows, monthsLeftOut: months } = copied;
    const tables = Object.entries(rows);
    const sum = tables.reduce((total, [, count]) => total + count, 0);
    output.value(
      { fields: copied.fields, rows, left_out: LEFT_OUT, months_left_out: months, seconds },
      [
        `copied rows=${sum} seconds=${seconds}; tokens of nobody stand for ${copied.fields.join(', ')} and for names of people`,
        ...tables.filter(([, count]) => count > 0).map(([table, count]) => `  ${table} ${count}`),
        'left out:',
        ...LEFT_OUT.map(({ why, tables: names }) => `  ${names.join(', ')} (${why})`),
        ...(months.length === 0 ? [] : [`  detached and cold months: ${months.join(', ')}`]),
        'Free text of people reads as left out. Merchants, rule sets and other members of metadata stay as they are.',
      ],
    );
  },
);
