/** The running API that a command asks. */
import { type ApiClient, type ApiOptions, createApiClient } from '../client/api-client.ts';
import type { Config } from '../config/config.ts';
import { type CommandContext, UsageError } from './command.ts';

/** Runs `work` with a client of `--url` (RISK_URL), authenticated by `apiKeyOf`. */
export async function withApi<T>(
  { config, signal }: CommandContext,
  url: string | undefined,
  work: (client: ApiClient) => Promise<T>,
): Promise<T> {
  return await work(createApiClient({ ...apiOf(url, config), signal }));
}

/** The API of `--url`, else of RISK_URL, and which of its markets answers. */
export function apiOf(url: string | undefined, config: Config): Omit<ApiOptions, 'signal'> {
  const market = config.markets.length > 1 ? config.RISK_MARKET : undefined;
  const address = apiUrlOption(url, config);
  return { url: address, key: apiKeyOf(config, address), market };
}

/**
 * The key that a command sends to `url`: RISK_API_KEY, else RISK_BOOTSTRAP_KEY, which a machine that runs an API has. The key
 * that `npm start` made is sent to its own API alone.
 */
export function apiKeyOf(config: Config, url: string): string | undefined {
  const { RISK_API_KEY: given, RISK_BOOTSTRAP_KEY: bootstrap, ownApi } = config;
  const own = ownApi && new URL(ownApi.url).origin === new URL(url).origin ? ownApi.key : undefined;
  return given ?? bootstrap ?? own;
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
