/**
 * Variables that stop a scope while a process runs: MARKET_1_ENABLED (the market `market_1`) and M1_CORRIDOR_UK_NG_ENABLED.
 * A variable of this kind only stops: `true` is the same as no variable.
 */

export type StopSetting = {
  readonly name: string;
  readonly market: string;
  /** `market` or `corridor:UK-NG`. */
  readonly scope: string;
};

const LOOKS_LIKE_ONE = /^(MARKET_|M\d+_).*_ENABLED$/;
const MARKET = /^MARKET_(\d{1,6})_ENABLED$/;
const CORRIDOR = /^M(\d{1,6})_CORRIDOR_([A-Z]{2})_([A-Z]{2})_ENABLED$/;

/** Scopes that an environment stops, and problems of variables that cannot be read. */
export function readStopSettings(environment: Readonly<Record<string, string | undefined>>): {
  readonly stopped: readonly StopSetting[];
  readonly problems: readonly string[];
} {
  const stopped: StopSetting[] = [];
  const problems: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!LOOKS_LIKE_ONE.test(name) || value === undefined) continue;
    const setting = parse(name);
    if (setting === undefined) {
      problems.push(`${name}: must be MARKET_1_ENABLED or M1_CORRIDOR_UK_NG_ENABLED by its form`);
    } else if (value !== 'true' && value !== 'false') {
      problems.push(`${name}: must be true or false, not '${value}'`);
    } else if (value === 'false') stopped.push({ name, ...setting });
  }
  return { stopped, problems };
}

function parse(name: string): Omit<StopSetting, 'name'> | undefined {
  const market = MARKET.exec(name)?.[1];
  if (market !== undefined) return { market: `market_${market}`, scope: 'market' };
  const [, number, from, to] = CORRIDOR.exec(name) ?? [];
  if (number === undefined) return undefined;
  return { market: `market_${number}`, scope: `corridor:${from}-${to}` };
}
