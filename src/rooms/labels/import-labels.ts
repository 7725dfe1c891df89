/**
 * Posts a file of labels. A request with refused labels is sent again without them. Everything may be repeated: a label that
 * exists is unchanged.
 */
import {
  type ApiAnswer,
  type ApiClient,
  notTheContract,
  parseJson,
  refusal,
} from '../../kit/client/api-client.ts';
import type { AcceptedLabels, Problem } from '../../kit/client/api-types.ts';
import { type PostFileOptions, postFile, postHalves } from '../../kit/client/post-file.ts';
import {
  createRefusedRows,
  describeFieldError,
  type Refused,
} from '../../kit/client/refused-rows.ts';
import type { RetryPolicy } from '../../kit/client/retry-policy.ts';
import type { Row, SourceFile } from '../../kit/client/rows.ts';
import { sendUntilAnswered } from '../../kit/client/send-until-answered.ts';

export type ImportResult = {
  readonly accepted: number;
  readonly unchanged: number;
  readonly refused: number;
  /** In the order of the file. */
  readonly refusedFirst: readonly Refused[];
};

type Tally = {
  answered(accepted: number, unchanged: number): void;
  refused(row: Refused): void;
  rows(): number;
  result(): ImportResult;
};

export async function importLabels(
  client: ApiClient,
  source: SourceFile,
  options: PostFileOptions,
): Promise<ImportResult> {
  const tally = createTally();
  await postFile(source, options, {
    ...{ skipped: 0, refused: tally.refused, rows: tally.rows },
    post: ({ rows }, retryPolicy) => postLabels({ client, retryPolicy, tally }, rows),
  });
  return tally.result();
}

function createTally(): Tally {
  const refused = createRefusedRows();
  const sum = { accepted: 0, unchanged: 0 };
  return {
    answered: (accepted, unchanged) => {
      sum.accepted += accepted;
      sum.unchanged += unchanged;
    },
    refused: refused.add,
    rows: () => sum.accepted + sum.unchanged + refused.count(),
    result: () => ({ ...sum, refused: refused.count(), refusedFirst: refused.first() }),
  };
}

type Dependencies = {
  readonly client: ApiClient;
  readonly retryPolicy: RetryPolicy;
  readonly tally: Tally;
};

async function postLabels(dependencies: Dependencies, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const { tally } = dependencies;
  const body = JSON.stringify({ labels: rows.map((row) => row.body) });
  const { answer } = await sendUntilAnswered(dependencies, { path: '/v1/labels', body });
  if (answer.status === 200) {
    count(tally, answer, rows.length);
  } else if (answer.status === 413) {
    await postHalves(rows, (half) => postLabels(dependencies, half), tally.refused);
  } else if (answer.status === 422) {
    await postLabels(dependencies, leaveOut(tally, rows, answer));
  } else {
    throw refusal(answer);
  }
}

function count(tally: Tally, answer: ApiAnswer, rows: number): void {
  const { accepted = 0, unchanged = 0 } = parseJson<AcceptedLabels>(answer.text);
  if (accepted + unchanged !== rows) throw notTheContract();
  tally.answered(accepted, unchanged);
}

const POINTER = /^\/labels\/(\d+)(\/.*)?$/;

/** The rows without errors in the answer, at least one less; the others are refused, each with its reasons. */
function leaveOut(tally: Tally, rows: readonly Row[], answer: ApiAnswer): Row[] {
  const { errors = [] } = parseJson<Problem>(answer.text);
  const details = new Map<number, string[]>();
  for (const error of errors) {
    const [, index, field = ''] = POINTER.exec(error.pointer) ?? [];
    if (index === undefined) continue;
    const at = Number(index);
    details.set(at, [...(details.get(at) ?? []), describeFieldError(error, field)]);
  }
  const left = rows.filter((row, at) => {
    const reasons = details.get(at);
    if (reasons !== undefined) tally.refused({ line: row.line, detail: reasons.join('; ') });
    return reasons === undefined;
  });
  if (left.length === rows.length) throw refusal(answer);
  return left;
}
