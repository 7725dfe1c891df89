/** The market of every bench, which is the engine's default. */
export const MARKET = 'market_0';

/** Sets the search_path for a bench's own SQL, which names tables without their schema; the engine's SQL never does. */
export function marketUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.searchParams.set('options', `-c search_path=${MARKET},shared,public`);
  return url.href;
}
