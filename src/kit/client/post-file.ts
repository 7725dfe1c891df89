/**
 * Posts a file in batches until each row has its answer. A batch that the API refuses for some of its rows is sent again
 * without them, and everything may be repeated: what is stored already stays as it is.
 */
import { setTimeout as wait } from 'node:timers/promises';
import {
  type ApiAnswer,
  type ApiClient,
  ApiUnavailable,
  createRetries,
  isRefusal,
  type Retries,
  type RetryOptions,
  refusal,
} from './api-client.ts';
import type { Problem } from './api-types.ts';
import { batched, type Row, type SourceFile, type UnreadableRow } from './rows.ts';

export type PostOptions = RetryOptions & {
  readonly batchRows: number;
  /** Requests at a time; each is sent when the one before it is answered, so that the API sets the pace. */
  readonly connections: number;
  /** Upper bound; null: as fast as the API answers. */
  readonly rowsPerSecond: number | null;
  /** @param rows that are answered */
  readonly onProgress: (rows: number) => void;
};

/** The route that takes the rows. */
export type RowsRoute = {
  readonly path: string;
  /** The member of a request that has the rows. */
  readonly member: string;
  /** Takes the answer to `rows` rows; `repeated`: an earlier try may be the one that stored them. */
  readonly accepted: (body: object, rows: number, repeated: boolean) => void;
};

/** Rows that are not stored; posting counts them here. */
export type Posted = {
  refused: number;
  /** Rows that were sent and not answered, and may be stored. */
  unanswered: number;
  /** The first refused rows, in the order of the files. */
  refusedFirst: readonly UnreadableRow[];
};

export const nothingPosted = (): Posted => ({ refused: 0, unanswered: 0, refusedFirst: [] });

/** Refused rows that are shown; the others are counted. */
export const REFUSED_SHOWN_MAX = 20;
const TOO_MANY_NEW_MONTHS: Problem['type'] = 'urn:risk:problem:too-many-new-months';
const KEY_CONFLICT: Problem['type'] = 'urn:risk:problem:key-conflict';

type Posting = {
  readonly client: ApiClient;
  readonly route: RowsRoute;
  readonly retries: Retries;
  readonly refuse: (row: UnreadableRow) => void;
};

/**
 * @param posted has the refused rows, also where an error ends the work
 * @throws the first error; it ends the shared reader, and with it the work on the other connections
 */
export async function postFile(
  client: ApiClient,
  { rows: readRows }: Pick<SourceFile, 'rows'>,
  options: PostOptions,
  route: RowsRoute,
  posted = nothingPosted(),
): Promise<Posted> {
  const pace = createPace(options);
  let answered = 0;
  const refuse = (row: UnreadableRow) => {
    if (posted.refused++ < REFUSED_SHOWN_MAX)
      posted.refusedFirst = sortByLine([...posted.refusedFirst, row]);
  };
  const posting = { client, route, refuse, retries: createRetries(options) };
  const batches = batched(readRows(), options.batchRows);
  const takeBatches = async () => {
    for await (const { rows, unreadable } of batches) {
      unreadable.forEach(refuse);
      await pace(rows.length);
      posted.unanswered += rows.length;
      const whole = postRows(posting, rows, false);
      const isAnswered = await whole.then(() => true, isRefusal);
      if (isAnswered) posted.unanswered -= rows.length;
      await whole;
      answered += rows.length + unreadable.length;
      options.onProgress(answered);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: options.connections }, takeBatches));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return posted;
}

function sortByLine(rows: readonly UnreadableRow[]): UnreadableRow[] {
  const compareFiles = ({ file: a = '' }: UnreadableRow, { file: b = '' }: UnreadableRow) =>
    Number(a > b) - Number(a < b);
  return rows.toSorted((a, b) => compareFiles(a, b) || a.line - b.line);
}

/** @param repeatedBefore an earlier try with these rows may have been carried out */
async function postRows(
  posting: Posting,
  rows: readonly Row[],
  repeatedBefore: boolean,
): Promise<void> {
  if (rows.length === 0) return;
  const { client, route, retries, refuse } = posting;
  let repeated = repeatedBefore;
  const body = { [route.member]: rows.map((row) => row.body) };
  const answer = await retries(() =>
    client.send({ method: 'POST', path: route.path, body }).catch((error: unknown) => {
      repeated ||= error instanceof ApiUnavailable && error.mayBeDone;
      throw error;
    }),
  );
  if (answer.status === 200) {
    route.accepted(answer.body ?? {}, rows.length, repeated);
  } else if (answer.status === 422 && namesRow(route, answer)) {
    await postRows(posting, leaveOut(posting, rows, answer), repeated);
  } else if ((answer.status === 413 || answer.status === 422) && rows.length > 1) {
    // A row may spoil the whole body, as metadata of many levels do, and is named in a smaller body.
    const half = Math.ceil(rows.length / 2);
    await postRows(posting, rows.slice(0, half), repeated);
    await postRows(posting, rows.slice(half), repeated);
  } else if (answer.status === 413) {
    for (const { body, ...row } of rows) refuse({ ...row, detail: 'is too large for the API' });
  } else {
    throw refusal(answer);
  }
}

const pointerOf = ({ member }: RowsRoute) => new RegExp(`^/${member}/(\\d+)(/.*)?$`);

function namesRow(route: RowsRoute, { body }: ApiAnswer): boolean {
  const { errors = [] }: Partial<Problem> = body ?? {};
  return errors.some(({ pointer }) => pointerOf(route).test(pointer));
}

/**
 * Refuses the rows that the answer has errors of, and returns the others. Of rows that conflict by one key the first is sent
 * again, as it may be refused only because of the others.
 */
function leaveOut({ route, refuse }: Posting, rows: readonly Row[], answer: ApiAnswer): Row[] {
  const { type, errors = [] }: Partial<Problem> = answer.body ?? {};
  // No row is wrong: an operator has to make the months before the file can be posted.
  if (type === TOO_MANY_NEW_MONTHS) throw refusal(answer);
  const pointer = pointerOf(route);
  const details = new Map<Row, string[]>();
  for (const error of errors) {
    const [, index, field = ''] = pointer.exec(error.pointer) ?? [];
    const row = rows[Number(index)];
    if (row === undefined) continue;
    details.set(row, [...(details.get(row) ?? []), `${field} ${error.detail}`.trim()]);
  }
  const rivals = Map.groupBy(details.keys(), (row) =>
    type === KEY_CONFLICT ? row.body['idempotency_key'] : row,
  );
  const wrong = [...rivals.values()].flatMap((group) =>
    group.length > 1 ? group.slice(1) : group,
  );
  for (const row of wrong) {
    const { body, ...origin } = row;
    refuse({ ...origin, detail: details.get(row)?.join('; ') ?? '' });
  }
  if (wrong.length === 0) throw refusal(answer);
  const left = new Set(wrong);
  return rows.filter((row) => !left.has(row));
}

/** Lets at most `rowsPerSecond` rows pass; waiting batches keep their order. */
function createPace({ rowsPerSecond, signal }: PostOptions): (rows: number) => Promise<void> {
  let nextMs = 0;
  return async (rows) => {
    if (rowsPerSecond === null) return;
    const nowMs = performance.now();
    const dueMs = Math.max(nowMs, nextMs);
    nextMs = dueMs + (rows / rowsPerSecond) * 1000;
    if (dueMs > nowMs) await wait(dueMs - nowMs, undefined, { signal });
  };
}
