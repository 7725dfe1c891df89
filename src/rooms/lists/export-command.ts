/** `risk lists export`: the entries in force as lines that import takes. */
import { createAsk } from '../../kit/client/ask.ts';
import { withApi } from '../../kit/command/api.ts';
import { type CommandContext, EXIT, optionsOf, parseArguments } from '../../kit/command/command.ts';

const OPTIONS = { '--url URL': '' };
/** Most of a page. */
const ROWS = 200;

export const exportAction = {
  words: 'NAME',
  summary: 'Print the entries in force as NDJSON, which import takes, in the order of values',
  asksApi: true,
  async run(args: string[], context: CommandContext): Promise<number> {
    const { values, positionals } = parseArguments(args, optionsOf(OPTIONS), {
      required: ['NAME'],
    });
    const [name = ''] = positionals;
    return await withApi(context, values.url, async (client) => {
      const ask = createAsk(client);
      const lines: string[] = [];
      let cursor: string | undefined;
      do {
        const query = { limit: ROWS, ...(cursor !== undefined && { cursor }) };
        const page = await ask('GET /v1/lists/{name}/entries', { path: { name }, query });
        for (const { value, reason, expires_at: expiry } of page.items)
          lines.push(
            JSON.stringify({ value, reason, ...(expiry !== null && { expires_at: expiry }) }),
          );
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      for (const line of lines.sort()) context.output.exactLine(line);
      return EXIT.fine;
    });
  },
};
