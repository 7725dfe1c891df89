/** Market of every bench: the engine's default. */
export const MARKET = 'market_0';

/** For SQL that names the market's tables without their schema, as the engine's never does. */
export function marketUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.searchParams.set('options', `-c search_path=${MARKET},shared,public`);
  return url.href;
}
