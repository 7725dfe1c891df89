/** The running API that a command asks. */
import {
  type ApiClient,
  type ApiOptions,
  ApiUnavailable,
  createApiClient,
  readAnswer,
} from '../client/api-client.ts';
import type { Config } from '../config/config.ts';
import { Failure } from '../words/failure.ts';
import { type CommandContext, UsageError } from './command.ts';

/**
 * Runs `work` with a client of `--url` (RISK_URL), authenticated by `apiKeyOf`. Where the API cannot do the work, the message
 * names each store that the API misses.
 */
export async function withApi<T>(
  context: CommandContext,
  url: string | undefined,
  work: (client: ApiClient) => Promise<T>,
): Promise<T> {
  const api = apiOf(url, context);
  try {
    return await work(createApiClient({ ...api, signal: context.signal }));
  } catch (error) {
    if (!(error instanceof ApiUnavailable)) throw error;
    const away = await storesAway(api.url);
    if (away.length === 0) throw error;
    const said = `${error.message} ${away.join(' and ')} ${away.length === 1 ? 'does' : 'do'} not answer.`;
    throw new Failure('unavailable', error.code, said);
  }
}

/**
 * The API of `--url`, else of RISK_URL, and which of its markets answers. The first request says on standard error which key it
 * sends, where nobody has given this command a key: what the key does is recorded as its own.
 */
export function apiOf(
  url: string | undefined,
  { config, output }: Pick<CommandContext, 'config' | 'output'>,
): Omit<ApiOptions, 'signal'> {
  const market = config.markets.length > 1 ? config.RISK_MARKET : undefined;
  const address = apiUrlOption(url, config);
  const { key, source } = apiKeyOf(config, address);
  let isSaid = source === undefined;
  const onRequest = () => {
    if (!isSaid) output.note(`RISK_API_KEY is not set: this command sends ${source}`);
    isSaid = true;
  };
  return { url: address, key, market, onRequest };
}

/** Longer: a person waits for the name of a store. Shorter: an API that has just lost a store does not yet say so. */
const READY_MS_MAX = 3000;

/** Stores that the API finds unavailable; none where the API itself does not answer. */
async function storesAway(url: string): Promise<string[]> {
  try {
    const signal = AbortSignal.timeout(READY_MS_MAX);
    const { body } = await readAnswer(
      { url, key: undefined, signal },
      await fetch(new URL('/readyz', url), { signal }),
    );
    const ready: Readonly<Record<string, unknown>> = { ...body };
    return STORES.filter(([field]) => ready[field] === 'unavailable').map(([, name]) => name);
  } catch {
    return [];
  }
}
const STORES = [
  ['postgres', 'Postgres'],
  ['redis', 'Redis'],
] as const;

/**
 * The key that a command sends to `url`: RISK_API_KEY, else RISK_BOOTSTRAP_KEY, which a machine that runs an API has. The key
 * that `npm start` made is sent to its own API alone.
 * @returns `source`: where a key is from that nobody gave the command
 */
function apiKeyOf(config: Config, url: string): { key?: string; source?: string } {
  const { RISK_API_KEY: given, RISK_BOOTSTRAP_KEY: bootstrap, ownApi } = config;
  if (given !== undefined) return { key: given };
  if (bootstrap !== undefined) return { key: bootstrap, source: 'RISK_BOOTSTRAP_KEY' };
  if (ownApi?.key === undefined || new URL(ownApi.url).origin !== new URL(url).origin) return {};
  return { key: ownApi.key, source: `the admin key in ${ownApi.keyFile}, which may not approve` };
}

/** The value of `--url`, else RISK_URL. */
function apiUrlOption(given: string | undefined, config: Config): string {
  const url = given ?? config.RISK_URL;
  const parsed = URL.parse(url);
  if (!/^https?:$/.test(parsed?.protocol ?? ''))
    throw new UsageError(`the API must be an http or https URL, not '${url}'`);
  if (parsed?.pathname !== '/' || parsed.search !== '') {
    throw new UsageError(`the API must be a URL without a path, not '${url}'`);
  }
  return url;
}
