/** `risk limits …`: sets, raises and removes limits over a running API. */
import type { LimitJson } from '../../core/domain/limit.ts';
import { commandOf } from '../../kit/command/rows.ts';
import { sayProposal, tellLimit } from './say.ts';

const words = { SCOPE: 'scope' };

type Shown = {
  readonly scope?: string;
  readonly limits?: readonly LimitJson[];
  readonly replaced?: LimitJson['proposal'];
  readonly notice?: string | null;
};
type Row = LimitJson & { readonly scope: string };
type Listed = { readonly items?: readonly Row[] };

/** The command that a second person sends for each raise or removal that waits. */
function sayProposals(answer: Shown & Listed): string | undefined {
  const { scope = '', limits = [], items = limits.map((limit) => ({ ...limit, scope })) } = answer;
  const lines = items.flatMap(({ scope, kind, rate_per_second, burst, proposal }) => {
    if (proposal === null) return [];
    const { rate_per_second: rate, burst: more, proposed_by: by } = proposal;
    const [what, command] =
      rate === null
        ? ['removal', `remove ${scope} --kind ${kind}`]
        : ['raise', `set ${scope} --kind ${kind} --rate-per-second ${rate} --burst ${more}`];
    return `The ${what} by ${by} waits for a second person, and ${rate_per_second} ${kind} a second with a burst of ${burst} hold until then: another operator, risk_officer or admin sends bin/risk limits ${command} --reason '…'`;
  });
  return lines.length === 0 ? undefined : lines.join('\n');
}

const tell = ({ scope, limits = [] }: Shown) => ({ scope, limits: limits.map(tellLimit) });

/** Lines about a change: what it has replaced, may not have meant, or waits for. */
function sayChanged(answer: Shown): string | undefined {
  const { replaced = null, notice = null } = answer;
  const lines = [
    replaced === null
      ? null
      : `The change replaced what waited for a second person: ${sayProposal(replaced)}.`,
    notice,
    sayProposals(answer),
  ].filter((line) => line !== null && line !== undefined);
  return lines.length === 0 ? undefined : lines.join('\n');
}

export const command = commandOf({
  name: 'limits',
  summary:
    'Sets how much a market, a corridor, a client or a key may send, and how often models are asked.',
  notes: `SCOPE is market, corridor:US-EG, throttle:corridor:US-EG, client:NAME, key:ID, or each:account, each:device, each:address.
Example: risk limits set client:shop --kind transactions --rate-per-second 500 --burst 1000 --reason 'contract of 2026'`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listLimits',
      columns: [
        'scope',
        'kind',
        'rate_per_second',
        'burst',
        'set_by',
        'set_at',
        'ends_at',
        'reason',
        'proposal',
      ],
      notes: sayProposals,
      tell: (row) => tellLimit(row as Row),
    },
    show: { operation: 'readLimits', words, notes: sayProposals, tell },
    set: {
      operation: 'changeLimit',
      summary: 'Set a limit; a raise holds when another person sends the same',
      words,
      // A change without them is a removal, which has a word of its own.
      needs: ['rate_per_second', 'burst'],
      notes: sayChanged,
      tell,
    },
    remove: {
      operation: 'changeLimit',
      summary: 'Remove a limit; the removal holds when another person sends the same',
      words,
      fields: { rate_per_second: undefined, burst: undefined, ends_at: undefined },
      notes: sayChanged,
      tell,
    },
  },
});
