/**
 * The types of problems: the one place that says what each is, what it means and what cures it. The document and
 * docs/reference.md show them. `type` is `urn:risk:problem:NAME`, `help` its place in the page of cures; titles and
 * statuses never vary within a type.
 */
import { keysOf } from '../../words/keys-of.ts';

type ProblemType = {
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
  /** Action by which the caller, or an operator, ends the problem. */
  readonly cure: string;
};

export const PROBLEMS = {
  'malformed-request': {
    status: 400,
    title: 'Malformed request',
    meaning:
      'The body is not JSON in UTF-8 or broke off, the URL is not UTF-8, or the request is not HTTP.',
    cure: 'Send the whole body as JSON in UTF-8, and what is not ASCII in the URL as escaped UTF-8.',
  },
  'unknown-market': {
    status: 400,
    title: 'The API does not serve the market',
    meaning: '`Risk-Market` names a market that this API does not serve.',
    cure: 'Name a market that `detail` lists.',
  },
  unauthorized: {
    status: 401,
    title: 'A valid API key is needed',
    meaning:
      'The request has no key, its key is unknown, revoked or expired, or its session has ended.',
    cure: 'Send `Authorization: Bearer KEY` with a key in force; in the console, log in again.',
  },
  forbidden: {
    status: 403,
    title: 'The key lacks the role',
    meaning:
      'The key has none of the roles that the operation needs, or asks for more than its own.',
    cure: 'Use a key with one of the roles that the operation lists.',
  },
  'cross-site-request': {
    status: 403,
    title: 'Another site may have made the request',
    meaning:
      'The request may change something and came with the cookie of a session, without the header `X-Risk-Console` or from another origin.',
    cure: 'Use the console, or send an API key in place of the cookie.',
  },
  'not-found': {
    status: 404,
    title: 'Not found',
    meaning:
      "Nothing is served at this path, or no such object is known: another client's counts as unknown.",
    cure: 'Check path and id; where `Retry-After` is sent, ask again after so many seconds.',
  },
  'dead-letter': {
    status: 404,
    title: 'The transaction is a dead letter',
    meaning: 'Scoring was given up, so there is no score.',
    cure: 'An operator replays the dead letter; ask again afterwards.',
  },
  'transaction-detached': {
    status: 410,
    title: 'The month of the transaction is detached or cold',
    meaning: 'The rows of its month are taken out of the database.',
    cure: 'An operator runs the command that `detail` names; then the answer is there again.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    meaning: 'The path is served, but not with this method.',
    cure: 'Use a method that `Allow` lists.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not arrive in time',
    meaning: 'Headers or body were not complete by the deadline of a request.',
    cure: 'Send it again, in smaller parts over a slow connection.',
  },
  'still-running': {
    status: 409,
    title: 'Another request is still running',
    meaning:
      'Another request with this idempotency key, or that labels one of these transactions, had not ended by the deadline.',
    cure: 'Send the same again. Once the first request has ended, a transaction is answered as a duplicate, new labels are added, and any other write gets the kept answer.',
  },
  'outcome-unknown': {
    status: 409,
    title: 'Nobody knows whether the request was carried out',
    meaning:
      'The process of an earlier request with this idempotency key ended before or after its commit.',
    cure: 'Read the object. If the change is missing, send the request with a new key.',
  },
  conflict: {
    status: 409,
    title: 'Conflict',
    meaning: 'The present state does not allow it; `detail` says why.',
    cure: 'Read the object again and decide anew; repeating the request changes nothing.',
  },
  'precondition-failed': {
    status: 412,
    title: 'The object has changed',
    meaning: '`If-Match` is missing, or names another version of the object than the present one.',
    cure: 'Read the object, and send the change again with its `ETag`.',
  },
  'too-large': {
    status: 413,
    title: 'The body is too large',
    meaning:
      'The body has more bytes, or more objects, arrays and members, than a request may have.',
    cure: 'Send it in several requests.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    meaning:
      'The body is neither JSON nor, where it is taken, NDJSON in UTF-8, or its `Content-Encoding` is neither gzip nor br.',
    cure: 'Send `Content-Type: application/json`, plain or as gzip or br.',
  },
  'expectation-failed': {
    status: 417,
    title: 'The expectation cannot be met',
    meaning: '`Expect` asks for something else than 100-continue.',
    cure: 'Leave `Expect` out.',
  },
  'invalid-fields': {
    status: 422,
    title: 'Invalid fields',
    meaning: 'Fields or parameters are refused, and nothing is stored; `errors` names each.',
    cure: 'Correct what `errors` names and send it again.',
  },
  'key-conflict': {
    status: 422,
    title: 'The idempotency key is known with another body',
    meaning: 'An earlier request used the key with another path or body; nothing is stored.',
    cure: 'Repeat a request with the same body, and give a new request a new key.',
  },
  'month-detached': {
    status: 422,
    title: 'The month is detached',
    meaning:
      'The request names a transaction or time of a month that is taken out of the database.',
    cure: 'An operator attaches the month (`risk partitions attach`).',
  },
  'too-many-new-months': {
    status: 422,
    title: 'The request names too many new months',
    meaning:
      'Times of the request lie in more months without partitions than one request may make.',
    cure: 'Correct the times, or an operator makes the months (`risk partitions create`).',
  },
  limited: {
    status: 429,
    title: 'A limit is used up',
    meaning:
      'The market, the corridor, the client or the key that `detail` names has used up its limit, which `RateLimit` counts; the request has stored nothing.',
    cure: 'Send it again after `Retry-After` seconds; without that header send it in parts.',
  },
  'too-many-unknown-keys': {
    status: 429,
    title: 'Too many unknown API keys',
    meaning: 'The address has sent too many keys that nobody has.',
    cure: 'Correct the key and wait `Retry-After` seconds.',
  },
  internal: {
    status: 500,
    title: 'Internal error',
    meaning: 'A bug of the engine; the log has its cause under `instance`.',
    cure: 'Report `instance`; what has an idempotency key may be sent again.',
  },
  'scope-stopped': {
    status: 503,
    title: 'A control has stopped the scope',
    meaning:
      'People have stopped the market, the corridor or the client that `detail` names. The request has stored nothing, unless `transaction_id` names the transaction of a request that waits for a score.',
    cure: 'Send the same again after `Retry-After` seconds; other corridors go on.',
  },
  frozen: {
    status: 503,
    title: 'The corridor or market is frozen',
    meaning:
      'People refuse new transactions of the corridor or market while they investigate; what was accepted is scored, and nothing of the request is stored.',
    cure: 'Send the same again after `Retry-After` seconds, and release no value for what was accepted until it is open again.',
  },
  'controls-unread': {
    status: 503,
    title: 'The controls cannot be read',
    meaning:
      'The API process could not read for 5 s what is stopped, and its operator chose to refuse then; nothing is stored.',
    cure: 'Send the same again after `Retry-After` seconds.',
  },
  unavailable: {
    status: 503,
    title: 'Temporarily unavailable',
    meaning:
      'A service that the engine needs does not answer, or the deadline of the request has passed.',
    cure: 'Send the same again after `Retry-After` seconds: a key that was stored makes it a duplicate.',
  },
  overloaded: {
    status: 503,
    title: 'Temporarily reduced capacity',
    meaning: 'The API process takes fewer requests than it is sent; nothing is stored.',
    cure: 'Send the same again after `Retry-After` seconds.',
  },
} as const satisfies Readonly<Record<string, ProblemType>>;

export type ProblemName = keyof typeof PROBLEMS;
export type ProblemStatus = (typeof PROBLEMS)[ProblemName]['status'];
export type ProblemUrn = `urn:risk:problem:${ProblemName}`;

/** Refusals with a 5xx that people have asked for: the ratio of errors leaves these out. */
export const PEOPLES_PROBLEMS: readonly ProblemName[] = ['scope-stopped', 'frozen'];

export const PROBLEM_NAMES = keysOf(PROBLEMS);

export function problemUrn(name: ProblemName): ProblemUrn {
  return `urn:risk:problem:${name}`;
}

export const PROBLEMS_PATH = '/docs/problems';

/** The path of this API that explains a type. */
export function helpPath(name: ProblemName): string {
  return `${PROBLEMS_PATH}#${name}`;
}
