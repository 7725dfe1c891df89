/** The spans of a file that processes wrote, as tests compare them. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from './wait-until.ts';

export type SeenSpan = {
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** Traces and spans that it links to, as `trace-span`. */
  readonly links: readonly string[];
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly hasFailed: boolean;
  readonly service: string;
};

type Value = { readonly stringValue?: string; readonly intValue?: number };
type Attribute = { readonly key: string; readonly value: Value };
type Link = { readonly traceId: string; readonly spanId: string };
type OtlpSpan = Pick<SeenSpan, 'name' | 'traceId' | 'spanId' | 'parentSpanId'> & {
  readonly kind: number;
  readonly links?: readonly Link[];
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code: number };
};
type OtlpRequest = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
};

const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const FAILED = 2;
/** Spans are exported within 2 s. */
const EXPORTED_MS = 10_000;

export const newSpanFile = async () => join(await mkdtemp(join(tmpdir(), 'spans-')), 'spans.jsonl');

export function readSpans(file: string): SeenSpan[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.flatMap((line) => {
    const { resourceSpans } = JSON.parse(line) as OtlpRequest;
    return resourceSpans.flatMap(({ resource, scopeSpans }) => {
      const service = String(valuesOf(resource.attributes)['service.name']);
      return scopeSpans.flatMap(({ spans }) => spans.map((span) => toSeen(span, service)));
    });
  });
}

/** Waits until spans of these names are in the file, and returns all spans of it. */
export async function untilSpans(file: string, ...names: string[]): Promise<SeenSpan[]> {
  return await waitUntil(
    () => {
      const spans = readSpans(file);
      const seen = new Set(spans.map(({ name }) => name));
      return names.every((name) => seen.has(name)) ? spans : undefined;
    },
    EXPORTED_MS,
    `spans: ${names.join(', ')}`,
  );
}

function toSeen(span: OtlpSpan, service: string): SeenSpan {
  const { name, traceId, spanId, parentSpanId, links = [] } = span;
  return {
    ...{ name, traceId, spanId, parentSpanId, service },
    kind: KINDS[span.kind] ?? 'internal',
    links: links.map((link) => `${link.traceId}-${link.spanId}`),
    attributes: valuesOf(span.attributes),
    hasFailed: span.status.code === FAILED,
  };
}

const valuesOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  );
