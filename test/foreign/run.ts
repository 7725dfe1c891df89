/**
 * `npm run foreign`: walks the main way of the engine on stores of one's own, with the engine's own processes. It says first what it
 * makes there, removes all of it afterwards, and exits 1 where a step did not hold.
 */
import { parseArgs } from 'node:util';
import { createOutput } from '../../src/kit/command/output.ts';
import { toError } from '../../src/kit/words/failure.ts';
import { tableOf, walkMainWay } from './main-way.ts';
import { choosePlace, describePlace, type Place, removePlace } from './place.ts';
import { PROCESSES } from './processes.ts';

const USAGE = `npm run foreign -- --database-url URL --redis-url URL [--market NAME]

Walks the main way on these stores: migrate, log in, post, score, search, switch, verify, export, archive and restore. It makes a
market there that it names first, and removes the market afterwards.

--market NAME  schema and prefix of keys; refused where it is there already (foreign_ and eight digits)

Settings of the engine (RISK_DATABASE_POOLER=transaction, RISK_CONNECT_TIMEOUT_MS=…) are taken from the environment.`;

const EXIT = { fine: 0, failed: 1, usage: 2 } as const;
const NAME = /^[a-z][a-z0-9_]{0,30}$/;
/** Settings that would lead the run to another market or to another database. */
const NOT_TAKEN = /^RISK_(MARKETS?|ADMIN_DATABASE_URL|CORRIDORS|BOOTSTRAP_KEY)$/;

const output = createOutput({ json: false });

/** @returns the exit code */
async function walk(place: Place): Promise<number> {
  for (const line of describePlace(place)) output.line(line);
  const controller = new AbortController();
  // Ctrl-C reaches the engine's processes as well; what was made is removed before this process ends.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => controller.abort(new Error(`ended by ${signal}`)));
  const own = Object.entries(process.env).filter(
    ([name]) => /^(RISK_|NODE_EXTRA_CA_CERTS$)/.test(name) && !NOT_TAKEN.test(name),
  );
  const environment = {
    ...(Object.fromEntries(own) as Record<string, string>),
    DATABASE_URL: place.databaseUrl,
    REDIS_URL: place.redisUrl,
    RISK_MARKET: place.market,
    RISK_CORRIDORS: place.corridor,
  };
  const { corridor, market } = place;
  const beforeStep = () => controller.signal.throwIfAborted();
  try {
    const walked = await walkMainWay({ means: PROCESSES, environment, corridor, beforeStep });
    output.line(tableOf('market', [{ what: market, held: walked.held }]).trimEnd());
    for (const problem of walked.problems) output.line(`NOT HELD  ${problem}`);
    return walked.problems.length === 0 ? EXIT.fine : EXIT.failed;
  } finally {
    for (const line of await removePlace(place)) output.line(line);
  }
}

async function run(): Promise<number> {
  const text = { type: 'string' } as const;
  const options = { 'database-url': text, 'redis-url': text, market: text };
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } });
  const { 'database-url': databaseUrl, 'redis-url': redisUrl, market } = values;
  if (values.help === true) {
    output.line(USAGE);
    return EXIT.fine;
  }
  if (databaseUrl === undefined || redisUrl === undefined) throw new Error(USAGE);
  if (market !== undefined && !NAME.test(market))
    throw new Error(`--market: a small letter, then up to 30 small letters, digits and _`);
  return await walk(await choosePlace({ databaseUrl, redisUrl }, market));
}

process.exitCode = await run().catch((error: unknown) => {
  output.error(toError(error).message);
  return EXIT.usage;
});
