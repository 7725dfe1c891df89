/** Small parts that every page shows alike: times, ids, verdicts, levels. */
import { type ReactNode, useEffect, useState } from 'react';
import { Link } from 'wouter';
import { sees, useMe } from '../api/me.ts';
import { localTime, shortId, utcTime } from '../format.ts';

/** A time in the viewer's zone, UTC on hover. */
export function Time({ at }: { readonly at: string | null }) {
  if (at === null) return <span className="muted">–</span>;
  return (
    <time dateTime={at} title={utcTime(at)}>
      {localTime(at)}
    </time>
  );
}

const COPIED_MS = 1500;

type IdProps = {
  readonly id: string;
  /** Longer ids are shown without their middle. By default the whole id is shown. */
  readonly chars?: number;
  readonly href?: string | undefined;
};

/** An id with a button that copies it; on hover the whole id is shown. */
export function Id({ id, chars, href }: IdProps) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => {
    await navigator.clipboard.writeText(id);
    setCopied(true);
  };
  const text = chars === undefined ? id : shortId(id, chars);
  return (
    <span className="id">
      {href === undefined ? (
        <span className="mono" title={id}>
          {text}
        </span>
      ) : (
        <Link href={href} title={id}>
          {text}
        </Link>
      )}
      <button
        type="button"
        className="copy"
        aria-label={`Copy ${id}`}
        onClick={() => void copy().catch(() => undefined)}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          {isCopied ? (
            <path d="m3 8.5 3.2 3L13 4.5" />
          ) : (
            <path d="M5.5 5.5h8v8h-8zM2.5 10.5v-8h8" />
          )}
        </svg>
      </button>
      {isCopied ? <output className="hidden">Copied</output> : null}
    </span>
  );
}

const PARTY_PAGES = { account: 'accounts', merchant: 'merchants', device: 'devices' } as const;
/** Longer ids would leave other columns of a table no room. */
const PARTY_CHARS = 13;

type PartyIdProps = {
  readonly kind: keyof typeof PARTY_PAGES;
  readonly id: string | null;
};

/** The id of an account, merchant or device in a table, as a link for people who may open its page. */
export function PartyId({ kind, id }: PartyIdProps) {
  const { data: me } = useMe();
  if (id === null) return '–';
  const isSeen = me !== undefined && me !== null && sees(me, 'analyst');
  const href = isSeen ? `/${PARTY_PAGES[kind]}/${encodeURIComponent(id)}` : undefined;
  return <Id id={id} chars={PARTY_CHARS} href={href} />;
}

export const VERDICT_LEVEL = { approve: 'fine', review: 'warning', decline: 'critical' } as const;
export type Level = 'fine' | 'warning' | 'critical' | 'unknown';

export function Verdict({ verdict }: { readonly verdict: keyof typeof VERDICT_LEVEL }) {
  return <Badge level={VERDICT_LEVEL[verdict]}>{verdict}</Badge>;
}

export function Label({ label }: { readonly label: 'fraud' | 'legitimate' }) {
  return <Badge level={label === 'fraud' ? 'critical' : 'fine'}>{label}</Badge>;
}

/** A word with a colour that says the same. */
export function Badge({
  level,
  children,
}: {
  readonly level: Level;
  readonly children: ReactNode;
}) {
  return <span className={`badge ${level}`}>{children}</span>;
}

/** Label above value, several side by side. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {rows.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value ?? <span className="muted">–</span>}</dd>
        </div>
      ))}
    </dl>
  );
}

/** JSON as it came, folded. */
export function Raw({ name, value }: { readonly name: string; readonly value: unknown }) {
  return (
    <details className="raw">
      <summary>{name}</summary>
      <pre>{JSON.stringify(value, null, 2)}</pre>
    </details>
  );
}
