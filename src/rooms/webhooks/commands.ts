/** `risk webhooks …`: makes, changes and watches webhooks over a running API. */
import { VERDICTS } from '../../core/domain/score-record.ts';
import { EVENT_TYPES } from '../../core/events.ts';
import { type AskApi, readPages } from '../../kit/client/ask.ts';
import { type ActionRequest, type ApiAction, runApiAction } from '../../kit/command/api-action.ts';
import {
  type Command,
  EXIT,
  integerOption,
  parseArguments,
  wordOption,
} from '../../kit/command/command.ts';
import { DELIVERY_STATES } from './webhook.ts';

const LIST_ROWS = 50;
const LIST_ROWS_MAX = 10_000;

const OPTIONS = {
  type: { type: 'string', multiple: true },
  verdict: { type: 'string', multiple: true },
  corridor: { type: 'string', multiple: true },
  client: { type: 'string' },
  state: { type: 'string' },
  limit: { type: 'string' },
  url: { type: 'string' },
} as const;

type Options = ReturnType<typeof parseArguments<typeof OPTIONS>>['values'];
type Action = ApiAction<Options>;
type Request = ActionRequest<Options>;

const ACTIONS: Readonly<Record<string, Action>> = {
  list: { words: [], run: list },
  create: { words: ['TARGET'], run: create },
  ...{ rotate: onWebhook('rotate'), test: onWebhook('test') },
  ...{ pause: paused(true), resume: paused(false) },
  deliveries: { words: ['ID'], run: deliveries },
  redeliver: { words: ['ID', 'DELIVERY'], run: redeliver },
  delete: { words: ['ID'], run: remove },
};

export const command: Command = {
  name: 'webhooks',
  summary: 'Makes, tests and deletes webhooks; shows what was sent.',
  usage: `risk webhooks ACTION [options]

  list                     webhooks
  create TARGET            makes one; its secret is printed once
  rotate ID                makes a new secret; the old one signs too for 24 h
  pause ID | resume ID     lets events wait, or sends them; resume also enables a disabled one
  test ID                  sends an event of the type webhook.test
  deliveries ID            what was sent, newest first
  redeliver ID DELIVERY    sends an event again
  delete ID                deletes a webhook

  --type T       create: an event to send (${EVENT_TYPES.join(', ')});
                 several may be given; transaction.decided
  --verdict V    create: of transaction.decided, only these (${VERDICTS.join(', ')}); review and decline
  --corridor C   create: only these corridors
  --client C     create: only this client's transactions
  --state S      deliveries: only this state (${DELIVERY_STATES.join(', ')})
  --limit N      rows of deliveries (${LIST_ROWS})
  --url URL      the API (RISK_URL); its key is read from RISK_API_KEY

Example: risk webhooks create https://shop.example/risk-events --client shop
`,
  run: async (args, context) => {
    const parsed = parseArguments(args, OPTIONS, { required: ['ACTION'], max: 3 });
    return await runApiAction(ACTIONS, parsed, context);
  },
};

const WEBHOOK_COLUMNS = [
  ...[{ field: 'webhook_id', title: 'webhook' }, { field: 'state' }, { field: 'client' }],
  ...[{ field: 'event_types', title: 'events' }, { field: 'url' }],
  ...[{ field: 'failing_since', title: 'failing since' }],
];

async function list(ask: AskApi, { context }: Request): Promise<number> {
  const { items } = await ask('GET /v1/webhooks', {});
  const rows = items.map((one) => ({ ...one, event_types: one.event_types.join(' ') }));
  context.output.table(WEBHOOK_COLUMNS, rows);
  return EXIT.fine;
}

async function create(ask: AskApi, { words, options, context }: Request): Promise<number> {
  const [url = ''] = words;
  const types = options.type ?? ['transaction.decided'];
  const { corridor: corridors, client } = options;
  const verdicts = options.verdict?.map((one) => wordOption('--verdict', one, VERDICTS));
  const made = await ask('POST /v1/webhooks', {
    body: {
      url,
      event_types: types.map((one) => wordOption('--type', one, EVENT_TYPES)),
      ...(verdicts === undefined ? {} : { verdicts }),
      ...(corridors === undefined ? {} : { corridors }),
      ...(client === undefined ? {} : { client }),
    },
  });
  context.output.record(made);
  return EXIT.fine;
}

function onWebhook(step: 'rotate' | 'test'): Action {
  const run: Action['run'] = async (ask, { words: [id = ''], context }) => {
    context.output.record(await ask(`POST /v1/webhooks/{id}/${step}`, { path: { id } }));
    return EXIT.fine;
  };
  return { words: ['ID'], run };
}

function paused(isPaused: boolean): Action {
  const run: Action['run'] = async (ask, { words: [id = ''], context }) => {
    const body = { paused: isPaused };
    context.output.record(await ask('POST /v1/webhooks/{id}', { path: { id }, body }));
    return EXIT.fine;
  };
  return { words: ['ID'], run };
}

const DELIVERY_COLUMNS = [
  ...[
    { field: 'delivery_id', title: 'delivery' },
    { field: 'event_id', title: 'event' },
    { field: 'decisions' },
  ],
  ...[{ field: 'state' }, { field: 'attempts' }, { field: 'response_status', title: 'status' }],
  ...[{ field: 'error' }, { field: 'next_at', title: 'next at' }],
];

async function deliveries(ask: AskApi, { words, options, context }: Request): Promise<number> {
  const [id = ''] = words;
  const path = { id };
  const state = wordOption('--state', options.state, DELIVERY_STATES);
  const bounds = { min: 1, max: LIST_ROWS_MAX };
  const wanted = integerOption('--limit', options.limit, bounds, LIST_ROWS);
  const rows = await readPages(wanted, (cursor, limit) =>
    ask('GET /v1/webhooks/{id}/deliveries', { path, query: { state, limit, cursor } }),
  );
  context.output.table(DELIVERY_COLUMNS, rows);
  return EXIT.fine;
}

async function redeliver(ask: AskApi, { words, context }: Request): Promise<number> {
  const [id = '', delivery_id = ''] = words;
  const path = { id, delivery_id };
  const name = 'POST /v1/webhooks/{id}/deliveries/{delivery_id}/redeliver';
  context.output.record(await ask(name, { path }));
  return EXIT.fine;
}

async function remove(ask: AskApi, { words, context }: Request): Promise<number> {
  const [id = ''] = words;
  await ask('DELETE /v1/webhooks/{id}', { path: { id } });
  context.output.value({ webhook_id: id }, [`webhook ${id} is deleted`]);
  return EXIT.fine;
}
