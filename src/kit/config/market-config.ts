/** The configuration of one of the markets that a process serves. */
import type { Config } from './config.ts';

/** As RISK_DATABASE_CONNECTIONS_MAX: one connection for work while a long statement has another. */
const CONNECTIONS_MIN = 2;

/**
 * The configuration of each market, the one that answers first: with its stores and its stops. What a process may open is
 * divided among its markets, so that Postgres has as many connections of a process as its settings say.
 */
export function configsOfMarkets(config: Config): Config[] {
  const { markets } = config;
  const each = (max: number, min: number) => Math.max(min, Math.floor(max / markets.length));
  const names = markets.map((own) => own.RISK_MARKET);
  return markets.map((own) => ({
    ...config,
    RISK_MARKET: own.RISK_MARKET,
    // The environment does not name embedded services.
    DATABASE_URL: own.DATABASE_URL ?? config.DATABASE_URL,
    REDIS_URL: own.REDIS_URL ?? config.REDIS_URL,
    DATABASE_REPLICA_URL: own.DATABASE_REPLICA_URL,
    RISK_DATABASE_CONNECTIONS_MAX: each(config.RISK_DATABASE_CONNECTIONS_MAX, CONNECTIONS_MIN),
    RISK_EXPORTS_MAX: each(config.RISK_EXPORTS_MAX, 1),
    RISK_KEY_FILTER_MB: each(config.RISK_KEY_FILTER_MB, 0),
    // The first market reports variables of markets that this process does not serve.
    stopped: config.stopped.filter(
      ({ market }) => market === own.RISK_MARKET || (own === markets[0] && !names.includes(market)),
    ),
    markets: [own],
  }));
}
