/**
 * A market is a schema. Statements are constants that write `market.scores` for the table in the schema of the pool's market,
 * so none depends on the search_path of a role or a session.
 */
const PLACEHOLDER = /\bmarket\./g;

/** @param market checked by the configuration ([a-z][a-z0-9_]*), hence safe in SQL */
export function inMarket(text: string, market: string): string {
  return text.replace(PLACEHOLDER, `"${market}".`);
}

/** Resolves and caches the texts of one market. Only named statements are cached: the text of others may vary by call. */
export function createTextOf(
  market: string,
): (statement: { readonly name?: string; readonly text: string }) => string {
  const texts = new Map<string, string>();
  return ({ name, text }) => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    const ours = inMarket(text, market);
    if (name) texts.set(text, ours);
    return ours;
  };
}
