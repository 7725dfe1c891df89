/**
 * Adds to the transactions of the sample: exchange rates before them and, in the background while the engine serves, labels,
 * two people, decided cases and a model that waits for a second person. Each step skips what an earlier start has added.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { apiKeyHash, mintApiKey } from '../../../kit/access/api-key.ts';
import { findLiveApiKey, makeApiKey } from '../../../kit/access/api-keys.ts';
import {
  type AskApi,
  createApiClient,
  createAsk,
  createRetries,
} from '../../../kit/client/api-client.ts';
import type { CommandContext } from '../../../kit/command/command.ts';
import { byCommand } from '../../../kit/command/stores.ts';
import { openDatabase } from '../../../kit/database/open-database.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import { LINK_MINUTES } from '../../../kit/words/session.ts';
import { type Screen, shortPath } from '../screen.ts';
import { readOrMakeSecret } from '../services/data-folder.ts';
import { LAUNCHER, ask as runProgram } from '../services/executable.ts';
import { DAY_MS, labelsFile, sampleRates } from './transactions.ts';

/** Time between reads of labels, each of which takes 0.2 s of a processor. Longer: the console shows precision later. */
export const SAMPLE_SETTINGS = { RISK_WATCH_EVERY_SECONDS: '30' };
/** Bridges the restart of a killed API. */
const OUTAGE_MS_MAX = 20_000;
const COMMAND_TIMEOUT_MS = 600_000;
/** The first decides, and the second confirms high amounts and approves the model. Each has a key in a file of the data folder. */
const PEOPLE = ['Sample Ann', 'Sample Ben'] as const;
const MODEL = 'sample@1';
/** Days before now, of the sample's thirty: the model learns from the first seventeen and is judged on later ones. */
const WINDOWS = { from: 29, to: 13, 'validate-from': 12, 'validate-to': 1 };

type Engine = {
  readonly url: string;
  readonly key: string;
  readonly dataDir: string;
  readonly databaseUrl: string;
};
type Context = Pick<CommandContext, 'config' | 'environment' | 'output' | 'signal'>;

const openStore = ({ config }: Context, { databaseUrl }: Engine) =>
  openDatabase(config, databaseUrl, 'sample', { connectionsMax: 1 });

type SampleState = {
  /** A person of the sample was expelled, or the engine has people of its own. */
  readonly isRefused: boolean;
  readonly hasRates: boolean;
  readonly hasModel: boolean;
  readonly isProposed: boolean;
  /** Number of decisions by the people of the sample. */
  readonly decided: number;
};

const readState = onlyOf<SampleState, [people: readonly string[], model: string]>(
  'read-sample-state',
  `select exists (select from market.identities where identity <> all ($1::text[]) or revoked_at is not null) as "isRefused",
          exists (select from market.exchange_rates) as "hasRates",
          exists (select from market.models where model = $2) as "hasModel",
          exists (select from market.rollout_proposals join market.models using (model_id) where model = $2) as "isProposed",
          (select count(*)::int4 from market.audit_log
            where action = 'case.decide' and who = any ($1::text[])) as decided`,
);

/** Imports rates before the transactions, because an opening case converts its amount to the market's currency. */
export async function importSampleRates(context: Context, engine: Engine): Promise<void> {
  await using database = openStore(context, engine);
  const { isRefused, hasRates } = await readState(database.query, PEOPLE, MODEL);
  if (isRefused || hasRates) return;
  const ask = createAsk(createApiClient({ ...engine, signal: context.signal }));
  await ask('POST /v1/exchange-rates', { body: { rates: sampleRates(Date.now()) } });
}

/** Begins the other steps in the background. Disposal stops the work, and the next start goes on with it. */
export function beginSample(
  context: Context,
  screen: Screen,
  engine: Engine,
  transactions: number,
): AsyncDisposable {
  const { output } = context;
  const stopping = new AbortController();
  const signal = AbortSignal.any([context.signal, stopping.signal]);
  const onWaiting = (reason: string) => output.note(`the sample waits: ${reason}`);
  const retries = createRetries({ outageMsMax: OUTAGE_MS_MAX, signal, onWaiting });
  const filled = retries(() => fill({ ...context, signal }, screen, engine, transactions)).catch(
    (error: unknown) => {
      const why = `the sample is not complete, and the next start completes it: ${toError(error).message}`;
      if (!signal.aborted) output.note(why);
    },
  );
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await filled;
    },
  };
}

async function fill(
  context: Context,
  screen: Screen,
  engine: Engine,
  transactions: number,
): Promise<void> {
  const { output, signal } = context;
  const { url, dataDir } = engine;
  await using database = openStore(context, engine);
  const { isRefused, hasModel, isProposed, decided } = await readState(
    database.query,
    PEOPLE,
    MODEL,
  );
  if (isRefused) return;
  if (!hasModel) {
    const added = 'labels, two people, a model and review decisions in the background';
    output.note(`\nThe sample adds ${added}:`);
    const file = labelsFile(dataDir, transactions);
    const importing = runCommand(context, engine, ['labels', 'import', file, '--json']);
    await screen.step('sample labels', importing, (answer) => {
      const { accepted, unchanged } = JSON.parse(answer);
      return `${(accepted + unchanged).toLocaleString('en-US')} are known by now`;
    });
  }
  const links: string[] = [];
  const signIn = async (person: string) => {
    const file = join(dataDir, `${person.toLowerCase().replace(' ', '-')}.key`);
    const key = await findOrMakePerson(database, file, person);
    const ask = createAsk(createApiClient({ url, key, signal }));
    const addLink = async () => {
      const { token } = await ask('POST /v1/sessions/links', {});
      links.push(`  ${person} (commands: export RISK_API_KEY=$(cat ${shortPath(file)})):`);
      links.push(`  ${url}/console#login=${token}`);
    };
    return { key, ask, addLink };
  };
  const [ann, ben] = [await signIn(PEOPLE[0]), await signIn(PEOPLE[1])];
  const claimed = await claimCases(ann.ask, ben.ask, decided);
  let isTrained = hasModel;
  if (!hasModel) {
    const training = trainModel(context, { ...engine, key: ann.key });
    const lack = await screen.step(
      'sample model',
      training.then(() => undefined, toError),
      (error) => error?.message ?? `${MODEL} is trained and will be proposed as a shadow`,
    );
    isTrained = lack === undefined;
  }
  if (isTrained && !isProposed) {
    const body = { corridor: 'all', to: 'shadow' };
    await ann.ask('POST /v1/models/{id}/proposals', { path: { id: MODEL }, body });
  }
  if (claimed.length > 0) {
    await screen.step(
      'sample decisions',
      decideCases(ann.ask, claimed),
      () => `${claimed.length} cases are decided; a second person confirms high amounts`,
    );
  }
  await ann.addLink();
  await ben.addLink();
  output.line(
    [
      '',
      'The sample is complete. The console shows precision under Rules and decisions under Review.',
      'Sample Ben may confirm the decisions of Sample Ann about high amounts, and approve her model.',
      `Each link logs in once, within ${LINK_MINUTES} minutes; a private window keeps two people apart:`,
      '',
      ...links,
      '',
      'The sample ends with the data folder; `bin/risk keys expel NAME` revokes a person.',
    ].join('\n'),
  );
}

/** Runs `bin/risk` on the engine, with the rights of its key. @throws Failure with the last line of what went wrong */
async function runCommand(
  { environment, signal }: Context,
  engine: Engine,
  args: readonly string[],
): Promise<string> {
  const { url: RISK_URL, key: RISK_API_KEY, databaseUrl: DATABASE_URL } = engine;
  const { ok, stdout, stderr } = await runProgram('/bin/sh', [LAUNCHER, ...args], {
    environment: { ...environment, RISK_URL, RISK_API_KEY, DATABASE_URL },
    timeoutMs: COMMAND_TIMEOUT_MS,
    signal,
  });
  signal.throwIfAborted();
  const why = stderr.trim().split('\n').at(-1) ?? '';
  if (!ok) throw new Failure('permanent', 'SAMPLE_FAILED', why);
  return stdout;
}

async function trainModel(context: Context, engine: Engine): Promise<void> {
  const nowMs = Date.now();
  const windows = Object.entries(WINDOWS).flatMap(([option, ago]) => [
    `--${option}`,
    new Date(nowMs - ago * DAY_MS).toISOString().slice(0, 10),
  ]);
  // Training registers the model, so its files are deleted afterwards.
  const out = mkdtempSync(join(tmpdir(), 'risk-sample-'));
  const named = ['--known-by', new Date(nowMs).toISOString(), '--name', MODEL, '--out', out];
  await runCommand(context, engine, ['models', 'train', ...windows, ...named]).finally(() =>
    rmSync(out, { recursive: true, force: true }),
  );
}

/** Makes the person unless the key in the file is in force. The file is written first, so that the next start finds the key. */
async function findOrMakePerson(
  database: Database,
  file: string,
  identity: string,
): Promise<string> {
  const key = readOrMakeSecret(file, () => mintApiKey().key);
  const keyHash = apiKeyHash(key);
  if ((await findLiveApiKey(database, keyHash)) !== undefined) return key;
  const [, keyId = ''] = key.split('_');
  const [roles, holder] = [['analyst' as const, 'risk_officer' as const], { identity }];
  const made = { keyId, keyHash, roles, client: 'default', holder, expiresAt: null };
  await makeApiKey(database, made, byCommand('start'));
  return key;
}

/** Decisions of high amounts, which wait for a second person, and all decisions. A median of handling needs ten of a person. */
const [HIGH, DECIDED, BY_ANN] = [2, 18, 13];
const LISTED = 200;
const TRIES_MAX = 10;
const TRY_AGAIN_MS = 500;

type Claimed = { readonly ask: AskApi; readonly id: string };

/** Claims as many open cases as there are decisions left, the first ones for Ann. */
async function claimCases(ann: AskApi, ben: AskApi, decided: number): Promise<Claimed[]> {
  if (decided >= DECIDED) return [];
  const list = () => ann('GET /v1/reviews', { query: { state: 'open', limit: LISTED } });
  let { items: open } = await list();
  // A worker makes cases within a second of the scores, or later on a busy machine.
  for (let tries = 1; open.length === 0 && tries < TRIES_MAX; tries++) {
    await delay(TRY_AGAIN_MS);
    open = (await list()).items;
  }
  const high = open.filter((found) => found.needs_second_person).slice(0, HIGH);
  const usual = open.filter((found) => !found.needs_second_person);
  const claimed = [...high, ...usual]
    .slice(0, DECIDED - decided)
    .map(({ transaction_id: id }, at) => ({ ask: decided + at < BY_ANN ? ann : ben, id }));
  for (const { ask, id } of claimed) await ask('POST /v1/reviews/{id}/claim', { path: { id } });
  return claimed;
}

const REASONS = {
  fraud: 'Sample: the cardholder did not make it',
  unsure: 'Sample: nobody has reported on it yet',
  legitimate: 'Sample: the cardholder knows the payment',
};

/** Decides by the labels of the sample. */
async function decideCases(ann: AskApi, claimed: readonly Claimed[]): Promise<void> {
  const idsOf = async (label: 'fraud' | 'none') => {
    const query = { verdict: 'review', label, limit: LISTED } as const;
    const { items } = await ann('GET /v1/scores', { query });
    return new Set(items.map(({ transaction_id: id }) => id));
  };
  const [frauds, unknown] = [await idsOf('fraud'), await idsOf('none')];
  for (const { ask, id } of claimed) {
    const found = frauds.has(id) ? 'fraud' : unknown.has(id) ? 'unsure' : 'legitimate';
    const body = { disposition: found, reason: REASONS[found] } as const;
    await ask('POST /v1/reviews/{id}/decide', { path: { id }, body });
  }
}
