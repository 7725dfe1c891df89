/**
 * The sample: transactions that a start scores, exchange rates before them and, in the background while the engine serves, labels,
 * two people, decided cases and a model that waits for a second person. Each step skips what an earlier start has added.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { apiKeyHash, mintApiKey } from '../../kit/access/api-key.ts';
import { findLiveApiKey, makeApiKey } from '../../kit/access/api-keys.ts';
import {
  type AskApi,
  createApiClient,
  createAsk,
  createRetries,
} from '../../kit/client/api-client.ts';
import type { CommandContext } from '../../kit/command/command.ts';
import { byCommand } from '../../kit/command/stores.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import type { Database } from '../../kit/database/pool.ts';
import { onlyOf } from '../../kit/database/statement.ts';
import { Failure, toError } from '../../kit/words/failure.ts';
import { DAY_MS, MINUTE_MS } from '../../kit/words/range.ts';
import { LINK_MINUTES } from '../../kit/words/session.ts';
import { writeSimulation } from '../simulate/command.ts';
import { RATED_CURRENCIES, unitsPerDollar } from '../simulate/geography.ts';
import { shortPath, showStep } from './screen.ts';
import { readOrMakeSecret } from './services/data-folder.ts';
import { LAUNCHER, ask as runProgram } from './services/executable.ts';

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

const DAYS = 30;
const FRAUD_RATE = 0.01;
/** Rows for an account to have about twenty transactions, and a merchant about seventy. */
const TRANSACTIONS_PER_ACCOUNT = 20;
const TRANSACTIONS_PER_MERCHANT = 70;
const MERCHANTS_MIN = 50;

const dayBefore = (nowMs: number, days: number) =>
  new Date(nowMs - days * DAY_MS).toISOString().slice(0, 10);

/** The file with the labels that were known when it was made: an investigation takes days, so the newest transactions have none. */
const labelsFile = (dataDir: string, transactions: number) =>
  join(dataDir, `sample-${transactions}-labels.ndjson.gz`);

/** Seeded traffic of the month before the first start, which every later start replays, so that it finds only duplicates. */
export async function readOrMakeSample(dataDir: string, transactions: number, signal: AbortSignal) {
  const file = join(dataDir, `sample-${transactions}.ndjson.gz`);
  if (existsSync(file)) return { file, made: false };
  const nowMs = Date.now();
  const options = {
    transactions,
    accounts: Math.ceil(transactions / TRANSACTIONS_PER_ACCOUNT),
    merchants: Math.max(MERCHANTS_MIN, Math.ceil(transactions / TRANSACTIONS_PER_MERCHANT)),
    days: DAYS,
    endMs: Math.floor(nowMs / MINUTE_MS) * MINUTE_MS,
    seed: 'sample',
    fraudRate: FRAUD_RATE,
  };
  const labels = labelsFile(dataDir, transactions);
  await writeSimulation(options, { out: file, labels, knownByMs: nowMs }, signal);
  return { file, made: true };
}

/** An engine of `risk start` with its own Postgres. */
export type SampledEngine = {
  readonly url: string;
  readonly key: string;
  readonly dataDir: string;
  readonly databaseUrl: string;
};

const openStore = ({ config }: CommandContext, { databaseUrl }: SampledEngine) =>
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
          exists (select from market.approvals where kind = 'model-rollout' and subject like $2 || ' %') as "isProposed",
          (select count(*)::int4 from market.audit_log
            where action = 'case.decide' and who = any ($1::text[])) as decided`,
);

/** Imports rates before the transactions, because an opening case converts its amount to the market's currency. */
export async function importSampleRates(
  context: CommandContext,
  engine: SampledEngine,
): Promise<void> {
  await using database = openStore(context, engine);
  const { isRefused, hasRates } = await readState(database.query, PEOPLE, MODEL);
  if (isRefused || hasRates) return;
  const ask = createAsk(createApiClient({ ...engine, signal: context.signal }));
  const days = Array.from({ length: DAYS + 1 }, (_, ago) => dayBefore(Date.now(), ago));
  const rates = RATED_CURRENCIES.flatMap((currency) => {
    const usd = (1 / unitsPerDollar(currency)).toFixed(6);
    return days.map((day) => ({ day, currency, usd }));
  });
  await ask('POST /v1/exchange-rates', { body: { rates } });
}

/** Begins the other steps in the background. Disposal stops the work, and the next start goes on with it. */
export function beginSample(
  context: CommandContext,
  engine: SampledEngine,
  transactions: number,
): AsyncDisposable {
  const { output } = context;
  const stopping = new AbortController();
  const signal = AbortSignal.any([context.signal, stopping.signal]);
  const onWaiting = (reason: string) => output.note(`the sample waits: ${reason}`);
  const retries = createRetries({ outageMsMax: OUTAGE_MS_MAX, signal, onWaiting });
  const filled = retries(() => fill({ ...context, signal }, engine, transactions)).catch(
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
  context: CommandContext,
  engine: SampledEngine,
  transactions: number,
): Promise<void> {
  const { output } = context;
  await using database = openStore(context, engine);
  const state = await readState(database.query, PEOPLE, MODEL);
  if (state.isRefused) return;
  if (!state.hasModel) {
    output.note('\nThe sample adds labels, two people, a model and decisions in the background:');
    const file = labelsFile(engine.dataDir, transactions);
    const importing = runCommand(context, engine, ['labels', 'import', file, '--json']);
    await showStep(output, 'sample labels', importing, (answer) => {
      const { accepted, unchanged } = JSON.parse(answer);
      return `${(accepted + unchanged).toLocaleString('en-US')} are known by now`;
    });
  }
  const signIn = (person: string) => findOrMakePerson(database, context, engine, person);
  const [ann, ben] = [await signIn(PEOPLE[0]), await signIn(PEOPLE[1])];
  const claimed = await claimCases(ann.ask, DECIDED - state.decided);
  let lack: Error | undefined;
  if (!state.hasModel) {
    const training = trainModel(context, { ...engine, key: ann.key }).then(
      () => undefined,
      toError,
    );
    lack = await showStep(
      output,
      'sample model',
      training,
      (error) => error?.message ?? `${MODEL} is trained and will be proposed as a shadow`,
    );
  }
  if (lack === undefined && !state.isProposed) {
    const body = { corridor: 'all', to: 'shadow' };
    await ann.ask('POST /v1/models/{id}/proposals', { path: { id: MODEL }, body });
  }
  if (claimed.length > 0) {
    const said = `${claimed.length} cases are decided; a second person confirms high amounts`;
    await showStep(output, 'sample decisions', decideCases(ann.ask, claimed), () => said);
  }
  output.line(
    [
      '',
      'The sample is complete. The console shows precision under Rules and decisions under Review.',
      'Sample Ben may confirm the decisions of Sample Ann about high amounts, and her model.',
      `Each link logs in once, within ${LINK_MINUTES} minutes; a private window keeps two people apart:`,
      '',
      ...(await ann.linkLines()),
      ...(await ben.linkLines()),
      '',
      'The sample ends with the data folder; `bin/risk keys expel NAME` revokes a person.',
    ].join('\n'),
  );
}

/** Runs `bin/risk` on the engine, with the rights of its key. @throws Failure with the last line of what went wrong */
async function runCommand(
  { environment, signal }: CommandContext,
  engine: SampledEngine,
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

async function trainModel(context: CommandContext, engine: SampledEngine): Promise<void> {
  const nowMs = Date.now();
  const windows = Object.entries(WINDOWS).flatMap(([option, ago]) => [
    `--${option}`,
    dayBefore(nowMs, ago),
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
  { signal }: CommandContext,
  { url, dataDir }: SampledEngine,
  identity: string,
) {
  const file = join(dataDir, `${identity.toLowerCase().replace(' ', '-')}.key`);
  const key = readOrMakeSecret(file, () => mintApiKey().key);
  const keyHash = apiKeyHash(key);
  if ((await findLiveApiKey(database, keyHash)) === undefined) {
    const [, keyId = ''] = key.split('_');
    const [roles, holder] = [['analyst' as const, 'risk_officer' as const], { identity }];
    const made = { keyId, keyHash, roles, client: 'default', holder, expiresAt: null };
    await makeApiKey(database, made, byCommand('start'));
  }
  const ask = createAsk(createApiClient({ url, key, signal }));
  const linkLines = async () => {
    const { token } = await ask('POST /v1/sessions/links', {});
    const commands = `export RISK_API_KEY=$(cat ${shortPath(file)})`;
    return [`  ${identity} (commands: ${commands}):`, `  ${url}/console#login=${token}`];
  };
  return { key, ask, linkLines };
}

/** Decisions of high amounts, which wait for a second person, and all decisions. A median of handling needs ten of a person. */
const [HIGH, DECIDED] = [2, 18];
const LISTED = 200;
const TRIES_MAX = 10;
const TRY_AGAIN_MS = 500;

/** Claims open cases, of which a few have high amounts. @returns their ids */
async function claimCases(ask: AskApi, count: number): Promise<string[]> {
  if (count <= 0) return [];
  const list = () => ask('GET /v1/reviews', { query: { state: 'open', limit: LISTED } });
  let { items: open } = await list();
  // A worker makes cases within a second of the scores, or later on a busy machine.
  for (let tries = 1; open.length === 0 && tries < TRIES_MAX; tries++) {
    await delay(TRY_AGAIN_MS);
    open = (await list()).items;
  }
  const [high = [], usual = []] = [true, false].map((needed) =>
    open.filter((found) => found.needs_second_person === needed),
  );
  const claimed = [...high.slice(0, HIGH), ...usual].slice(0, count);
  for (const { transaction_id: id } of claimed)
    await ask('POST /v1/reviews/{id}/claim', { path: { id } });
  return claimed.map(({ transaction_id: id }) => id);
}

/** Decides by the labels of the sample. */
async function decideCases(ask: AskApi, claimed: readonly string[]): Promise<void> {
  const query = { verdict: 'review', label: 'fraud', limit: LISTED } as const;
  const { items } = await ask('GET /v1/transactions', { query });
  const frauds = new Set(items.map(({ transaction_id: id }) => id));
  for (const id of claimed) {
    const [disposition, knows] = frauds.has(id)
      ? (['fraud', 'did not make it'] as const)
      : (['legitimate', 'knows the payment'] as const);
    const body = { disposition, reason: `Sample: the cardholder ${knows}` };
    await ask('POST /v1/reviews/{id}/decide', { path: { id }, body });
  }
}
