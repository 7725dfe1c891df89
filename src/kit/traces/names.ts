/**
 * Names of spans and of what they say. Those of HTTP are stable conventions of OpenTelemetry, and those of messaging are in
 * development: this file alone changes with them. No name is for a text that a client gave about a person.
 */
export const METHOD = 'http.request.method';
export const ROUTE = 'http.route';
export const STATUS = 'http.response.status_code';
export const ERROR_TYPE = 'error.type';

const SYSTEM = 'messaging.system';
const DESTINATION = 'messaging.destination.name';
const OPERATION = 'messaging.operation.name';
const OPERATION_TYPE = 'messaging.operation.type';
/** Transactions, as an entry carries many. */
export const MESSAGES = 'messaging.batch.message_count';

/** Streams are named by their market, as one batch comes from many of them. */
export const SENDS = {
  [SYSTEM]: 'redis',
  [DESTINATION]: 'transactions',
  [OPERATION]: 'send',
  [OPERATION_TYPE]: 'send',
} as const;
export const PROCESSES = {
  ...SENDS,
  [OPERATION]: 'process',
  [OPERATION_TYPE]: 'process',
} as const;

export const MARKET = 'risk.market';
export const REQUEST = 'risk.request_id';
export const TRANSACTION = 'risk.transaction_id';
export const CORRIDOR = 'risk.corridor';
export const VERDICT = 'risk.verdict';
export const ATTEMPT = 'risk.attempt';

export const SPANS = {
  /** Name of a request that has not come to a route. */
  noRoute: '(none)',
  chunk: 'lines',
  commit: 'commit',
  send: 'send transactions',
  wait: 'wait for score',
  process: 'process transactions',
  fold: 'fold profiles',
  decide: 'decide',
  store: 'store scores',
  settle: 'settle',
  score: 'score',
} as const;
