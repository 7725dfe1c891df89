/** `risk labels …`: posts a file of labels to a running API, and lists the labels that it has. */

import { createdAtMsOf } from '../../core/domain/transaction.ts';
import { notTheContract } from '../../kit/client/api-client.ts';
import type { AcceptedLabels } from '../../kit/client/api-types.ts';
import { type Mapping, type Projection, projectionOf } from '../../kit/client/rows.ts';
import {
  type Command,
  EXIT,
  integerOption,
  parseArguments,
  UsageError,
  unlessStopped,
} from '../../kit/command/command.ts';
import {
  FILE_OPTIONS,
  fileOptions,
  fileOptionTexts,
  noteRefused,
  postWithProgress,
} from '../../kit/command/file-options.ts';
import { commandOf } from '../../kit/command/rows.ts';
import { wireTime } from '../../kit/words/wire-time.ts';

/** `created_at` is read only to compute `labelled_at`. */
const LABEL_FIELDS = [
  ...(['transaction_id', 'idempotency_key', 'label', 'labelled_at'] as const),
  ...(['source', 'note', 'created_at'] as const),
];

const LABELS_BY_FLAG = new Map<unknown, string>([
  ...['1', 1, true].map((flag) => [flag, 'fraud'] as const),
  ...['0', 0, false].map((flag) => [flag, 'legitimate'] as const),
]);

const CONNECTIONS = 2;
const TIMEOUT_SECONDS = 120;
const TIMEOUT_SECONDS_MAX = 86_400;

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

export type LabelField = (typeof LABEL_FIELDS)[number];

function delayOption(flag: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const [, count, unit = ''] = /^(\d{1,5})([dhms])$/.exec(text) ?? [];
  const unitMs = Object.entries(UNIT_MS).find(([name]) => name === unit)?.[1];
  if (unitMs !== undefined) return Number(count) * unitMs;
  throw new UsageError(`${flag} must be a number and d, h, m or s, as 7d, not '${text}'`);
}

const runImport: Command['run'] = async (args, context) => {
  const { output } = context;
  const { values, positionals } = parseArguments(
    args,
    { ...FILE_OPTIONS, 'labelled-after': { type: 'string' }, timeout: { type: 'string' } },
    { required: ['FILE'] },
  );
  const settings = fileOptions(positionals, values, context, LABEL_FIELDS, CONNECTIONS);
  const { columns, constants } = settings.mapping;
  const labelledAfterMs = delayOption('--labelled-after', values['labelled-after']);
  if (labelledAfterMs !== null && ('labelled_at' in columns || 'labelled_at' in constants)) {
    throw new UsageError('--labelled-after makes labelled_at: it cannot be mapped or set as well');
  }
  const bounds = { min: 1, max: TIMEOUT_SECONDS_MAX };
  const timeoutSeconds = integerOption('--timeout', values.timeout, bounds, TIMEOUT_SECONDS);
  const startedMs = performance.now();
  const sum = { accepted: 0, unchanged: 0 };
  const posting = postWithProgress(
    { ...settings, outageMsMax: timeoutSeconds * 1000 },
    labelProjection(settings.mapping, labelledAfterMs),
    {
      path: '/v1/labels',
      member: 'labels',
      accepted: ({ accepted = 0, unchanged = 0 }: Partial<AcceptedLabels>, rows) => {
        if (accepted + unchanged !== rows) throw notTheContract();
        sum.accepted += accepted;
        sum.unchanged += unchanged;
      },
    },
    context,
  );
  const posted = await unlessStopped(context, 'the same command again repeats nothing', posting);
  if (posted === undefined) return EXIT.failed;
  noteRefused(posted, output);
  const { refused, refusedFirst } = posted;
  const { accepted, unchanged } = sum;
  const seconds = Math.round(performance.now() - startedMs) / 1000;
  output.value({ accepted, unchanged, refused, seconds, refused_first: refusedFirst }, [
    `labels accepted=${accepted} unchanged=${unchanged} refused=${refused} seconds=${seconds}`,
  ]);
  return refused > 0 && accepted + unchanged === 0 ? EXIT.failed : EXIT.fine;
};

export const command = commandOf({
  name: 'labels',
  summary: 'Posts a file of labels to a running API, and lists labels.',
  notes: `import takes CSV or NDJSON (.gz too): which transactions were fraud and which were not, by whom and since when that is known.
A label that is known already is unchanged, so a file may be imported again at any time. What the API refuses is shown and
left out. Fields: transaction_id or idempotency_key, label (fraud, legitimate, 1 or 0), labelled_at, source, note. The last
line is labels accepted=N unchanged=N refused=N seconds=S.

Example: risk labels list --account acc_17 --label fraud
Example: risk labels import labels.csv.gz
Example: risk labels import history.csv.gz --map idempotency_key=id,label=is_fraud --set source=bank --labelled-after 7d`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    import: {
      words: 'FILE',
      summary: 'Post the labels of a file',
      options: {
        ...fileOptionTexts(CONNECTIONS),
        '--labelled-after DELAY':
          "labelled_at is created_at and this: 7d, 12h, 30m, 45s; created_at is read from its column, or from the transaction's id",
        '--timeout SECONDS': `Give up after so long without any answer (${TIMEOUT_SECONDS})`,
      },
      asksApi: true,
      run: runImport,
    },
    list: {
      operation: 'listLabels',
      options: { account: 'account_id', merchant: 'merchant_id', transaction: 'transaction_id' },
      columns: [
        'labelled_at',
        'label',
        'source',
        'transaction_id',
        'account_id',
        'merchant_id',
        'client',
        'identity',
      ],
    },
  },
});

/**
 * Maps a foreign row to the API's label. A file may name transactions by id or by the key they were sent with,
 * mark frauds by 1 and 0, and give `labelled_at` as a delay after `created_at`.
 * @param labelledAfterMs computes `labelled_at` from `created_at`; null where the file has it
 */
export function labelProjection(
  mapping: Mapping<LabelField>,
  labelledAfterMs: number | null,
): Projection {
  const { columns } = mapping;
  const mapped = new Set(Object.values(columns));
  const isByKey = 'idempotency_key' in columns && !('transaction_id' in columns);
  return projectionOf(mapping, {
    needed: [
      ['idempotency_key', 'transaction_id'] as const,
      ['label'] as const,
      ['source'] as const,
      labelledAfterMs === null ? ['labelled_at'] : ['created_at', 'transaction_id'],
    ],
    // A column that is assigned to one field is not also used under its own name.
    unread: LABEL_FIELDS.filter(
      (field) => mapped.has(field) || (isByKey && field === 'transaction_id'),
    ),
    toBody: (read) => {
      const transactionId = read('transaction_id');
      const note = read('note');
      return {
        ...(transactionId === undefined
          ? { idempotency_key: read('idempotency_key') }
          : { transaction_id: transactionId }),
        label: labelOf(read('label')),
        labelled_at:
          labelledAfterMs === null
            ? read('labelled_at')
            : timeAfter(read('created_at'), transactionId, labelledAfterMs),
        source: read('source'),
        ...(note === undefined ? {} : { note }),
      };
    },
  });
}

/** A value that is no flag is passed on unchanged: the API judges it. */
function labelOf(value: unknown): unknown {
  return LABELS_BY_FLAG.get(value) ?? value;
}

function timeAfter(createdAt: unknown, transactionId: unknown, afterMs: number): unknown {
  const createdAtMs =
    createdAt === undefined
      ? createdAtMsOf(String(transactionId))
      : Date.parse(wireTime.safeParse(createdAt).data ?? '');
  if (createdAtMs === undefined || Number.isNaN(createdAtMs)) return createdAt;
  return new Date(createdAtMs + afterMs).toISOString();
}
