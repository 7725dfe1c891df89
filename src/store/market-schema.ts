/**
 * A market is a schema. Statements are constants, in which `market.scores` stands for the table of whichever market a pool is
 * of: nothing depends on the search_path of a role or a session.
 */
import type { Statement } from './pool.ts';

const PLACEHOLDER = /\bmarket\./g;

/** @param market checked by the configuration ([a-z][a-z0-9_]*), hence safe in SQL */
export function inMarket(text: string, market: string): string {
  return text.replace(PLACEHOLDER, `"${market}".`);
}

/** The texts of one market. Those of named statements are kept, which are constants; others may differ from call to call. */
export function createTextOf(market: string): (statement: Statement) => string {
  const texts = new Map<string, string>();
  return ({ name, text }) => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    const ours = inMarket(text, market);
    if (name !== '') texts.set(text, ours);
    return ours;
  };
}
