/**
 * The sample: transactions that a start scores, exchange rates before them, labels and tables of the day after them and, in the background
 * while the engine serves, two people, decided cases and a model that waits for a second person. Each step skips what an earlier start has
 * added.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { apiKeyHash, mintApiKey } from '../../kit/access/api-key.ts';
import { findLiveApiKey, makeApiKey } from '../../kit/access/api-keys.ts';
import { createApiClient, createAsk, createRetries } from '../../kit/client/api-client.ts';
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
import { claimCases, DECIDED, decideCases } from './sample-cases.ts';
import { shortPath, showStep } from './screen.ts';
import { readOrMakeSecret } from './services/data-folder.ts';
import { LAUNCHER, ask as runProgram } from './services/executable.ts';

/** Time between reads of labels, each of which takes 0.2 s of a processor. Longer: the console shows precision later. */
export const SAMPLE_SETTINGS = { RISK_WATCH_EVERY_SECONDS: '30' };
/** Bridges the restart of a killed API, which may take a minute until the API is ready. */
const OUTAGE_MS_MAX = 120_000;
const COMMAND_TIMEOUT_MS = 600_000;
/** The first decides, and the second confirms high amounts and approves the model. Each has a key in a file of the data folder. */
const PEOPLE = ['Sample Ann', 'Sample Ben'] as const;
const MODEL = 'sample@1';
/** Days before now, of the sample's sixty: the model learns from the first 44 and is judged on later ones. */
const WINDOWS = { from: 59, to: 16, 'validate-from': 15, 'validate-to': 1 };

const DAYS = 60;
/** Days of the second part. Fewer: fewer matured weeks are compared; more: the first part has no 50 frauds to learn from. */
const JUDGED_DAYS = 30;
const FRAUD_RATE = 0.015;
/** Fewer: a part may be empty. */
const PARTED_FROM = 1000;
/** Rows for an account to have about twenty transactions, and a merchant about seventy. */
const TRANSACTIONS_PER_ACCOUNT = 20;
const TRANSACTIONS_PER_MERCHANT = 70;
const MERCHANTS_MIN = 50;

const dayBefore = (nowMs: number, days: number) =>
  new Date(nowMs - days * DAY_MS).toISOString().slice(0, 10);

/** Transactions of a part of the sample, and the labels that became known meanwhile: an investigation takes days. */
type SamplePart = { readonly file: string; readonly labels: string };

/**
 * Seeded traffic of the months before the first start, which every later start replays, so that it finds only duplicates. A table is
 * learnt after each part, so that the payments of the second part are judged by what the first one taught.
 */
export async function readOrMakeSample(dataDir: string, transactions: number, signal: AbortSignal) {
  const partOf = (name: string): SamplePart => {
    const path = join(dataDir, `sample-${transactions}${name}`);
    return { file: `${path}.ndjson.gz`, labels: `${path}-labels.ndjson.gz` };
  };
  const [whole, first, last] = [partOf(''), partOf('-1'), partOf('-2')];
  // Versions up to 1.0.0 made every sample of one part.
  const isWhole = transactions < PARTED_FROM || existsSync(whole.file);
  const parts = isWhole ? [whole] : [first, last];
  if (parts.every(({ file }) => existsSync(file))) return { parts, made: false };
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
  const splitMs = Date.parse(dayBefore(nowMs, JUDGED_DAYS));
  const bounds = isWhole ? [-Infinity, nowMs] : [-Infinity, splitMs, nowMs];
  for (const [nth, { file: out, labels }] of parts.entries()) {
    const [fromMs, toMs] = bounds.slice(nth) as [number, number];
    await writeSimulation(options, { out, labels, fromMs, toMs }, signal);
  }
  return { parts, made: true };
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
  readonly tables: number;
  readonly hasModel: boolean;
  readonly isProposed: boolean;
  /** Number of decisions by the people of the sample. */
  readonly decided: number;
};

const readState = onlyOf<SampleState, [people: readonly string[], model: string]>(
  'read-sample-state',
  `select exists (select from market.identities where identity <> all ($1::text[]) or revoked_at is not null) as "isRefused",
          exists (select from market.exchange_rates) as "hasRates",
          (select count(*)::int4 from market.scorecards) as tables,
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

/**
 * Imports the labels of a part, and has a table learn from them.
 * @param nth of the parts, of which each has a table
 */
export async function learnPart(
  context: CommandContext,
  engine: SampledEngine,
  { labels }: SamplePart,
  nth: number,
  isLast: boolean,
): Promise<void> {
  await using database = openStore(context, engine);
  const nowMs = Date.now();
  const { isRefused, tables } = await readState(database.query, PEOPLE, MODEL);
  const { isTaught } = await lookAtLabels(database.query, dayBefore(nowMs, JUDGED_DAYS), isLast);
  // The worker may have built the table of a market without labels meanwhile.
  if (isRefused || (isTaught && tables > nth)) return;
  const day = dayBefore(nowMs, isLast ? 0 : JUDGED_DAYS);
  const learn = async () => {
    const imported = await runCommand(context, engine, ['labels', 'import', labels, '--json']);
    const built = await runCommand(context, engine, ['scorecard', 'build', '--day', day, '--json']);
    // The worker takes a new table up.
    if (!isLast) await delay(TAKEN_UP_MS);
    const { accepted, unchanged } = JSON.parse(imported);
    const { frauds } = JSON.parse(built);
    return `of ${day}: ${(accepted + unchanged).toLocaleString('en-US')} labels, ${frauds} frauds of matured days`;
  };
  await showStep(context.output, 'scorecard', learn(), (said) => said);
}

const TAKEN_UP_MS = 2000;

const lookAtLabels = onlyOf<{ isTaught: boolean }, [splitDay: string, isLast: boolean]>(
  'look-at-sample-labels',
  `select exists (select from market.labels where (created_at >= $1::timestamptz) = $2) as "isTaught"`,
);

/** Begins the other steps in the background. Disposal stops the work, and the next start goes on with it. */
export function beginSample(context: CommandContext, engine: SampledEngine): AsyncDisposable {
  const { output } = context;
  const stopping = new AbortController();
  const signal = AbortSignal.any([context.signal, stopping.signal]);
  const onWaiting = (reason: string) => output.note(`the sample waits: ${reason}`);
  const retries = createRetries({ outageMsMax: OUTAGE_MS_MAX, signal, onWaiting });
  const filled = retries(() => fill({ ...context, signal }, engine)).catch((error: unknown) => {
    const why = `the sample is not complete, and the next start completes it: ${toError(error).message}`;
    if (!signal.aborted) output.note(why);
  });
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await filled;
    },
  };
}

async function fill(context: CommandContext, engine: SampledEngine): Promise<void> {
  const { output } = context;
  await using database = openStore(context, engine);
  const state = await readState(database.query, PEOPLE, MODEL);
  if (state.isRefused) return;
  if (!state.hasModel) {
    output.note('\nThe sample adds two people, a model and decisions in the background:');
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
