/** The HTTP edge: documents, problems, keys, admission, time and size. */
import type { Guards } from './guard.ts';

export const EDGE: Guards = {
  document: {
    says: 'The OpenAPI document has every route, and no other.',
    shown: 'GET /openapi.json',
    test: 'contract/openapi.test.ts > has every route of core and of the rooms but those of the pages /docs, /console and /oidc, and no other',
    mechanism: 'src/kit/http/openapi.ts',
  },
  'kept-by-edges': {
    says: 'What the build alone decides is public to edges, and what a market decides is private.',
    shown: 'GET /features.json, GET /reason-codes.json',
    test: 'integration/rooms/search/kept-answers.test.ts > %s needs no key, and edges may keep it for all',
    mechanism: 'src/main/http/docs.ts',
  },
  'clients-of-generators': {
    says: 'Generators of other people make clients of the document that compile and have every operation.',
    test: 'foreign/clients.long.test.ts > a client in $language is generated and compiled, and has every operation',
    mechanism: 'src/kit/http/document.ts',
  },
  problems: {
    says: 'What is no request of HTTP is answered by a problem, too.',
    test: 'integration/bad-input-requests.test.ts > with %s are 400 in problem+json',
    mechanism: 'src/kit/http/serve.ts',
  },
  'held-thread': {
    says: 'The longest work of a request gives way to other requests.',
    test: 'integration/held-thread.long.test.ts > %s does not hold the thread',
    mechanism: 'src/kit/process/pauses.ts',
  },
  'long-lists': {
    says: 'A body with a list of a million items is refused before it is parsed.',
    test: 'unit/kit/http/body/body-shape.test.ts > a large body > of a million times %s is refused unparsed',
    mechanism: 'src/kit/http/body/body-shape.ts',
  },
  'unpacked-bound': {
    says: 'A body that unpacks to more than the bound is refused.',
    test: 'integration/compression.test.ts > that unpack to more than is allowed are 413 (%s)',
    mechanism: 'src/kit/http/body/body.ts',
  },
  'packed-answers': {
    says: 'An answer is packed as the client accepts.',
    test: 'integration/compression.test.ts > to Accept-Encoding %s are sent as %s',
    mechanism: 'src/main/http/app.ts',
  },
  'nesting-bound': {
    says: 'A body of too many levels is refused before it is parsed.',
    test: 'unit/kit/http/body/body-shape.test.ts > of %i levels is refused unparsed',
    mechanism: 'src/kit/http/body/body-shape.ts',
  },
  tls: {
    says: 'The API serves https to clients of an authority alone, and follows a renewal of its files.',
    shown: 'RISK_TLS',
    test: 'integration/api-tls.test.ts > https is served, to clients of an authority alone, and follows a renewal',
    mechanism: 'src/kit/http/tls-server.ts',
  },
  'taken-port': {
    says: 'An API refuses to start on a given port that is taken.',
    shown: 'HOST, PORT',
    test: 'integration/ingest-faults.test.ts > refuses to start on a given port that is taken',
    mechanism: 'src/kit/http/serve.ts',
  },
  'kept-connections': {
    says: 'A connection without a request is kept for as long as is set, for balancers that reuse it later than others.',
    shown: 'RISK_KEEP_ALIVE_MS',
    test: 'unit/kit/http/connections.test.ts > connections are kept for as long as is set, also beyond the longest silence of a request',
    mechanism: 'src/kit/http/serve.ts',
  },
  'graceful-stop': {
    says: 'An API that is told to stop takes what a balancer still sends, each time as the last request of the connection, and ends idle connections last.',
    shown: 'RISK_SHUTDOWN_GRACE_MS',
    test: 'unit/kit/http/connections.test.ts > a server that retires answers on, each time for the last time of the connection, and ends idle ones last',
    mechanism: 'src/kit/http/connections.ts',
  },
  'keys-at-the-edge': {
    says: 'A request without a key in force is a 401 that says how a key is sent.',
    test: 'integration/rooms/access/keys.test.ts > a request with %s is 401 and says how',
    mechanism: 'src/kit/http/auth/auth.ts',
  },
  strangers: {
    says: 'After a few unknown keys an address is told to wait.',
    shown: 'RISK_UNKNOWN_KEYS_PER_SECOND',
    test: 'integration/strangers.test.ts > after a few unknown keys an address is told to wait at %s',
    mechanism: 'src/kit/http/auth/strangers.ts',
  },
  'trusted-proxies': {
    says: 'A stranger behind a proxy cannot choose the address that the engine counts.',
    shown: 'RISK_TRUSTED_PROXIES',
    test: 'integration/strangers.test.ts > a stranger behind the proxy cannot choose its own address',
    mechanism: 'src/kit/http/auth/address.ts',
  },
  places: {
    says: 'Beyond its places an API refuses submissions at once, and answers the rest.',
    shown: 'RISK_REQUESTS_IN_FLIGHT_MAX',
    test: 'integration/shedding.test.ts > beyond its places an API refuses submissions at once, and answers the rest',
    mechanism: 'src/kit/http/admission/admission.ts',
  },
  'bytes-in-flight': {
    says: 'The bytes of submissions in flight are bounded beyond a few requests.',
    shown: 'RISK_BODY_BYTES_IN_FLIGHT_MAX',
    test: 'integration/shedding.test.ts > bytes in flight are bounded beyond a few requests',
    mechanism: 'src/kit/http/admission/admission.ts',
  },
  deadline: {
    says: 'A handler that hangs is answered by the deadline of a request.',
    shown: 'RISK_REQUEST_TIMEOUT_MS',
    test: 'integration/shedding.test.ts > a handler that hangs is answered by the deadline',
    mechanism: 'src/kit/http/edge.ts',
  },
  'slow-bodies': {
    says: 'Bodies that trickle hold no place, and beyond their number the slowest gives way.',
    shown: 'RISK_BODIES_ARRIVING_MAX',
    test: 'integration/slow-bodies.test.ts > beyond their number the slowest gives way',
    mechanism: 'src/kit/http/admission/shed.ts',
  },
  health: {
    says: 'A process says whether it lives and whether it is ready, and a store that takes no writes makes it unready.',
    shown: 'GET /livez, GET /readyz, RISK_WORKER_PORT',
    test: 'integration/worker-http.test.ts > is not ready while Redis refuses writes, though it answers PING',
    mechanism: 'src/main/guards.ts',
  },
  'api-of-markets': {
    says: 'One API serves several markets, and a request names its market by a header.',
    shown: 'RISK_MARKETS',
    test: 'integration/markets-of-one-api.test.ts > one key posts to both markets by the header, each stores its own, and each audits the key',
    mechanism: 'src/kit/http/choose-market.ts',
  },
  'divided-connections': {
    says: 'An API of several markets opens no more connections than its settings divide.',
    shown: 'RISK_DATABASE_CONNECTIONS_MAX',
    test: 'integration/markets-of-one-api.test.ts > an API opens no more connections for two markets than its settings divide',
    mechanism: 'src/kit/config/market-config.ts',
  },
  replica: {
    says: 'A replica answers for older rows alone, and a paused one is read no more and hides no recent row.',
    shown: 'DATABASE_REPLICA_URL, RISK_REPLICA_LAG_MS_MAX',
    test: 'integration/replica.test.ts > a paused replica is not read any more, and until then hides no recent row and none asked for by id',
    mechanism: 'src/kit/database/replica/choose-database.ts',
  },
  'primary-away': {
    says: 'While the primary is away a replica answers reads, and what it lacks is taken neither for unknown nor for complete.',
    shown: 'DATABASE_REPLICA_URL, RISK_REPLICA_LAG_MS_MAX',
    test: 'integration/primary-away.test.ts > reads go on by a replica that says since when it may lack something, and come back',
    mechanism: 'src/kit/process/primary-away.ts',
  },
  'keys-while-away': {
    says: 'While the primary is away a key counts as the replica has it, and one that was seen revoked does not.',
    shown: 'GET /v1/me',
    test: 'integration/primary-away.test.ts > keys and sessions count as the replica has them, and nothing that was seen revoked counts',
    mechanism: 'src/kit/http/auth/auth.ts',
  },
  'bad-configuration': {
    says: 'All problems of a configuration are listed at once, and the process exits with 78.',
    shown: 'risk api, risk worker',
    test: 'e2e/command-line.test.ts > risk lists all problems of its configuration at once and exits 78',
    mechanism: 'src/kit/config/config.ts',
  },
  'schema-wait': {
    says: 'A role waits for its schema, and names the command that makes it.',
    shown: 'RISK_SCHEMA_WAIT_MS',
    test: 'integration/ingest-faults.test.ts > without a schema exits 1 and names migrate; without a url exits 78 and names it',
    mechanism: 'src/main/open-market.ts',
  },
  traces: {
    says: 'A sampled post is one trace from HTTP to its score.',
    shown:
      'OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER_ARG, RISK_TRACES_FILE',
    test: 'integration/traces.test.ts > a sampled post is one trace from HTTP to its score, and its batch links to each sender',
    mechanism: 'src/kit/traces/trace.ts',
  },
  'slow-traces': {
    says: 'What is slow is traced, whether it is sampled or not.',
    shown: 'RISK_TRACE_SLOW_MS',
    test: 'integration/traces.test.ts > what is not sampled is exported where it is slow, in the API and in a worker, each by itself',
    mechanism: 'src/kit/traces/trace.ts',
  },
  metrics: {
    says: 'An API and a worker report every metric of the dashboards.',
    shown: 'GET /metrics',
    test: 'integration/dashboards.test.ts > an API and a worker report every metric of the dashboards',
    mechanism: 'src/kit/metrics/metrics.ts',
  },
  'log-lines': {
    says: 'A log has lines of its level and above, and no secret.',
    shown: 'LOG_LEVEL',
    test: 'unit/kit/metrics/log.test.ts > a line below the level is left out, and secrets are blackened',
    mechanism: 'src/kit/metrics/log.ts',
  },
};
