/** `risk lists …`: shows and changes lists over a running API, imports files, and writes reference lists. */

import { asking, commandOf } from '../../kit/command/rows.ts';
import { readPages } from '../../kit/command/run-row.ts';
import { importAction } from './import-command.ts';

const EXPORTS = 'Print the entries in force as NDJSON, which import takes, in the order of values';
const exportAction = asking(
  'NAME',
  EXPORTS,
  {},
  async ({ ask, words: [name = ''] }, { output }) => {
    const entries = await readPages(Infinity, (query) =>
      ask('GET /v1/lists/{name}/entries', { path: { name }, query }),
    );
    const lines = entries.map(({ value, reason, expires_at: expiry }) =>
      JSON.stringify({ value, reason, ...(expiry !== null && { expires_at: expiry }) }),
    );
    for (const line of lines.sort()) output.exactLine(line);
  },
);

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
    list: { operation: 'listLists', hides: ['created_by', 'created_at'] },
    create: { operation: 'createList', words: { NAME: 'name' }, notes: sayAsked },
    show: { operation: 'listEntries', hides: ['list', 'import_id'] },
    add: { operation: 'addListEntry', words: { VALUE: 'value' } },
    lookup: {
      operation: 'lookUpLists',
      words: { KIND: 'kind', VALUE: 'value' },
      hides: ['import_id'],
    },
    import: importAction,
    export: exportAction,
    imports: {
      operation: 'listListImports',
      hides: ['list', 'valid_from', 'ended_at', 'ended_by'],
    },
  },
});
