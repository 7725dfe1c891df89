/**
 * A market is a schema. Statements are constants that write `market.scores` for the table in the schema of the pool's market,
 * so none depends on the search_path of a role or a session.
 */
const PLACEHOLDER = /\bmarket\./g;
/** Tables that have a partition for each month. */
export const PARTITIONED_TABLES = ['transactions', 'scores', 'labels'] as const;
/** Rows that are inserted lock their own month alone; a name in quotes is no table that is read. */
const READS_MONTHS = new RegExp(`(?<!into |')market\\.(?:${PARTITIONED_TABLES.join('|')})\\b`);

/** @param market checked by the configuration ([a-z][a-z0-9_]*), hence safe in SQL */
export function inMarket(text: string, market: string): string {
  return text.replace(PLACEHOLDER, `"${market}".`);
}

type Resolved = { readonly name?: string; readonly text: string };

/**
 * Resolves the statements of one market, and caches those with a name: the text of others may vary by call. A statement that reads
 * months loses its name, as Postgres makes a plan for any values of a named one, and such a plan locks all months and their indexes.
 */
export function createTextOf(
  market: string,
): (statement: Resolved & { readonly hasMonths?: boolean }) => Resolved {
  const texts = new Map<string, Resolved>();
  return ({ name, text, hasMonths }) => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    const isKept = name !== undefined && (hasMonths === true || !READS_MONTHS.test(text));
    const ours = { text: inMarket(text, market), ...(isKept && { name }) };
    if (name) texts.set(text, ours);
    return ours;
  };
}
