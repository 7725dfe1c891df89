/** Rows of personal fields, subjects and erasures. */
import { z } from 'zod';
import { hexUuidArray } from '../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeText } from '../../kit/database/statement.ts';

export type State = {
  readonly version: string;
  /** Null until a field is declared. */
  readonly keyId: string | null;
  readonly marketKey: Buffer | null;
};

/** An SQL expression whose text changes with each declaration and erasure. */
export const STATE_MARK = '(select version::text from market.personal_state)';

const STATE =
  'select version::text, key_id as "keyId", market_key as "marketKey" from market.personal_state';
export const readState = onlyOf<State>('read-personal-state', STATE);
/** Locks the state, so that declarations and erasures run one after another. */
export const lockState = onlyOf<State>('lock-personal-state', `${STATE} for update`);
export const raiseState = rowsOf<object, [keyId: string | null, marketKey: Buffer | null]>(
  'raise-personal-state',
  'update market.personal_state set version = version + 1, key_id = $1, market_key = $2',
);

export const fieldName = z.string().meta({ example: 'account_id' });
export const fieldSchema = z
  .object({ field: fieldName, declared_by: z.string(), declared_at: z.iso.datetime() })
  .meta({ id: 'PersonalField' });
export type FieldJson = z.output<typeof fieldSchema>;
const FIELD_COLUMNS = `field, declared_by, ${timeText('declared_at')} as declared_at`;
export const listFields = rowsOf<FieldJson>(
  'list-personal-fields',
  `select ${FIELD_COLUMNS} from market.personal_fields order by field`,
);
export const addField = onlyOf<FieldJson, [field: string, by: string]>(
  'add-personal-field',
  `insert into market.personal_fields (field, declared_by) values ($1, $2) returning ${FIELD_COLUMNS}`,
);

/** Names clear values that the market has already: transactions, or entries of a list. */
export const findClear = firstOf<{ found: string }, [kinds: readonly string[]]>(
  'find-clear-values',
  `select 'transactions' as found where exists (select from market.transactions)
   union all
   select 'entries of the list ' || name from market.lists l
    where kind = any ($1) and exists (select from market.list_entries e where e.list = l.name)
   union all
   select 'legal holds of accounts'
    where 'account' = any ($1) and exists (select from market.legal_holds where kind = 'account' and lifted_at is null)
   union all
   select 'the reference list ' || name from shared.reference_lists where kind = any ($1) limit 1`,
);
export const findMetadataField = firstOf<{ name: string }, [name: string]>(
  'find-metadata-field-of-rules',
  'select name from market.metadata_fields where name = $1',
);

const findStatement: Statement = {
  name: 'find-tokens',
  text: `select s.token from unnest($1::uuid[]) with ordinality u(lookup, nth)
           left join market.subjects s on s.lookup = u.lookup order by nth`,
};

/** @param lookups in hexadecimal @returns the token of each, in their order; null where there is no subject */
export async function findTokens(
  query: Query,
  lookups: readonly string[],
): Promise<readonly (string | null)[]> {
  const rows = await query<{ token: string | null }>(findStatement, [hexUuidArray(lookups)]);
  return rows.map(({ token }) => token);
}

/**
 * Inserts subjects in the order of lookups, so that two requests with the same new values cannot deadlock. Returns the id of the
 * key that wraps the market's key: another key wraps no new subject.
 */
export const insertSubjects = {
  name: 'insert-subjects',
  text: `with state as (select key_id from market.personal_state), made as (
           insert into market.subjects (lookup, token, field, key_id, subject_key, value)
           select unnest($1::uuid[]), unnest($2::text[]), unnest($3::text[]), $4::text, unnest($5::bytea[]), unnest($6::bytea[])
            where exists (select from state where key_id = $4)
           on conflict (lookup) do nothing)
         select key_id as "keyId" from state`,
};

export type Subject = {
  readonly token: string;
  readonly field: string;
  readonly keyId: string;
  readonly subjectKey: Buffer;
  readonly value: Buffer;
  readonly madeAt: string;
};
const SUBJECT = `token, field, key_id as "keyId", subject_key as "subjectKey", value, ${timeText('made_at')} as "madeAt"`;
export const readSubjects = rowsOf<Subject, [tokens: readonly string[]]>(
  'read-subjects',
  `select ${SUBJECT} from market.subjects where token = any ($1::text[])`,
);
/** Finds which of the tokens have a subject. */
export const findLiving = rowsOf<{ token: string }, [tokens: readonly string[]]>(
  'find-living-subjects',
  'select token from market.subjects where token = any ($1::text[])',
);
export const lockSubject = firstOf<{ field: string }, [token: string]>(
  'lock-subject',
  'select field from market.subjects where token = $1 for update',
);
export const deleteSubjects = rowsOf<{ token: string; field: string }, [tokens: readonly string[]]>(
  'delete-subjects',
  'delete from market.subjects where token = any ($1::text[]) returning token, field',
);

export const erasureSchema = z
  .object({
    token: z.string(),
    field: fieldName,
    reason: z.string(),
    asked_by: z.string(),
    confirmed_by: z.string().nullable().meta({
      description: 'The second person, needed where the subject was on a block list.',
    }),
    erased_at: z.iso.datetime(),
    also: z
      .array(
        z
          .object({
            field: fieldName,
            erased: z.int().meta({ description: 'Subjects that this account alone had.' }),
            shared: z.int().meta({ description: 'Left, as other accounts have them.' }),
            unjudged: z.int().meta({
              description:
                'Left, as a detached or cold month may have them, or the market is too large to search metadata: erase them by their tokens.',
            }),
          })
          .meta({ id: 'ErasedField' }),
      )
      .meta({ description: 'Of an account: what went with it, by declared field.' }),
    noted_cases: z.array(z.uuid()).meta({
      description:
        'Of an account: its review cases with notes or files, at most 100. Read them: people may have written a name.',
    }),
  })
  .meta({ id: 'Erasure' });
export type Erasure = z.output<typeof erasureSchema>;

const ERASURE = `token, field, reason, asked_by, confirmed_by, ${timeText('erased_at')} as erased_at,
  coalesce(report -> 'also', '[]') as also, coalesce(report -> 'notedCases', '[]') as noted_cases`;
export const findErasure = firstOf<Erasure, [token: string]>(
  'find-erasure',
  `select ${ERASURE} from market.erasures where token = $1`,
);
export const insertErasure = onlyOf<
  Erasure,
  [
    token: string,
    field: string,
    reason: string,
    askedBy: string,
    confirmedBy: string | null,
    report: string,
  ]
>(
  'insert-erasure',
  `insert into market.erasures (token, field, reason, asked_by, confirmed_by, report)
   values ($1, $2, $3, $4, $5, $6::jsonb) returning ${ERASURE}`,
);
/** Records the erasures of subjects that go with an account, as the account's own is recorded. */
export const endWith = rowsOf<
  object,
  [account: string, subjects: readonly string[], fields: readonly string[]]
>(
  'end-erasures-with-account',
  `insert into market.erasures (token, field, reason, asked_by, confirmed_by, erased_at)
   select u.token, u.field, e.reason, e.asked_by, e.confirmed_by, e.erased_at
     from market.erasures e, unnest($2::text[], $3::text[]) u(token, field) where e.token = $1
   on conflict (token) do update set confirmed_by = excluded.confirmed_by, erased_at = excluded.erased_at`,
);
export const listErased = rowsOf<{ token: string }>(
  'list-erased',
  'select token from market.erasures',
);
/** Adds erasures that a restored database lacks. */
export const addErased = rowsOf<object, [tokens: readonly string[]]>(
  'add-erased',
  `insert into market.erasures (token, field, reason, asked_by, erased_at)
   select token, case when token like '3fff:%' then 'ip' else 'unknown' end, 'the ledger has it', 'engine', now()
     from unnest($1::text[]) u(token)
   on conflict (token) do update set erased_at = excluded.erased_at`,
);

/** Finds subjects with a legal hold that was set after their erasure; nobody knows whose a device, an address or a member of metadata is. */
export const findHoldsSince = rowsOf<
  { token: string; holdId: string },
  [tokens: readonly string[], erasedAt: readonly string[]]
>(
  'find-holds-since-erasure',
  `select distinct on (s.token) s.token, h.hold_id as "holdId"
     from unnest($1::text[], $2::timestamptz[]) l(token, erased_at)
     join market.subjects s on s.token = l.token
     join market.legal_holds h on h.lifted_at is null and h.set_at > l.erased_at
      and (h.kind <> 'account' or h.subject = s.token or s.field <> 'account_id')
    order by s.token, h.hold_id`,
);

/** Block lists with an entry in force for one of the tokens. */
export const findBlocking = rowsOf<{ list: string }, [tokens: readonly string[]]>(
  'find-blocking-lists',
  `select distinct e.list from market.list_entries e join market.lists l on l.name = e.list
    where e.value = any ($1::text[]) and l.effect = 'block' and e.valid_to is null and (e.expires_at is null or e.expires_at > now())
    order by e.list`,
);
