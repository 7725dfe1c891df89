/** Names of scopes: the names that a kind of control takes, the nearest name, and whether a client is known. */
import { z } from 'zod';
import { type Kind, kindOf } from '../../core/domain/control-kinds.ts';
import {
  clientScope,
  corridorScope,
  FLAGS,
  isClientScope,
  MARKET,
  MODEL,
  partyFields,
  RULE,
  type ScopeForm,
} from '../../core/domain/corridor.ts';
import type { Api } from '../../core/room.ts';
import { listRuleSetsInForce } from '../../core/store/rule-sets/rule-sets.ts';
import { findNamed } from '../../core/store/scorecards/find-tables.ts';
import { IS_LIVE } from '../../kit/access/api-keys.ts';
import type { Database } from '../../kit/database/pool.ts';
import { rowsOf } from '../../kit/database/statement.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { isUnavailable } from '../../kit/words/failure.ts';
import { nearestName } from '../../kit/words/nearest-name.ts';

/** Sentences about flags, by their scopes. */
export const saysOfFlags: ReadonlyMap<string, string> = new Map(
  Object.entries(FLAGS).map(([flag, says]) => [`flag:${flag}`, says]),
);
const FLAG_SCOPES = [...saysOfFlags.keys()];

type Form = {
  /** All names of the form, where the engine knows them; otherwise people choose any name that fits. */
  readonly names?: readonly string[];
  readonly fits?: (scope: string) => boolean;
  /** Words for the names, in a sentence that says which scopes there are. */
  readonly found: string;
};

const KEY = /^key:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Clients among which the nearest name is looked for. More: a refusal takes longer. Fewer: a market of many clients gets no advice. */
const CLIENTS_MAX = 1000;
/** Clients of keys in force, the named one first if it has a key. */
const listClients = rowsOf<{ client: string }, [client: string, limit: number]>(
  'list-clients-of-keys',
  `select k.client from market.api_keys k where ${IS_LIVE}
    group by k.client order by k.client <> $1, k.client limit $2`,
);

const MODEL_NAME = /^model:[!-~]{1,70}$/;

/** The market, and not this table, has the names of corridors and rules. */
export const SCOPE_FORMS = {
  all: { names: ['all'], found: 'all' },
  market: { names: [MARKET], found: MARKET },
  corridor: { found: 'corridor:NAME of GET /v1/corridors' },
  client: { fits: isClientScope, found: 'client:NAME' },
  key: { fits: (scope) => KEY.test(scope), found: 'key:ID of GET /v1/keys' },
  rule: { found: 'rule:CODE of GET /v1/reason-codes' },
  model: {
    fits: (scope) => MODEL_NAME.test(scope),
    found: 'model:NAME@VERSION of GET /v1/models',
  },
  flag: { names: FLAG_SCOPES, found: FLAG_SCOPES.join(', ') },
  each: { names: [...partyFields.keys()], found: [...partyFields.keys()].join(', ') },
} as const satisfies Readonly<Record<ScopeForm, Form>>;

export const isChosen = (form: ScopeForm) => !('names' in SCOPE_FORMS[form]) && form !== 'corridor';

/** Names of a form that are known without asking Postgres. */
export function namesOf(form: ScopeForm, { ingest }: Pick<Api, 'ingest'>): readonly string[] {
  const known = SCOPE_FORMS[form];
  if ('names' in known) return known.names;
  return form === 'corridor' ? [...ingest.corridors()].map(corridorScope) : [];
}

async function listRules({ databases }: Pick<Api, 'databases'>): Promise<string[]> {
  const inForce = await listRuleSetsInForce(databases.primary);
  return inForce.flatMap(({ rules }) => rules.map(({ code }) => RULE + code));
}

/** @throws Problem where the kind has no such scope, or a model judges nothing as it is not registered or cannot be loaded */
export async function checkScope(
  { kind, scope, isSet }: { kind: Kind; scope: string; isSet: boolean },
  parts: Pick<Api, 'databases' | 'ingest' | 'models'>,
): Promise<void> {
  const { scopes: forms } = kindOf(kind);
  const rules = forms.includes('rule') && scope.startsWith(RULE) ? await listRules(parts) : [];
  const names = [...forms.flatMap((form) => namesOf(form, parts)), ...rules];
  const fits = forms.some((form) => {
    const known = SCOPE_FORMS[form];
    return 'fits' in known && known.fits(scope);
  });
  if (!fits && !names.includes(scope)) {
    const found = forms.map((form) => SCOPE_FORMS[form].found).join(', ');
    throw new Problem(
      'not-found',
      `No scope of ${kind} is called ${given(scope)}: allowed is ${found}${adviseScope(scope, names)}.`,
    );
  }
  if (isSet && scope.startsWith(MODEL)) await requireModel(scope.slice(MODEL.length), parts);
}

/** Tables of the day have names among models. */
async function requireModel(
  name: string,
  { models, databases: { primary } }: Pick<Api, 'databases' | 'models'>,
): Promise<void> {
  if ((await findNamed(primary.query, name)) !== undefined) return;
  const found = await models.find(name);
  if ('model' in found && found.model.name === name) return;
  const problem = 'problem' in found ? found.problem : `is called ${MODEL}${found.model.name} here`;
  throw new Problem('not-found', `The model ${given(name)} ${problem}.`);
}

/** Ends the sentence that refuses a scope, by the scope of a corridor of that name or by the nearest name. */
function adviseScope(scope: string, names: readonly string[]): string {
  const corridor = names.find((name) => name === corridorScope(scope));
  const nearest = corridor ?? nearestName(scope, names);
  return nearest === undefined ? '' : `; ${nearest} is one`;
}

export const noticeField = z.string().nullable().meta({
  description: 'A warning that no key belongs to the client. Null: no warning.',
});

const CLIENT = clientScope('');
/** Longer: the list hides the sentence before the list. Shorter: fewer markets get the list. */
const LISTED_CLIENTS_MAX = 20;

function adviseClient(client: string, known: readonly string[]): string {
  const nearest = nearestName(client, known);
  if (nearest !== undefined) return `; ${clientScope(nearest)} has keys`;
  return known.length > 0 && known.length <= LISTED_CLIENTS_MAX
    ? `: clients with keys are ${known.join(', ')}`
    : '';
}

/** Says that no key belongs to the client of a scope. The change is made by then, so an outage says nothing. */
export async function noticeOf(scope: string, { query }: Pick<Database, 'query'>) {
  if (!scope.startsWith(CLIENT)) return null;
  const client = scope.slice(CLIENT.length);
  try {
    const known = (await listClients(query, client, CLIENTS_MAX)).map((row) => row.client);
    if (known.includes(client)) return null;
    return `No key belongs to a client ${given(client)} yet${adviseClient(client, known)}.`;
  } catch (error) {
    if (isUnavailable(error)) return null;
    throw error;
  }
}
