/** Finds an id from any page: opens the only object that has the id, or lists all objects that have it. */
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Me } from '../../../src/kit/client/api-types.ts';
import { ask, Refusal } from '../api/ask.ts';
import { followUp } from '../api/follow-up.ts';
import { type Role, sees } from '../api/me.ts';

type Finder = {
  readonly kind: string;
  readonly roles: readonly Role[];
  /** Rejects with a refusal or resolves to false if nothing has the id. A text is the id of the object that a key stands for. */
  readonly find: (id: string) => Promise<boolean | string>;
  readonly href: (id: string) => string;
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const isThere = async (id: string, answer: (path: { id: string }) => Promise<unknown>) =>
  UUID.test(id) && (await answer({ id })) !== undefined;
const used = async (query: object) =>
  (await ask('GET /v1/transactions', { query: { ...query, limit: 1 } })).items.length > 0;

const FINDERS: readonly Finder[] = [
  {
    kind: 'Transaction',
    roles: ['analyst'],
    find: (id) => isThere(id, (path) => ask('GET /v1/transactions/{id}', { path })),
    href: (id) => `/transactions/${id}`,
  },
  {
    kind: 'Idempotency key',
    roles: ['analyst'],
    find: async (key) =>
      (await ask('GET /v1/idempotency-keys/{key}', { path: { key } })).transaction_id,
    href: (id) => `/transactions/${id}`,
  },
  {
    kind: 'Case',
    roles: ['analyst', 'risk_officer'],
    find: (id) => isThere(id, (path) => ask('GET /v1/reviews/{id}', { path })),
    href: (id) => `/review/${id}`,
  },
  {
    kind: 'Dead letter',
    roles: ['operator'],
    find: (id) => isThere(id, (path) => ask('GET /v1/dead-letters/{id}', { path })),
    href: (id) => `/dead-letters?id=${id}`,
  },
  {
    kind: 'Account',
    roles: ['analyst'],
    find: (account_id) => used({ account_id }),
    href: (id) => `/accounts/${id}`,
  },
  {
    kind: 'Merchant',
    roles: ['analyst'],
    find: (merchant_id) => used({ merchant_id }),
    href: (id) => `/merchants/${id}`,
  },
  {
    kind: 'Device',
    roles: ['analyst'],
    find: (device_id) => used({ device_id }),
    href: (id) => `/devices/${id}`,
  },
  {
    kind: 'Address',
    roles: ['analyst'],
    find: (ip) => used({ ip }),
    href: (ip) => `/transactions?ip=${ip}`,
  },
];

/** Refusals of an id that nothing has, that has another form, or whose object the person may not see. */
const NOT_FOUND = [400, 403, 404, 422];

type Hit = Pick<Finder, 'kind'> & { readonly href: string };

async function findAll(id: string, me: Me): Promise<readonly Hit[]> {
  const hits = await Promise.all(
    FINDERS.filter(({ roles }) => sees(me, ...roles)).map(async ({ kind, find, href }) => {
      const found = await find(id).catch((error: unknown) => {
        if (error instanceof Refusal && NOT_FOUND.includes(error.status)) return false;
        throw error;
      });
      const name = typeof found === 'string' ? found : id;
      return found === false ? [] : [{ kind, href: href(encodeURIComponent(name)) }];
    }),
  );
  return hits.flat();
}

export function Find({ me }: { readonly me: Me }) {
  const [path, go] = useLocation();
  const [id, setId] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const search = useMutation({
    mutationFn: (text: string) => findAll(text, me),
    onMutate: followUp,
    onSuccess: (hits, _text, mayMove) => {
      const [only] = hits;
      if (only === undefined || hits.length !== 1 || !mayMove()) return;
      // Keys that are pressed before the next page is drawn are for that page.
      close();
      go(only.href);
    },
  });
  const { reset } = search;
  const close = () => {
    setId('');
    reset();
    input.current?.blur();
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of the page ends the search
  useEffect(close, [path]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (id.trim() !== '') search.mutate(id.trim());
  };
  return (
    <search className="find">
      <form onSubmit={submit}>
        <input
          ref={input}
          type="search"
          value={id}
          aria-label="Find by id"
          placeholder="Find by id"
          data-find=""
          spellCheck={false}
          autoComplete="off"
          onChange={({ target }) => {
            setId(target.value);
            reset();
          }}
          onKeyDown={({ key }) => key === 'Escape' && close()}
        />
      </form>
      <output className="found" hidden={search.isIdle}>
        {search.isPending ? 'Searching …' : null}
        {search.isError ? 'No answer came. Press Enter to search again.' : null}
        {search.data?.length === 0 ? 'Nothing has this id.' : null}
        {search.data?.map(({ kind, href }) => (
          <Link key={kind} href={href} onClick={close}>
            {kind}
          </Link>
        ))}
      </output>
    </search>
  );
}
