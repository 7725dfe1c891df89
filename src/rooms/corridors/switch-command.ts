/** `risk switch …`: stops a scope and starts it again over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

const words = { SCOPE: 'scope' };

/** A market's stop takes another person to end. */
const WHOLE: Readonly<Record<string, string>> = {
  all: 'stop all refuses and does not score every corridor of each market in this database',
  market: 'stop market refuses and does not score every corridor of the market of this API',
};

/** Tells the person who stopped a whole market how the stop ends. */
const sayStart = ({ scope = '' }: { readonly scope?: string }) =>
  scope in WHOLE
    ? `Another person, with the role risk_officer or admin, ends the stop: bin/risk switch start ${scope} --reason '…'`
    : undefined;

export const command = commandOf({
  name: 'switch',
  summary: 'Stops a market, a corridor, a client, a rule or a model, and starts it again.',
  notes: `SCOPE is all, market, corridor:US-EG, client:NAME, rule:NIGHT_HIGH_AMOUNT or model:fraud@3.
Stopping all or market needs --yes.
Example: risk switch stop corridor:US-EG --reason 'payouts fail at the bank'`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: { operation: 'listSwitches' },
    show: { operation: 'readSwitch', words },
    stop: {
      operation: 'changeSwitch',
      summary: 'Stop a scope: nothing of it is accepted or scored from the answer on',
      words,
      fields: { stopped: true },
      mustBeMeant: ({ scope }) => WHOLE[String(scope)],
      notes: sayStart,
    },
    start: {
      operation: 'changeSwitch',
      summary: 'Start a scope again: what waits is scored',
      words,
      fields: { stopped: false },
    },
  },
});
