/** `risk labels …`: posts a file of labels to a running API, and lists the labels that it has. */

import { LABEL_FIELDS, labelProjection } from '../../core/domain/file-rows.ts';
import { nothingPosted } from '../../kit/client/post-file.ts';
import { openSource } from '../../kit/client/rows.ts';
import { EXIT, unlessStopped } from '../../kit/command/command.ts';
import {
  countedAtEnd,
  createLabelsRoute,
  fileOptionsOf,
  fileSettings,
  labelledAfterOption,
  labelsText,
  noteRefused,
  postWithProgress,
} from '../../kit/command/file-options.ts';
import { timeout } from '../../kit/command/options.ts';
import { commandOf, written } from '../../kit/command/rows.ts';

const CONNECTIONS = 2;
const OPTIONS = {
  ...fileOptionsOf(LABEL_FIELDS, CONNECTIONS),
  '--labelled-after DELAY':
    "labelled_at is created_at and this: 7d, 12h, 30m, 45s; created_at is read from its column, or from the transaction's id",
  '--timeout SECONDS': timeout('Give up after so long without any answer'),
} as const;

const POSTS = 'Post the labels of a file';
const importAction = written('FILE', POSTS, OPTIONS, async ({ values, words }, context) => {
  const { output } = context;
  const settings = fileSettings(words, values, context);
  const labelledAfterMs = labelledAfterOption(values['labelled-after'], settings.mapping);
  const startedMs = performance.now();
  const [file = ''] = settings.files;
  const source = await openSource(file, labelProjection(settings.mapping, labelledAfterMs));
  const { sum, route } = createLabelsRoute();
  const posted = nothingPosted();
  const limits = { ...settings, outageMsMax: values.timeout * 1000 };
  const posting = postWithProgress(limits, source, route, context, posted);
  const counted = countedAtEnd(posting, posted, () => labelsText(sum), output);
  await unlessStopped(context, 'the same command again repeats nothing', counted);
  noteRefused(posted, output);
  const { refused, refusedFirst } = posted;
  const { accepted, unchanged } = sum;
  const seconds = Math.round(performance.now() - startedMs) / 1000;
  output.value({ accepted, unchanged, refused, seconds, refused_first: refusedFirst }, [
    `${labelsText(sum)} refused=${refused} seconds=${seconds}`,
  ]);
  return refused > 0 ? EXIT.failed : EXIT.fine;
});

export const command = commandOf({
  name: 'labels',
  summary: 'Posts a file of labels to a running API, and lists labels.',
  notes: `import takes CSV or NDJSON (.gz too, - is standard input): which transactions were fraud and which were not, by whom and
since when that is known. A label that is known already is unchanged, so a file may be imported again at any time. What is
refused is shown and left out, and the exit code is then 1. Fields: transaction_id or idempotency_key, label (fraud, legitimate,
1 or 0), labelled_at, source, note. The last line is labels accepted=N unchanged=N refused=N seconds=S.

Example: risk labels list --account acc_17 --label fraud
Example: risk labels import labels.csv.gz
Example: risk labels import history.csv.gz --map idempotency_key=id,label=is_fraud --set source=bank --labelled-after 7d`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    import: importAction,
    list: {
      operation: 'listLabels',
      options: { account: 'account_id', merchant: 'merchant_id', transaction: 'transaction_id' },
      hides: ['created_at', 'received_at', 'note'],
    },
  },
});
