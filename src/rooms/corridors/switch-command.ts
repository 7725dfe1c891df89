/** `risk switch …`: stops a scope and starts it again over a running API. */
import type { z } from 'zod';
import { commandOf } from '../../kit/command/rows.ts';
import { sayStop, tellStops } from './say.ts';
import type { changedSwitchSchema } from './switch-change.ts';

const words = { SCOPE: 'scope' };

type Answer = Partial<z.output<typeof changedSwitchSchema>>;

const tell = ({ before: _, notice: __, ...answer }: Answer) => tellStops(answer);

/** A market's stop takes another person to end. */
const WHOLE: Readonly<Record<string, string>> = {
  all: 'stop all refuses and does not score every corridor of each market in this database',
  market: 'stop market refuses and does not score every corridor of the market of this API',
};

/** Tells what was stopped already, what may not have been meant, and how the stop of a whole market ends. */
function sayStopped({ scope = '', before = null, notice = null }: Answer): string | undefined {
  const lines = [
    before === null ? null : `${scope} was stopped already, by ${sayStop(before)}.`,
    notice,
    scope in WHOLE
      ? `Another person, with the role risk_officer or admin, ends the stop: bin/risk switch start ${scope} --reason '…'`
      : null,
  ].filter((line) => line !== null);
  return lines.length === 0 ? undefined : lines.join('\n');
}

const sayStarted = ({ scope = '', before = null, stop = null }: Answer) =>
  before === null
    ? `${scope} was not stopped.`
    : stop === null
      ? undefined
      : `${scope} is still stopped, by ${sayStop(stop)}.`;

export const command = commandOf({
  name: 'switch',
  summary: 'Stops a market, a corridor, a client, a rule or a model, and starts it again.',
  notes: `SCOPE is all, market, corridor:US-EG, client:NAME, rule:NIGHT_HIGH_AMOUNT or model:fraud@3.
Stopping all or market needs --yes.
Example: risk switch stop corridor:US-EG --reason 'payouts fail at the bank'`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: { operation: 'listSwitches' },
    show: { operation: 'readSwitch', words, tell },
    stop: {
      operation: 'changeSwitch',
      summary: 'Stop a scope: nothing of it is accepted or scored from the answer on',
      words,
      fields: { stopped: true },
      mustBeMeant: ({ scope }) => WHOLE[String(scope)],
      notes: sayStopped,
      tell,
    },
    start: {
      operation: 'changeSwitch',
      summary: 'Start a scope again: what waits is scored',
      words,
      fields: { stopped: false },
      notes: sayStarted,
      tell,
    },
  },
});
