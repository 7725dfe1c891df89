/**
 * Carries out writes with an `Idempotency-Key` once: a request claims the key in a commit of its own, runs, and keeps its answer
 * for repetitions. A process that dies in between leaves a claim without an answer: callers then read the object.
 */
import { hash, hkdfSync } from 'node:crypto';
import type { Context } from 'hono';
import { z } from 'zod';
import {
  ANSWER_KEPT_HOURS,
  type EarlierRequest,
  type KeptAnswers,
} from '../../access/kept-answers.ts';
import { KEY_BYTES, seal, unseal } from '../../access/seal.ts';
import { type Commits, noteCommits } from '../../process/note-commits.ts';
import { spellAddress } from '../../words/address.ts';
import { DESCRIBED, issueText } from '../../words/describe-issue.ts';
import { COMMIT_UNKNOWN, Failure } from '../../words/failure.ts';
import { InvalidFields } from '../../words/field-errors.ts';
import { shown } from '../../words/list-parameters.ts';
import { idText, KEY_CHARS_MAX, spellId } from '../../words/plain-text.ts';
import { spellInstant } from '../../words/wire-time.ts';
import { Problem, problemResponse, toProblem } from '../answers/problem.ts';
import type { AppEnv } from '../app-env.ts';

/**
 * Age at which a claim without an answer counts as lost. Smaller than the deadline of a request: a running request counts as
 * lost; larger: callers of a lost request try in vain for longer.
 */
const UNDER_WAY_MS = 60_000;
const RETRY = { 'Retry-After': '1' };
/** Header of a repeated answer. */
export const REPLAYED = 'Idempotency-Replayed';

/** The request header, as the API document describes it. */
export const onceParameter = z.object({
  'Idempotency-Key': z
    .string()
    .optional()
    .meta({
      minLength: 1,
      maxLength: KEY_CHARS_MAX,
      ...shown(
        'close-2026-11-27',
        `Name that the caller chooses for this request. A repetition with the same API key, path and body within ${ANSWER_KEPT_HOURS} hours changes nothing and gets the kept answer of the request that changed something, with \`${REPLAYED}: true\`. ASCII, plain or as a quoted string (RFC 8941).`,
      ),
    }),
});

/** Headers have no encoding: Node reads Latin-1 and curl sends UTF-8, so only ASCII is the same key in each client. */
const ASCII = /^[\x20-\x7e]*$/;
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/;
const KEY = idText(KEY_CHARS_MAX);

/**
 * @param body as the caller sent it, parsed; undefined where the request has none
 * @param run carries out the request
 */
export async function answerOnce(
  c: Context<AppEnv>,
  body: unknown,
  run: () => Promise<Response>,
): Promise<Response> {
  const key = readKeyHeader(c.req.header('idempotency-key'));
  const kept = c.get('keptAnswers');
  if (key === undefined || kept === undefined) return await run();
  const { pathname, search } = new URL(c.req.url);
  const request = JSON.stringify([c.req.method, pathname + search, body], spelled);
  const repeatable = repeatableOf(c.get('credential').token, key, request);
  const earlier = await kept.claim(repeatable.digest, repeatable.fingerprint);
  if (earlier === undefined) return await runClaimed(c, kept, repeatable, run);
  const replayed = toResponse(decrypt(repeatable.secret, answerOf(earlier, repeatable)));
  replayed.headers.set(REPLAYED, 'true');
  return replayed;
}

/** A time, an address or an id is the same in each spelling. */
const spelled = (_name: string, value: unknown) =>
  typeof value === 'string' ? spellAddress(spellInstant(spellId(value))) : value;

/** Repeats the kept answer. @throws Problem where no answer is kept, or the key belongs to another request */
function answerOf({ fingerprint, answer, ageMs }: EarlierRequest, own: Repeatable): Buffer {
  if (!fingerprint.equals(own.fingerprint)) {
    const detail = 'The Idempotency-Key was sent with another method, path or body before.';
    throw new Problem('key-conflict', detail);
  }
  if (answer !== null) return answer;
  if (ageMs < UNDER_WAY_MS) {
    const detail = 'The request with this Idempotency-Key is under way.';
    throw new Problem('still-running', detail, { headers: RETRY });
  }
  const detail = 'The request with this Idempotency-Key ended without an answer.';
  throw new Problem('outcome-unknown', detail);
}

async function runClaimed(
  c: Context<AppEnv>,
  kept: KeptAnswers,
  { digest, secret }: Repeatable,
  run: () => Promise<Response>,
): Promise<Response> {
  const commits: Commits = { hasChanged: false };
  const settle = async (answer: KeptAnswer) => {
    const isKept = commits.hasChanged || (answer.status >= 200 && answer.status < 300);
    await (isKept ? kept.store(digest, encrypt(secret, answer)) : kept.release(digest));
  };
  try {
    const answer = await read(await noteCommits(commits, run));
    await settle(answer);
    return toResponse(answer);
  } catch (error) {
    const refusal = refusalOf(error, commits);
    if (refusal !== undefined) {
      await settle(await read(problemResponse(refusal, c.get('requestId'), c.get('trace'))));
    }
    throw error;
  }
}

async function read(response: Response): Promise<KeptAnswer> {
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: [...response.headers], body };
}

/**
 * The problem that repetitions may get, or run into again where nothing is committed. A bug, a lost commit, and a store that goes
 * away behind a commit have none: nobody knows what is done.
 */
function refusalOf(thrown: unknown, { hasChanged }: Commits): Problem | undefined {
  if (thrown instanceof Failure && thrown.code === COMMIT_UNKNOWN) return undefined;
  const problem = toProblem(thrown);
  return hasChanged && problem?.problem === 'unavailable' ? undefined : problem;
}

/** Statuses for which `Response` takes no body. */
const BODILESS = [204, 304];

function toResponse({ status, headers, body }: KeptAnswer): Response {
  const given = BODILESS.includes(status) ? null : Uint8Array.from(body);
  return new Response(given, { status, headers: headers.map(([name, value]) => [name, value]) });
}

type KeptAnswer = {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
};

/** The keys under which the answer of a request is kept. */
type Repeatable = {
  readonly digest: Buffer;
  readonly fingerprint: Buffer;
  readonly secret: Buffer;
};

const NAME = 'kept answer';

/**
 * Names and encryption of kept answers, derived from the credential of the request. Only the sender can read an answer, which may
 * have a key or a cookie that is shown once; a reader of the database cannot.
 * @param token of the credential
 * @param request method, path and body as text
 */
export function repeatableOf(token: string, key: string, request: string): Repeatable {
  const secret = Buffer.from(hkdfSync('sha256', token, key, NAME, KEY_BYTES));
  return {
    secret,
    digest: hash('sha256', Buffer.concat([Buffer.from('name of '), secret]), 'buffer'),
    fingerprint: hash('sha256', Buffer.concat([secret, Buffer.from(request)]), 'buffer'),
  };
}

export const encrypt = (secret: Buffer, { body, ...head }: KeptAnswer): Buffer =>
  seal(secret, Buffer.from(JSON.stringify({ ...head, body: body.toString('base64') })), NAME);

/** @throws Error where the secret or the bytes are others */
export function decrypt(secret: Buffer, stored: Buffer): KeptAnswer {
  const plain = unseal(secret, stored, NAME);
  if (plain === undefined) throw new Error('a kept answer was changed');
  const { body, ...head } = JSON.parse(plain.toString());
  return { ...head, body: Buffer.from(body, 'base64') };
}

/**
 * The header `Idempotency-Key`: plain, or a structured-field string (RFC 8941) in double quotes.
 * @param pointer names the key in the refusal
 * @param advice is added where the key is no ASCII
 */
export function readKeyHeader(
  header: string | undefined,
  pointer = '/Idempotency-Key',
  advice = '',
): string | undefined {
  if (header === undefined) return undefined;
  const refuse = (detail: string) => new InvalidFields([{ pointer, detail }]);
  const text = header.trim();
  if (!ASCII.test(text)) throw refuse(`in the header Idempotency-Key must be ASCII${advice}`);
  const key = QUOTED.exec(text)?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? text;
  const parsed = KEY.safeParse(key, DESCRIBED);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refuse(`in the header Idempotency-Key ${issue ? issueText(issue) : 'is invalid'}`);
}
