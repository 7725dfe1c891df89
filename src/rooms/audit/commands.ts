/** `risk audit`: who changed what, over a running API. */
import { readPages } from '../../kit/client/ask.ts';
import { withApi } from '../../kit/command/api-json.ts';
import {
  type Command,
  EXIT,
  integerOption,
  parseArguments,
  wordOption,
} from '../../kit/command/command.ts';
import { AUDIT_ACTIONS } from '../../kit/words/audit.ts';

const ROWS = 50;
const ROWS_MAX = 100_000;

export const command: Command = {
  name: 'audit',
  summary: 'Shows who changed what.',
  usage: `risk audit [options]

Lists what people and the engine changed, and what was exported, newest first: time, person, key, action and request.
docs/audit.md says what is audited. --json adds the state before and after each change.

  --who NAME        only changes by this person, owner or database role
  --action ACTION   only this action: ${AUDIT_ACTIONS.slice(0, 5).join(', ')},
                    ${AUDIT_ACTIONS.slice(5, 10).join(', ')},
                    ${AUDIT_ACTIONS.slice(10, 17).join(', ')},
                    ${AUDIT_ACTIONS.slice(17, 24).join(', ')},
                    ${AUDIT_ACTIONS.slice(24).join(', ')}
  --limit N         rows (${ROWS})
  --url URL         the API (RISK_URL); RISK_API_KEY holds the key of an admin or a risk officer

Example: risk audit --action rollout.approve --json
`,
  run: async (args, context) => {
    const { values } = parseArguments(args, {
      who: { type: 'string' },
      action: { type: 'string' },
      limit: { type: 'string' },
      url: { type: 'string' },
    });
    const { who } = values;
    const action = wordOption('--action', values.action, AUDIT_ACTIONS);
    const wanted = integerOption('--limit', values.limit, { min: 1, max: ROWS_MAX }, ROWS);
    const rows = await withApi(context, values.url, (ask) =>
      readPages(wanted, (cursor, limit) =>
        ask('GET /v1/audit', { query: { who, action, limit, cursor } }),
      ),
    );
    const columns = ['audit_id', 'changed_at', 'who', 'key_id', 'action', 'subject', 'request'];
    context.output.table(
      columns.map((field) => ({ field })),
      rows,
    );
    return EXIT.fine;
  },
};
