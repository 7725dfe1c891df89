/**
 * The API process: opens the market or the markets that it serves, sends each request to its market, and closes everything when
 * it is told to stop. A market whose stores are not reached is tried until it is open, while the others serve.
 */
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '../kit/command/command.ts';
import { type Config, EXIT_BAD_CONFIGURATION } from '../kit/config/config.ts';
import { configsOfMarkets } from '../kit/config/market-config.ts';
import { chooseMarket } from '../kit/http/choose-market.ts';
import { serve, toListener } from '../kit/http/serve.ts';
import { createProcessMetrics, reportConnections } from '../kit/metrics/metrics.ts';
import { answerWithin, settlesWithin } from '../kit/process/settles-within.ts';
import { openTraces } from '../kit/traces/open-traces.ts';
import { toError } from '../kit/words/failure.ts';
import type { Principal } from '../kit/words/principal.ts';
import { loadDocument } from './document.ts';
import { createApp } from './http/app.ts';
import { docsRoutes } from './http/docs.ts';
import { type AskedMetrics, type HealthDependencies, healthRoutes } from './http/health.ts';
import { type MarketContext, type OpenMarket, openMarket } from './open-market.ts';
import { ROOMS } from './rooms.ts';
import { scrape } from './scrape.ts';

const EXIT_FINE = 0;
/** How long the first open market waits for other markets. Shorter: a usual start refuses requests; longer: an outage of a market delays the others. */
const OTHERS_MS = 2000;
const AGAIN_MS = 1000;
/** How long a scrape waits for a market to say whether it knows the key: longer than a breaker takes, shorter than a scraper. */
const KNOWS_MS_MAX = 5000;

/** A market of this process; disposing it closes the market. */
type Served = AsyncDisposable & {
  readonly name: string;
  /** Undefined until it is open. */
  readonly market: () => OpenMarket | undefined;
  /** Rejects where the market could not be opened at once. */
  readonly firstTry: Promise<void>;
  /** Resolves once it is open, or is not tried again. */
  readonly settled: Promise<void>;
};

export async function runApi(context: CommandContext): Promise<number> {
  const { config, log, output, signal } = context;
  // The opening of a market ends at the signal, and a market that serves drains a grace later.
  const draining = new AbortController();
  const drain = () => draining.abort();
  signal.addEventListener('abort', drain);
  if (signal.aborted) drain();
  const configs = configsOfMarkets(config);
  const missing = configs.flatMap(missingUrls);
  if (missing.length > 0) {
    for (const setting of new Set(missing)) output.error(`${setting}: is needed by api`);
    return EXIT_BAD_CONFIGURATION;
  }
  await using stack = new AsyncDisposableStack();
  const traces = stack.use(await openTraces(config, 'risk-api', log));
  const markets = new Map<string, RequestListener | undefined>();
  const served = configs.map((own) => {
    markets.set(own.RISK_MARKET, undefined);
    const said = configs.length > 1 ? log.child({ market: own.RISK_MARKET }) : log;
    const its = { traces, config: own, log: said, signal: draining.signal };
    return stack.use(serveMarket({ ...context, ...its }, markets));
  });
  try {
    await oneOpen(served);
  } catch (error) {
    if (signal.aborted) return EXIT_FINE;
    throw error;
  }
  const metrics = createProcessMetrics();
  const app = createApp({
    log,
    metrics,
    routes: [
      healthRoutes({
        isAlive: () => true,
        vitals: new Map(served.map(({ name, market }) => [name, () => market()?.vitals])),
        draining: signal,
        ...metricsOf(served, metrics),
      }),
      docsRoutes(await loadDocument()),
      ...(await Promise.all(ROOMS.flatMap(({ pages }) => pages?.() ?? []))),
    ],
    // Markets serve what is below /v1.
    authenticate: async () => undefined,
    degradation: { level: () => 0, levelOf: () => 0 },
    timeoutMs: config.RISK_REQUEST_TIMEOUT_MS,
    waitMsMax: 0,
  });
  const serving = await serve(chooseMarket(toListener(app), markets, metrics), {
    host: config.HOST,
    port: config.PORT,
    tls: config.RISK_TLS && { files: config.RISK_TLS, log },
    idleMs: config.RISK_KEEP_ALIVE_MS,
    untakenMs: config.RISK_EXPORT_IDLE_MS,
    log,
  });
  log.info({ url: serving.url }, 'serving');
  signal.removeEventListener('abort', drain);
  if (!signal.aborted) await once(signal, 'abort');
  if (!draining.signal.aborted) await serving.retire(config.RISK_SHUTDOWN_GRACE_MS);
  drain();
  await serving.close();
  await Promise.all(served.map(({ settled }) => settled));
  await Promise.all(served.map(({ market }) => market()?.ended()));
  return EXIT_FINE;
}

function missingUrls({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl }: Config): string[] {
  return [
    ...(databaseUrl === undefined ? ['DATABASE_URL'] : []),
    ...(redisUrl === undefined ? ['REDIS_URL'] : []),
  ];
}

/**
 * Opens a market, and where that fails tries again until the market is open or the process stops.
 * @param markets gets the listener of the open market
 */
function serveMarket(
  context: MarketContext,
  markets: Map<string, RequestListener | undefined>,
): Served {
  const { config, log } = context;
  const stack = new AsyncDisposableStack();
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  let market: OpenMarket | undefined;
  const open = async () => {
    await using tried = new AsyncDisposableStack();
    const opened = await openMarket({ ...context, signal }, tried);
    stack.use(tried.move());
    market = opened;
    markets.set(config.RISK_MARKET, opened.listener);
  };
  const openLater = async (failure: unknown) => {
    for (let cause = failure; market === undefined; ) {
      await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      log.warn({ cause: toError(cause).message }, 'the market was not opened: it is tried again');
      await open().catch((error: unknown) => {
        cause = error;
      });
    }
  };
  const firstTry = open();
  const settled = firstTry.catch(openLater);
  return {
    name: config.RISK_MARKET,
    market: () => market,
    firstTry,
    settled,
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await settled;
      await stack.disposeAsync();
    },
  };
}

/** Resolves once one market is open and the others had their time. @throws Failure of the first where none can be opened */
async function oneOpen(served: readonly Served[]): Promise<void> {
  const tries = served.map(({ firstTry }) => firstTry);
  const all = Promise.all(tries);
  // Where one is open, nobody else hears of the others' failures.
  all.catch(() => undefined);
  await Promise.any(tries).catch(() => all);
  await settlesWithin(Promise.all(served.map(({ settled }) => settled)), OTHERS_MS);
}

/** The principal of a credential in each open market that knows it. @throws where no market knows it and one cannot be asked */
async function findKnowing(
  served: readonly Served[],
  { credential, incoming }: AskedMetrics,
): Promise<Map<Served, Principal>> {
  const found = await Promise.allSettled(
    served.map(async (market): Promise<[Served, Principal][]> => {
      const asked = market.market()?.authenticate(credential, incoming, 'recent');
      const principal = asked && (await answerWithin(asked, KNOWS_MS_MAX));
      return principal === undefined ? [] : [[market, principal]];
    }),
  );
  const known = found.flatMap((market) => (market.status === 'fulfilled' ? market.value : []));
  const failed = found.find((market) => market.status === 'rejected');
  if (known.length === 0 && failed !== undefined) throw failed.reason;
  return new Map(known);
}

type ProcessMetrics = ReturnType<typeof createProcessMetrics>;

/** Lets a key in that one market knows, and tells it what the process measures and what those markets do that know the key. */
function metricsOf(
  served: readonly Served[],
  { registry }: ProcessMetrics,
): Required<Pick<HealthDependencies, 'authenticate' | 'metrics'>> {
  /** Each market is asked once a request. */
  const asked = new WeakMap<AskedMetrics['credential'], ReturnType<typeof findKnowing>>();
  return {
    authenticate: async (credential, incoming) => {
      const knowing = findKnowing(served, { credential, incoming });
      asked.set(credential, knowing);
      const [principal] = (await knowing).values();
      return principal;
    },
    metrics: {
      contentType: registry.contentType,
      metrics: async (request) => {
        const knowing = request && (await asked.get(request.credential));
        return await scrape([registry, ...registriesOf([...(knowing?.keys() ?? [])])]);
      },
    },
  };
}

/** The metrics of open markets; connections and requests are counted now. */
function registriesOf(served: readonly Served[]) {
  return served.flatMap(({ market }) => {
    const open = market();
    if (open === undefined) return [];
    const { metrics, databases, requestsInFlight } = open;
    reportConnections(metrics, databases.primary.usage());
    metrics.requestsInFlight.set(requestsInFlight());
    metrics.lastScrape.atMs = Date.now();
    return [metrics.registry];
  });
}
