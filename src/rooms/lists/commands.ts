/** `risk lists …`: shows and changes lists over a running API, imports files, and writes reference lists. */

import { createAsk } from '../../kit/client/api-client.ts';
import { withApi } from '../../kit/command/api.ts';
import { type CommandContext, EXIT, optionsOf, parseArguments } from '../../kit/command/command.ts';
import { commandOf } from '../../kit/command/rows.ts';
import { importAction } from './import-command.ts';

const OPTIONS = { '--url URL': '' };
/** Most of a page. */
const ROWS = 200;

/** `risk lists export`: the entries in force as lines that import takes. */
const exportAction = {
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

const NAME = { NAME: 'name' };
const entryColumns = [
  'entry_id',
  'value',
  'state',
  'reason',
  'expires_at',
  'added_by',
  'added_at',
  'approved_by',
  'valid_from',
  'valid_to',
  'ended_by',
];
const importColumns = [
  'import_id',
  'state',
  'rows',
  'added',
  'reason',
  'added_by',
  'added_at',
  'approved_by',
];

const sayAsked = ({ name = '' }: { readonly name?: string }) =>
  `Entries change no decision until a rule set in force asks in_list("${name}")`;

export const command = commandOf({
  name: 'lists',
  summary: 'Shows and changes lists of what is allowed, blocked and watched.',
  notes: `FILE is CSV with the header value,reason,expires_at, of which value is needed, or NDJSON; .gz too. An import is done as a
whole or not at all, and the same file again changes nothing. With --shared the file is the whole of a reference list of every
market, whose name begins with shared-: it needs the owner role (RISK_ADMIN_DATABASE_URL, else DATABASE_URL).

Example: risk lists add stolen-devices device-4f2a --reason 'reported by its owner'
Example: risk lists import stolen-devices devices.csv --reason 'wave of November'
Example: risk lists import shared-sanctioned countries.csv --shared --effect block --kind country --source OFAC --date 2026-11-01 \\
           --reason 'sanctioned'`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listLists',
      columns: [
        'name',
        'effect',
        'kind',
        'open_entries',
        'version',
        'source',
        'source_date',
        'description',
      ],
    },
    create: { operation: 'createList', words: NAME, notes: sayAsked },
    show: { operation: 'listEntries', columns: entryColumns },
    add: { operation: 'addListEntry', words: { NAME: 'name', VALUE: 'value' } },
    lookup: {
      operation: 'lookUpLists',
      words: { KIND: 'kind', VALUE: 'value' },
      columns: ['list', 'effect', ...entryColumns],
    },
    import: importAction,
    export: exportAction,
    imports: { operation: 'listListImports', columns: importColumns },
  },
});
