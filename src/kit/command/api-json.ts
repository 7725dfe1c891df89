/** The running API that a command asks: one connection, and a refusal as a Failure. */
import { createApiClient } from '../client/api-client.ts';
import { type AskApi, createAsk } from '../client/ask.ts';
import type { CommandContext } from './command.ts';
import { apiKeyOf, apiUrlOption } from './file-options.ts';

/** Runs `work` with a connection to `--url` (RISK_URL), authenticated by `apiKeyOf`; reads include the write of `token`. */
export async function withApi<T>(
  { config, signal }: CommandContext,
  url: string | undefined,
  work: (ask: AskApi) => Promise<T>,
  token?: string,
): Promise<T> {
  const key = apiKeyOf(config);
  const options = { url: apiUrlOption(url, config), key, token, connections: 1, signal };
  using client = createApiClient(options);
  return await work(createAsk(client));
}
