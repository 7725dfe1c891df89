/**
 * The main way of the engine, on any stores: a market is migrated, a person logs in, payments are posted, scored, found, stopped,
 * verified, exported, archived and restored. Nothing here needs a test runner, as `npm run foreign` walks the main way as well.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { unsealed } from '../../bench/support/unsealed.ts';
import { toError } from '../../src/kit/words/failure.ts';
import type { Ran } from '../support/run-risk.ts';
import { type Answer, answerOf, input, send } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

type Settings = Readonly<Record<string, string>>;

/** Runs the engine: in this process for tests, in processes of their own for `npm run foreign`. */
export type Means = {
  readonly runApi: (
    environment: Settings,
  ) => Promise<{ readonly url: string; readonly stop: () => Promise<unknown> }>;
  readonly startWorker: (environment: Settings) => AsyncDisposable;
  readonly runRisk: (args: readonly string[], environment: Settings) => Promise<Ran>;
};

export type Way = {
  /** Stores, market and other settings of API, worker and commands. */
  readonly environment: Settings;
  readonly means: Means;
  /** A corridor of the market. */
  readonly corridor?: string;
  /** Turns the address of the API into the address that clients use, as that of a balancer. */
  readonly addressFor?: (apiUrl: string) => string | Promise<string>;
  /** Is awaited before each step, so that a server may fail in the midst of the way. */
  readonly beforeStep?: (step: Step) => unknown;
};

export type Walked = {
  readonly held: Readonly<Partial<Record<Step, string>>>;
  /** Steps that did not hold, and why. */
  readonly problems: readonly string[];
};

type Site = Pick<Way, 'means' | 'environment'> & {
  readonly url: string;
  readonly corridor: string;
  readonly request: (path: string, init?: RequestInit) => Promise<Response>;
  readonly ids: string[];
};

const KEY = 'foreign-api-key-of-at-least-32-characters';
const OLD_MONTH = '2013-03';
const OLD_TIME = `${OLD_MONTH}-07T08:09:10.123Z`;
const FROM = 'from=2013-01-01T00:00:00Z';
const ACCOUNT = 'acc_17';
const PAYMENTS = 3;
const STEP_MS = 20_000;
/** Two spellings of a person; a database must not make two people of them, whatever its locale. */
const [PERSON, SAME_PERSON] = ['Éva Straße', 'éVA STRASSE'];

function same(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  throw new Error(`${what}: ${JSON.stringify(found)} in place of ${JSON.stringify(expected)}`);
}

const idsOf = (rows: readonly { readonly transaction_id: string }[]) =>
  rows.map(({ transaction_id }) => transaction_id).toSorted();

/** Sends again what a busy machine sheds, as documented: nothing of the request was carried out. */
async function insist(site: Site, path: string, body: object): Promise<Answer> {
  return await waitUntil(
    async () => {
      const answer = await send(site, 'POST', path, body);
      return [429, 503].includes(answer.status) ? undefined : answer;
    },
    STEP_MS,
    `an answer to POST ${path}`,
  );
}

/** Runs `risk ARGS`, which has to end with exit code 0. */
async function runs({ means, environment }: Site, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await means.runRisk(args, environment);
  if (code !== 0) throw new Error(`risk ${args.join(' ')}: exit ${code}: ${stderr || stdout}`);
}

async function makeKey(site: Site, identity: string): Promise<string> {
  const { status, body } = await insist(site, '/v1/keys', { roles: ['analyst'], identity });
  same('status of a key', status, 201);
  return String(body.key);
}

const STEPS = {
  login: async (site: Site) => {
    const [key, other] = [await makeKey(site, PERSON), await makeKey(site, SAME_PERSON)];
    const ofOther = await send(site, 'GET', '/v1/me', undefined, other);
    same('the person by another spelling', ofOther.body.identity, PERSON);
    // A page of the console gets the token of a link, and has a cookie from then on.
    const link = await send(site, 'POST', '/v1/sessions/links', undefined, key);
    const begun = await site.request('/v1/sessions', {
      method: 'POST',
      headers: { Authorization: `Bearer ${link.body.token}` },
    });
    same('status of the login', begun.status, 201);
    const [cookie = ''] = (begun.headers.get('set-cookie') ?? '').split(';');
    const { session_id: id } = (await answerOf(begun)).body;
    const ask = async (path: string, method = 'GET') => {
      const headers = { Cookie: cookie, Origin: site.url, 'X-Risk-Console': '1' };
      return await answerOf(await fetch(`${site.url}${path}`, { method, headers }));
    };
    const { body: me } = await ask('/v1/me');
    same('who is logged in', [me.identity, me.roles, me.session_id], [PERSON, ['analyst'], id]);
    same('status of the logout', (await ask(`/v1/sessions/${id}`, 'DELETE')).status, 204);
    const isOut = async () => (await ask('/v1/me')).status === 401;
    await waitUntil(isOut, STEP_MS, 'the session to end');
  },
  post: async (site: Site) => {
    for (let nth = 0; nth < PAYMENTS; nth += 1) {
      const fields = { account_id: ACCOUNT, corridor: site.corridor };
      const sent = input(nth === 0 ? { ...fields, created_at: OLD_TIME } : fields);
      const { status, body } = await insist(site, '/v1/transactions', sent);
      same('status of a post', status, 201);
      site.ids.push(String(body.transaction_id));
      const again = await insist(site, '/v1/transactions', sent);
      same('id of the same post', again.body.transaction_id, body.transaction_id);
    }
  },
  score: async (site: Site) => {
    const isScored = async (id: string) =>
      (await send(site, 'GET', `/v1/scores/${id}`)).status === 200;
    const areScored = async () => (await Promise.all(site.ids.map(isScored))).every(Boolean);
    await waitUntil(areScored, STEP_MS, 'every payment to be scored');
  },
  search: async (site: Site) => {
    const found: string[] = [];
    // A slow Postgres ends a page before all months are read.
    for (let after: string | null = ''; after !== null; ) {
      const path = `/v1/transactions?account_id=${ACCOUNT}&${FROM}${after}`;
      const { status, body } = await send(site, 'GET', path);
      same('status of a search', status, 200);
      found.push(...idsOf(body.items));
      after = body.next_cursor === null ? null : `&cursor=${body.next_cursor}`;
    }
    same('payments found', found.toSorted(), site.ids.toSorted());
  },
  control: async (site: Site) => {
    const { corridor } = site;
    const put = async (in_force: boolean) => {
      const body = { in_force, reason: 'a test' };
      const { status } = await send(site, 'PUT', `/v1/controls/stop/corridor:${corridor}`, body);
      same('status of the control', status, 200);
    };
    const until = async (status: number) => {
      const sent = () => input({ account_id: 'acc_18', corridor });
      const isSo = async () =>
        (await send(site, 'POST', '/v1/transactions', sent())).status === status;
      await waitUntil(isSo, STEP_MS, `posts to be answered ${status}`);
    };
    await put(true);
    await until(503);
    await put(false);
    await until(201);
  },
  verify: async (site: Site) => {
    await runs(site, 'verify', 'scores');
  },
  export: async (site: Site) => {
    const path = `/v1/exports/transactions?format=ndjson&account_id=${ACCOUNT}&${FROM}`;
    const lines = (await (await site.request(path)).text()).trim().split('\n');
    const rows = lines.map((line) => JSON.parse(line));
    const exported = rows.filter((row) => row.transaction_id !== undefined);
    same('payments exported', idsOf(exported), site.ids.toSorted());
  },
  archive: async (site: Site) => {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'risk-foreign-'));
    stack.defer(() => rmSync(folder, { recursive: true }));
    stack.use(unsealed(folder));
    const [id] = site.ids;
    const paths = [`/v1/scores/${id}`, `/v1/transactions/${id}`];
    const read = async () =>
      await Promise.all(paths.map(async (path) => await send(site, 'GET', path)));
    const before = await read();
    await runs(site, 'archive', 'month', OLD_MONTH, '--to', folder, '--unencrypted');
    same('status of a cold payment', (await read())[1]?.status, 410);
    await runs(site, 'archive', 'restore', OLD_MONTH);
    let after: Answer[] = [];
    const isBack = async () => {
      after = await read();
      return after.every(({ status }) => status === 200);
    };
    await waitUntil(isBack, STEP_MS, 'the restored month');
    const bodies = (answers: readonly Answer[]) => answers.map(({ body }) => body);
    same('what was restored', bodies(after), bodies(before));
  },
} as const;

export type Step = 'migrate' | 'start' | keyof typeof STEPS;
export const MAIN_WAY: readonly Step[] = ['migrate', 'start', ...(Object.keys(STEPS) as Step[])];

/** Walks on after a step that did not hold, unless nothing can follow. */
export async function walkMainWay(way: Way): Promise<Walked> {
  const { means, addressFor = (url) => url, beforeStep, corridor = 'US-EG' } = way;
  const environment = { ...way.environment, RISK_BOOTSTRAP_KEY: KEY, PORT: '0' };
  const held: Partial<Record<Step, string>> = {};
  const problems: string[] = [];
  const take = async <T>(step: Step, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      await beforeStep?.(step);
      const result = await work();
      held[step] = 'held';
      return result;
    } catch (error) {
      held[step] = 'NOT HELD';
      problems.push(`${step}: ${toError(error).message.trim()}`);
      return undefined;
    }
  };
  await using stack = new AsyncDisposableStack();
  const migrate = async () => {
    const { code, stderr } = await means.runRisk(['migrate'], environment);
    if (code !== 0) throw new Error(stderr);
    return code;
  };
  const start = async () => {
    const api = await means.runApi(environment);
    stack.defer(async () => {
      await api.stop();
    });
    stack.use(means.startWorker(environment));
    return await addressFor(api.url);
  };
  if ((await take('migrate', migrate)) === undefined) return { held, problems };
  const url = await take('start', start);
  if (url === undefined) return { held, problems };
  const request = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has('Authorization')) headers.set('Authorization', `Bearer ${KEY}`);
    return await fetch(`${url}${path}`, { ...init, headers });
  };
  const site: Site = { means, environment, url, corridor, request, ids: [] };
  for (const [step, work] of Object.entries(STEPS)) await take(step as Step, () => work(site));
  return { held, problems };
}

export type Row = { readonly what: string; readonly held: Walked['held'] };

/** A line for each walk, and a column for each step. */
export function tableOf(head: string, rows: readonly Row[]): string {
  const cells = rows.map(({ what, held }) => [what, ...MAIN_WAY.map((step) => held[step] ?? '-')]);
  return [[head, ...MAIN_WAY], ...cells].map((line) => `${line.join(' | ')}\n`).join('');
}
