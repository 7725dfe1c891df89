/**
 * Posts one batch of rows until each has its answer. The batch path is tried first; a batch that is refused for
 * some of its rows is sent again as NDJSON, where a bad line refuses only itself. Everything may be repeated
 * safely: a row's idempotency key makes the repetition a duplicate.
 */
import { type ApiClient, notTheContract, parseJson, refusal } from '../../kit/client/api-client.ts';
import type {
  AcceptedBatch,
  Problem,
  TransactionLine,
  TransactionLinesDone,
} from '../../kit/client/api-types.ts';
import { postHalves } from '../../kit/client/post-file.ts';
import { describeFieldError, type Refused } from '../../kit/client/refused-rows.ts';
import type { RetryPolicy } from '../../kit/client/retry-policy.ts';
import type { Row } from '../../kit/client/rows.ts';
import { sendUntilAnswered } from '../../kit/client/send-until-answered.ts';
import { Failure } from '../../kit/words/failure.ts';

/** Called as answers arrive. */
export type Outcomes = {
  accepted(transactionId: string): void;
  /** `repeated`: an earlier try of this replay may be the one that stored it. */
  duplicate(transactionId: string, repeated: boolean): void;
  refused(row: Refused): void;
};

type Dependencies = {
  readonly client: ApiClient;
  readonly retryPolicy: RetryPolicy;
  readonly outcomes: Outcomes;
};

const PATH = '/v1/transactions/batch';
const TOO_MANY_NEW_MONTHS: Problem['type'] = 'urn:risk:problem:too-many-new-months';

export async function postRows(dependencies: Dependencies, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const { outcomes } = dependencies;
  const body = JSON.stringify({ transactions: rows.map((row) => row.body) });
  const { answer, repeated } = await sendUntilAnswered(dependencies, { path: PATH, body });
  if (answer.status === 200) {
    const { results } = parseJson<AcceptedBatch>(answer.text);
    if (results === undefined || results.length !== rows.length) throw notTheContract();
    for (const result of results) count(outcomes, result, repeated);
  } else if (parseJson<Problem>(answer.text).type === TOO_MANY_NEW_MONTHS) {
    // No row is wrong: an operator has to make the months, and the replay then resumes where it stopped.
    throw refusal(answer);
  } else if (answer.status === 422) {
    await postLines(dependencies, rows, repeated);
  } else if (answer.status === 413) {
    await postHalves(rows, (half) => postRows(dependencies, half), outcomes.refused);
  } else {
    throw refusal(answer);
  }
}

/** One line a row; lines that the API could not store now are sent again. */
async function postLines(
  dependencies: Dependencies,
  rows: readonly Row[],
  repeatedBefore: boolean,
): Promise<void> {
  let left = rows;
  let repeated = repeatedBefore;
  for (let round = 1; left.length > 0; round++) {
    const body = left.map((row) => `${JSON.stringify(row.body)}\n`).join('');
    const contentType = 'application/x-ndjson';
    const sent = await sendUntilAnswered(dependencies, { path: PATH, body, contentType });
    if (sent.answer.status !== 200) throw refusal(sent.answer);
    repeated ||= sent.repeated;
    const results = parseLines(sent.answer.text);
    if (results === undefined) {
      // The last line is missing: the answer was cut, and any of the rows may have been stored.
      repeated = true;
    } else {
      left = settleLines(dependencies.outcomes, left, results, repeated);
    }
    const reason = new Failure('unavailable', 'API_UNAVAILABLE', 'the API cannot store rows');
    if (left.length > 0) await dependencies.retryPolicy.beforeRetry(round, null, reason);
  }
}

/** Reports the result of each line; returns the rows to be sent again. */
function settleLines(
  outcomes: Outcomes,
  rows: readonly Row[],
  results: readonly TransactionLine[],
  repeated: boolean,
): Row[] {
  if (results.length !== rows.length) throw notTheContract();
  return rows.filter((row, index) => {
    const result = results[index];
    if (result === undefined || result.status === 'unavailable') return true;
    if (result.status === 'invalid' || result.status === 'conflict') {
      outcomes.refused({ line: row.line, detail: describe(result) });
    } else {
      count(outcomes, result, repeated);
    }
    return false;
  });
}

/** The results before the last line; undefined when the last line is missing. */
function parseLines(text: string): TransactionLine[] | undefined {
  const values = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parseJson<TransactionLine & TransactionLinesDone>(line));
  return values.pop()?.done === true ? (values as TransactionLine[]) : undefined;
}

function count(
  outcomes: Outcomes,
  { status, transaction_id: id }: Partial<TransactionLine>,
  repeated: boolean,
): void {
  if (id === undefined) throw notTheContract();
  if (status === 'accepted') outcomes.accepted(id);
  else if (status === 'duplicate') outcomes.duplicate(id, repeated);
  else throw notTheContract();
}

/** Errors as the API words them: `/amount must be greater than zero; /currency is …`. */
function describe({ errors = [], status }: TransactionLine): string {
  const problems = errors.map((error) => describeFieldError(error));
  return problems.length > 0 ? problems.join('; ') : status;
}
