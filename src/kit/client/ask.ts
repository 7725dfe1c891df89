/** How commands ask a running API: an operation by its name in the document, with the types that follow from it. */
import { type ApiClient, type ApiRequest, notTheContract, refusal } from './api-client.ts';
import type { Operations } from './api-types.ts';

type OperationName = keyof Operations & `${ApiRequest['method']} ${string}`;

/** @throws Failure for a refusal, with the API's own words */
export type AskApi = <Name extends OperationName>(
  name: Name,
  call: Operations[Name]['call'],
) => Promise<Operations[Name]['answer']>;

type Call = {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: object;
};

export function createAsk(client: Pick<ApiClient, 'send'>): AskApi {
  return async <Name extends OperationName>(name: Name, call: Operations[Name]['call']) => {
    const { path: names = {}, query = {}, body }: Call = call;
    const [method, pattern = ''] = name.split(' ');
    const path = pattern.replaceAll(/\{(\w+)\}/g, (_, field) =>
      encodeURIComponent(names[field] ?? ''),
    );
    const answer = await client.send({
      method: methodOf(method),
      path: path + queryString(query),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status >= 400) throw refusal(answer);
    // The document has no answer there, and the type of the answer is undefined.
    if (answer.status === NO_CONTENT) return undefined as Operations[Name]['answer'];
    return parse<Operations[Name]['answer']>(answer.text);
  };
}

const NO_CONTENT = 204;

const methodOf = (word = ''): ApiRequest['method'] =>
  word === 'POST' || word === 'DELETE' ? word : 'GET';

/** The object of an answer; its fields are those of the document, which the tests of the API compare. */
function parse<Answer>(text: string): Answer {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Answer;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw notTheContract();
}

/** `?a=1&b=2` of the parameters that are given. */
function queryString(parameters: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.append(name, String(value));
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}

/** Rows of pages, until enough are read or no page is left. */
export async function readPages<Row>(
  rowsMax: number,
  readPage: (
    cursor: string | undefined,
    rows: number,
  ) => Promise<{ readonly items: readonly Row[]; readonly next_cursor: string | null }>,
): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const page = await readPage(cursor, Math.min(PAGE_ROWS_MAX, rowsMax - rows.length));
    if (!Array.isArray(page.items)) throw notTheContract();
    rows.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && rows.length < rowsMax);
  return rows;
}

/** Most rows of one page. */
const PAGE_ROWS_MAX = 200;
