/**
 * Adds to the transactions of the sample: exchange rates before them and, in the background while the engine serves, labels,
 * two people, decided cases and a model that waits for a second person. Each step skips what an earlier start has added.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiClient, createAsk, createRetries } from '../../../kit/client/api-client.ts';
import type { CommandContext } from '../../../kit/command/command.ts';
import { openDatabase } from '../../../kit/database/open-database.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import { LINK_MINUTES } from '../../../kit/words/session.ts';
import { LAUNCHER } from '../role.ts';
import { type Screen, shortPath } from '../screen.ts';
import { ask as runProgram } from '../services/executable.ts';
import {
  claimCases,
  decideCases,
  findOrMakePerson,
  keyFileOf,
  MODEL,
  PEOPLE,
  readSampleState,
} from './people.ts';
import { DAY_MS, labelsFile, sampleRates } from './transactions.ts';

/** Time between reads of labels, each of which takes 0.2 s of a processor. Longer: the console shows precision later. */
export const SAMPLE_SETTINGS = { RISK_WATCH_EVERY_SECONDS: '30' };
/** Bridges the restart of a killed API. */
const OUTAGE_MS_MAX = 20_000;
const COMMAND_TIMEOUT_MS = 600_000;
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

/** Imports rates before the transactions, because an opening case converts its amount to the market's currency. */
export async function importSampleRates(context: Context, engine: Engine): Promise<void> {
  await using database = openStore(context, engine);
  const { isRefused, hasRates } = await readSampleState(database);
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
  const stopping = new AbortController();
  const signal = AbortSignal.any([context.signal, stopping.signal]);
  const fillPatiently = async () => {
    await using database = openStore(context, engine);
    const retries = createRetries({
      outageMsMax: OUTAGE_MS_MAX,
      signal,
      onWaiting: (reason) => context.output.note(`the sample waits: ${reason}`),
    });
    await retries(() => fill({ ...context, signal }, screen, engine, transactions, database));
  };
  const filled = fillPatiently().catch((error: unknown) => {
    const why = `the sample is not complete, and the next start completes it: ${toError(error).message}`;
    if (!signal.aborted) context.output.note(why);
  });
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
  database: Database,
): Promise<void> {
  const { output, signal } = context;
  const { url, dataDir } = engine;
  const { isRefused, hasModel, isProposed, decided } = await readSampleState(database);
  if (isRefused) return;
  if (!hasModel) {
    output.note(
      '\nThe sample adds labels, two people, a model and review decisions in the background:',
    );
    await screen.step(
      'sample labels',
      importLabels(context, engine, transactions),
      (known) => `${known.toLocaleString('en-US')} are known by now`,
    );
  }
  const [keyOfAnn, keyOfBen] = [
    await findOrMakePerson(database, dataDir, 'Sample Ann'),
    await findOrMakePerson(database, dataDir, 'Sample Ben'),
  ];
  const askAs = (key: string) => createAsk(createApiClient({ url, key, signal }));
  const [ann, ben] = [askAs(keyOfAnn), askAs(keyOfBen)];
  const claimed = await claimCases(ann, ben, decided);
  const lack = hasModel
    ? undefined
    : await screen.step(
        'sample model',
        trainModel(context, { ...engine, key: keyOfAnn }),
        (why) => why ?? `${MODEL} is trained and will be proposed as a shadow`,
      );
  if (lack === undefined && !isProposed) {
    const body = { corridor: 'all', to: 'shadow' };
    await ann('POST /v1/models/{id}/proposals', { path: { id: MODEL }, body });
  }
  if (claimed.length > 0) {
    await screen.step(
      'sample decisions',
      decideCases(ann, claimed),
      () => `${claimed.length} cases are decided; a second person confirms high amounts`,
    );
  }
  const links: string[] = [];
  for (const person of PEOPLE) {
    const { token } = await (person === 'Sample Ann' ? ann : ben)('POST /v1/sessions/links', {});
    const key = shortPath(keyFileOf(dataDir, person));
    links.push(`  ${person} (commands: export RISK_API_KEY=$(cat ${key})):`);
    links.push(`  ${url}/console#login=${token}`);
  }
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

/** Runs `bin/risk` on the engine, with the rights of its key. */
async function runCommand(context: Context, engine: Engine, args: readonly string[]) {
  const { url: RISK_URL, key: RISK_API_KEY, databaseUrl: DATABASE_URL } = engine;
  const answer = await runProgram('/bin/sh', [LAUNCHER, ...args], {
    environment: { ...context.environment, RISK_URL, RISK_API_KEY, DATABASE_URL },
    timeoutMs: COMMAND_TIMEOUT_MS,
    signal: context.signal,
  });
  context.signal.throwIfAborted();
  const why = answer.ok ? undefined : (answer.stderr.trim().split('\n').at(-1) ?? '');
  return { why, stdout: answer.stdout };
}

/** @returns the number of labels of the file that the engine has */
async function importLabels(
  context: Context,
  engine: Engine,
  transactions: number,
): Promise<number> {
  const args = ['labels', 'import', labelsFile(engine.dataDir, transactions), '--json'];
  const { why, stdout } = await runCommand(context, engine, args);
  if (why !== undefined) throw new Failure('permanent', 'SAMPLE_FAILED', why);
  const { accepted, unchanged } = JSON.parse(stdout);
  return accepted + unchanged;
}

/** @returns why training made no model, or undefined if it made one */
async function trainModel(context: Context, engine: Engine): Promise<string | undefined> {
  const nowMs = Date.now();
  const windows = Object.entries(WINDOWS).flatMap(([option, ago]) => [
    `--${option}`,
    new Date(nowMs - ago * DAY_MS).toISOString().slice(0, 10),
  ]);
  // Training registers the model, so its files are deleted afterwards.
  const out = mkdtempSync(join(tmpdir(), 'risk-sample-'));
  const named = ['--known-by', new Date(nowMs).toISOString(), '--name', MODEL, '--out', out];
  const { why } = await runCommand(context, engine, ['models', 'train', ...windows, ...named]);
  rmSync(out, { recursive: true, force: true });
  return why;
}
