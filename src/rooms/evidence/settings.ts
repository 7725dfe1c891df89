/** Names, keys and files of a market's log, by the settings. */
import { join } from 'node:path';
import type { Config } from '../../kit/config/config.ts';
import { type SigningKey, toSigningKey } from './log/checkpoint.ts';

/** The name of the market's log in its checkpoints. */
export const originOf = ({ RISK_EVIDENCE_ORIGIN: origin, RISK_MARKET: market }: Config): string =>
  `${origin}/${market}`;

export const publishedName = (origin: string): string =>
  `${origin.replaceAll(/[^A-Za-z0-9.-]/g, '_')}.checkpoints`;

/** The file of published checkpoints. */
export const publishedFile = (config: Config, origin = originOf(config)): string => {
  const folder = config.RISK_EVIDENCE_FOLDER ?? join(config.RISK_DATA_DIR, 'evidence');
  return join(folder, publishedName(origin));
};

export const signingKeys = ({ RISK_EVIDENCE_KEYS: keys = [] }: Config): SigningKey[] =>
  keys.map(toSigningKey);
