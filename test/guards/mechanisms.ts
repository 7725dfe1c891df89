/**
 * Mechanisms by the tests that go red without them, as `test` of a row names a test. The promise is the title of the test, and no user
 * meets it by a name of its own.
 */
export const MECHANISMS: Readonly<Record<string, string>> = {
  'integration/ids.test.ts > each id that is taken is read by its path, whatever its characters are to a URL':
    'src/kit/words/plain-text.ts',
  'integration/ingest.test.ts > a known key with another body is 422 and stores nothing':
    'src/core/accept/key-conflict.ts',
  'integration/ndjson.test.ts > are answered in order; a bad line refuses only itself':
    'src/core/accept/accept-lines.ts',
  'integration/ndjson.test.ts > a stream > of lines stores nothing more once its key is revoked':
    'src/core/accept/accept-lines.ts',
  'integration/ingest-together.test.ts > each of many posts at once has its own answer, in fewer commits':
    'src/core/accept/shared-commits.ts',
  'integration/ingest.test.ts > a month without partition gets one on the way in, also by fifty at once':
    'src/core/store/partitions/partitions.ts',
  'unit/kit/database/market-schema.test.ts > each table of months that a statement reads has bounds on its own created_at':
    'src/kit/database/market-schema.ts',
  'integration/detached-months.test.ts > a post to a detached month > is refused with month-detached, which names the month':
    'src/core/accept/gate.ts',
  'unit/core/accept/limits/lease.test.ts > three processes share the rate, and need few calls':
    'src/core/accept/limits/lease.ts',
  'integration/rooms/corridors/limits.test.ts > requests of a client are refused with what it needs to know; another client and the way out are not':
    'src/core/accept/limits/limiter.ts',
  'integration/rooms/corridors/limits.test.ts > each account, device and address has a limit by itself, which costs others nothing':
    'src/core/accept/limits/limiter.ts',
  'integration/rooms/corridors/limit-changes.test.ts > one person lowers a limit, two raise or remove it, and what is wrong is named':
    'src/rooms/corridors/control-change.ts',
  'integration/rooms/corridors/stops.test.ts > what a worker has in hand when its corridor stops is held, and scored once the stop has ended':
    'src/core/store/scores/scores.ts',
  'integration/rooms/corridors/stops.test.ts > a stopped rule adds to no score, which names what it was made without, and verifies':
    'src/core/score/rules/derived-rule-set.ts',
  'integration/rooms/corridors/freeze.test.ts > a frozen corridor is drained while it is closed, and another person lets it go on':
    'src/rooms/corridors/control-change.ts',
  'integration/rooms/corridors/flags.test.ts > level 3 of the market refuses every change, and another person ends it':
    'src/core/accept/gate.ts',
  'integration/rooms/corridors/stricter.test.ts > a corridor is judged more strictly for a time, and another one as before':
    'src/core/score/rules/derived-rule-set.ts',
  'integration/rooms/access/sessions.test.ts > a request with a cookie from another page is refused with %s':
    'src/kit/http/auth/credential.ts',
  'integration/rooms/access/oidc.test.ts > a callback counts once, in the browser that has begun the login, with its state':
    'src/rooms/access/oidc/login-routes.ts',
  'integration/audit-log.test.ts > ids have the order of commits and no gaps, however many write and fail':
    'src/kit/audit/audit-log.ts',
  'contract/answers.test.ts > answers > are all as the document says, and every operation is asked':
    'src/kit/http/openapi.ts',
  'integration/rooms/access/once.test.ts > a repetition gets the first answer, and makes nothing':
    'src/kit/http/once/answer-once.ts',
  'integration/rooms/search/reading-http.test.ts > a stored score carries an entity tag; who has it is told so':
    'src/kit/http/answers/kept.ts',
  'unit/kit/http/connections.test.ts > a reader that takes nothing of an answer is cut off, though it goes on sending':
    'src/kit/http/connections.ts',
  'integration/read-primary.test.ts > every read that a replica may answer has what a paused replica lacks, where it prefers the primary':
    'src/core/read-for.ts',
  'integration/rooms/evidence/seal.test.ts > a time in which nobody sealed is a leaf of its own, and excuses no other time':
    'src/rooms/evidence/check/covered.ts',
  'integration/rooms/search/neighbours.test.ts > the nearest before and after it that share its account, merchant or address, with all they have in common':
    'src/rooms/search/queries/neighbours.ts',
  'integration/rooms/summaries/answers-from-memory.test.ts > what is served equals a recount of at most a second ago':
    'src/kit/caches/answer-cache.ts',
  'integration/rooms/exports/exports.test.ts > a cut at any row goes on with each row once, %s':
    'src/rooms/exports/read-rows.ts',
  'integration/rooms/webhooks/http.test.ts > each decision that the webhook takes is in one event, although Redis loses everything':
    'src/rooms/webhooks/duty.ts',
  'integration/rooms/webhooks/attempts.test.ts > a failure is tried again by the schedule, under the same id, and the last leaves it dead':
    'src/rooms/webhooks/deliver/attempt.ts',
  'integration/rooms/archive/months.test.ts > reads by ids of a cold month name the month and the command that restores it, and stop no search':
    'src/core/store/partitions/partitions.ts',
  'integration/many-months.long.test.ts > a rollback drops more tables than the server has locks':
    'src/rooms/archive/drop-market.ts',
  'integration/labels.test.ts > twenty clients with overlapping requests in reversed order add each label once':
    'src/core/store/labels/insert-labels.ts',
  'integration/rooms/review/open-cases.test.ts > a score that asks for review makes one case, with the score, and others make none':
    'src/rooms/review/store/reviewed.ts',
  'integration/rooms/review/open-cases.test.ts > a dispute makes a case urgent, opens one again that was no fraud, and leaves a fraud closed':
    'src/rooms/review/change/raise-cases.ts',
  'integration/rooms/review/http.test.ts > what was decided, and by which policy, is never changed by a statement':
    'sql/0001_market.sql',
  'integration/rooms/lists/listed-scores.test.ts > block goes before allow, answers are stored with the score, and later changes move none':
    'src/core/score/rules/rule-inputs.ts',
  'integration/rooms/rules/rule-sets-in-force.test.ts > while transactions flow, two workers follow a rollout and a rollback within two seconds':
    'src/core/store/rule-sets/rule-sets.ts',
  'integration/rooms/rules/rule-sets-in-force.test.ts > a rule set that fails is taken back by the engine, in two workers within two seconds, and no other is put forward':
    'src/core/score/rollout/stages.ts',
  'integration/rooms/rules/rule-set-life.test.ts > a step before the dwell time and the gates of its stage is refused, and two people override with a reason':
    'src/core/score/rollout/stages.ts',
  'integration/rooms/rules/rule-set-yesterday.test.ts > a rule set that would decline many is submitted by a word of its own':
    'src/rooms/rules/rule-set-change.ts',
  'integration/rooms/models/models-in-force.test.ts > a shadow is computed for all and changes nothing of a score':
    'src/rooms/models/judge/judge-batch.ts',
  'integration/rooms/models/model-health.test.ts > a model that fails for a while is stood in for by the rules, and then comes back':
    'src/rooms/models/judge/judge-batch.ts',
  'unit/rooms/models/registry/scoring-model.test.ts > an exact explanation that would take too many steps is refused by name':
    'src/rooms/models/registry/scoring-model.ts',
  'integration/rooms/models/inference-limits.test.ts > what is beyond the limit of the market is decided by the rules, in all workers together':
    'src/core/stream/party-quota.ts',
  'integration/rooms/models/models.test.ts > an import says how many of how many trees score, and the golden vectors are of those':
    'src/rooms/models/model/read-xgboost.ts',
  'unit/rooms/models/model/load-model.test.ts > a LightGBM file, whose probability has its own scale':
    'src/rooms/models/model/model.ts',
  'integration/migrate-under-load.test.ts > writers do not queue behind a migration that waits for a reader':
    'src/kit/database/migrations/migration-session.ts',
  'integration/baseline.test.ts > a new database takes the baseline, and later migrations once each':
    'src/kit/database/migrations/migrate.ts',
  'integration/baseline.test.ts > a file that was applied with another text is refused, and nothing after it is applied':
    'src/kit/database/migrations/migrate.ts',
  'integration/server-settings.test.ts > a month that is archived and restored is the same to the last bit':
    'src/kit/database/session-settings.ts',
  'integration/server-settings.test.ts > a time that the driver cannot read is an error, and is not null':
    'src/kit/database/column-types.ts',
  'integration/cluster-connection.test.ts > a command is not sent again, and what keeps one from being sent is said':
    'src/kit/redis/connection.ts',
  'integration/cluster-away.test.ts > a cluster that refuses connections is asked some times a second, and is used when it is back':
    'src/kit/redis/connector.ts',
  'integration/redis-tls.test.ts > a URL names user, password and authority':
    'src/kit/words/redis-url.ts',
  'property/day-tallies.test.ts > tallies equal a recount, whatever is stored, stored again or cut off':
    'src/core/store/tallies/day-tallies.ts',
  'e2e/start.test.ts > a second start finds only duplicates, starts killed roles again, and leaves nothing behind after Ctrl-C':
    'src/tools/start/services/supervise.ts',
  'e2e/sample.long.test.ts > is added in the background, completely after a kill, and only once':
    'src/tools/start/sample.ts',
  'e2e/console.test.ts > a link opens the console': 'src/rooms/console/routes.ts',
  'unit/ship/compose.test.ts > docker-compose.yml starts Redis that never evicts, persists every second and stays within 256 MB':
    'docker-compose.yml',
  'unit/ship/kubernetes.test.ts > %s has an environment that the configuration accepts, and secrets from the Secret alone':
    'deploy/kubernetes',
  'foreign/run.long.test.ts > the main way is walked on stores of anybody, which are empty again afterwards':
    'test/foreign/place.ts',
  'foreign/middlemen.long.test.ts > the main way holds by a name whose first address is dead, where both stores are 300 ms away':
    'src/kit/database/pool.ts',
  'unit/repository.test.ts > package-lock.json pins every package by hash and none to a host':
    'package-lock.json',
  'unit/import-rules.test.ts > rooms import core and kit alone, core imports kit alone, and nobody imports main':
    'src',
  'simulation/worker-core.test.ts > the worker core > ends every transaction once, whatever happens':
    'src/core/work/end-batch.ts',
  'integration/dead-letters.test.ts > dead letters take an entry that was delivered six times without an end, and only that one':
    'src/core/work/decided.ts',
  'integration/dead-letters.test.ts > dead letters take malformed entries of every shape, once each, and spare what is between them':
    'src/core/work/decided.ts',
  'integration/scored-letters.test.ts > the letters of what has a score are closed, those of what has none stay':
    'src/core/repair/dead-letter-duty.ts',
  'unit/core/work/share-batch.test.ts > shareBatch lets a longer backlog keep up, and a flood take four times what another gets at most':
    'src/core/work/intake.ts',
  'integration/quiet-corridor.test.ts > a quiet corridor is scored while no batch of a drain can be stored':
    'src/core/work/lanes.ts',
  'unit/core/stream/past.test.ts > a transaction that is older than an hour when it comes waits apart from live ones, in the past of its shard':
    'src/core/stream/keys.ts',
  'integration/worker.test.ts > publishes a score once, however often it is appended again while it waits':
    'src/core/work/score-batch.ts',
  'integration/stream-profile-logs.test.ts > logs of profiles give way above their share of the memory, the idle ones first, and none are begun':
    'src/core/stream/memory/bound-profiles.ts',
  'integration/stream-settle.test.ts > moves nothing that another consumer has taken over':
    'src/core/stream/lua/settle-5.lua',
  'integration/reconcile-clocks.test.ts > of an API: what it accepted comes back after a wipe':
    'src/core/store/transactions/transactions.ts',
  'integration/leadership.test.ts > a leader that was replaced while it stood still writes nothing':
    'src/kit/duties/leadership.ts',
  'integration/fold-profiles.test.ts > two workers on a few merchants lose nothing, count nothing twice and rebuild each once':
    'src/core/stream/lua/append-profiles-n.lua',
  'integration/stream-profile-logs.test.ts > logs of profiles of a replica that lacks the last appends are not used once it is promoted':
    'src/core/stream/lua/of-history.lua',
  'integration/profile-snapshots.test.ts > a snapshot and the rows stored since make the same profile as all rows':
    'src/core/store/profiles/profile-snapshots.ts',
  'integration/profile-snapshots.test.ts > a label voids the snapshots of its parties':
    'sql/0001_market.sql',
  'integration/labels-profiles.test.ts > a label is in the features of the next transaction, and goes when it is taken back':
    'src/core/accept/invalidate-labelled.ts',
  'integration/corridor-amounts.test.ts > a first payment beyond ten times the percentile is declined, and the score verifies':
    'src/core/profile/day-features.ts',
  'unit/core/score/failed-rules.test.ts > it does not fire, the others score, and what they approve is reviewed':
    'src/core/score/rules-in-force.ts',
  'integration/consume-scored.test.ts > a consumer that is killed within a batch, and after its commit, handles each score once':
    'docs/examples',
  'integration/kafka.long.test.ts > appends an open row that Kafka lacks, and none that Kafka has':
    'src/core/stream/kafka/find-rows.ts',
  'integration/kafka-operations.long.test.ts > is reached by TLS and SASL, and by nobody with another password, authority or scheme':
    'src/core/stream/kafka/clients.ts',
  'integration/worker-breakers.test.ts > Postgres frozen: the worker says so and lives; what waited is scored once, with the level':
    'src/kit/breakers/breaker.ts',
  'unit/kit/breakers/corridor-writes.test.ts > slow commits of a corridor raise its level after two looks, and eight better looks end it':
    'src/kit/breakers/corridor-writes.ts',
  'integration/retention.test.ts > every table has a retention, or a reason why not':
    'src/core/store/tables.ts',
  'integration/ids.test.ts > an id that nobody can use is refused by name > at %s of %s':
    'src/kit/words/plain-text.ts',
  'integration/new-months.test.ts > beyond it a batch is refused, makes none, and names the months and the command':
    'src/core/accept/gate.ts',
  'integration/bad-input-fields.test.ts > a member given twice is 422 at its place, also in a batch':
    'src/kit/http/body/lost-in-parsing.ts',
  'integration/spelled-values.test.ts > six spellings of two addresses are two parties, two searches and two values of answers':
    'src/kit/words/address.ts',
  'integration/rooms/corridors/flags.test.ts > requests are refused while the flag %s is off':
    'src/core/require-on.ts',
  'integration/rooms/access/founders.test.ts > two people are made; a third only once one of them is revoked':
    'src/kit/access/api-keys.ts',
  'integration/rooms/access/provider-logins.test.ts > roles that are absent or unreadable change nothing, and an empty list ends the session':
    'src/rooms/access/oidc/claims.ts',
  'integration/rooms/access/provider-logins.test.ts > that refuses, or whose answer does not fit, is told by %i and by its own words: %s':
    'src/rooms/access/oidc/provider.ts',
  'integration/audit-log.test.ts > rows are only appended: %s': 'sql/0001_market.sql',
  'unit/ship/alerts.test.ts > numbers of alerts > %s has the thresholds of the console in %s > are those of the triggers, in each rule that asks for more or fewer processes':
    'deploy/prometheus/risk.rules.yml',
  'integration/bad-input-requests.test.ts > carry the security headers whatever they are answered':
    'src/kit/http/answers/answer-headers.ts',
  'integration/compression.test.ts > as %s are stored as plain ones': 'src/kit/http/body/unpack.ts',
  'integration/held-answers.test.ts > a drain beside clients that take nothing, or send blank lines for ever, ends soon and well':
    'src/kit/http/connections.ts',
  'foreign/balancers.long.test.ts > no post is refused by rolling restarts behind $program':
    'src/main/api.ts',
  'foreign/balancers.long.test.ts > large bodies, lines, events, long waits, addresses and logins pass $program':
    'deploy/balancers/nginx.conf',
  'integration/markets-of-one-api.test.ts > while the Postgres of %s is gone it is not ready, and %s serves':
    'src/main/api.ts',
  'integration/breakers.test.ts > Postgres frozen: refused within two seconds, then at once; back within seconds':
    'src/kit/breakers/breaker.ts',
  'integration/rooms/evidence/seal.test.ts > a month is taken off once all its scores are sealed':
    'src/core/store/partitions/detach-months.ts',
  'integration/rooms/search/search.test.ts > a page that has looked at its rows before it is full says so, and the next one goes on behind them':
    'src/core/store/search/search-rows.ts',
  'integration/rooms/exports/exports.test.ts > Parquet read back is the rows of the search':
    'src/rooms/exports/write/parquet.ts',
  'integration/rooms/webhooks/sender.test.ts > a name that changes its address after it was checked reaches nothing':
    'src/rooms/webhooks/deliver/target.ts',
  'integration/rooms/lists/memory.test.ts > answers are those of SQL after every change':
    'src/rooms/lists/memory/list-memory.ts',
  'golden/xgboost-margins.test.ts > gives the margins of the library, bit for bit':
    'src/rooms/models/model/predict-trees.ts',
  'integration/doctor.test.ts > migrate and doctor refuse a database in SQL_ASCII, and name the encoding':
    'src/kit/database/server-facts.ts',
  'unit/kit/config/service-urls.test.ts > a Postgres URL > with %s is a bad configuration that names what takes its place':
    'src/kit/words/postgres-url.ts',
  'integration/partition-duty.test.ts > a notice follows a change of the months by one run':
    'src/core/repair/partition-duty.ts',
  'integration/detached-months.test.ts > what asks for a detached month > %s is 410':
    'src/core/store/partitions/partitions.ts',
  'unit/kit/client/text-lines.test.ts > readLines > a line in Windows-1252 is refused alone, with what stands there and the remedy':
    'src/kit/client/text-lines.ts',
  'integration/foreign-files.test.ts > risk replay > refuses the row of a stray quote alone, and stores those behind':
    'src/kit/client/csv-rows.ts',
  'integration/foreign-files.test.ts > risk replay > refuses ids that a spreadsheet has damaged, and takes them where they are meant':
    'src/kit/client/cell-values.ts',
  'unit/console/build.test.ts > console/dist is a fresh build of console/ (npm run console:build)':
    'console',
  'console/journeys.test.ts > as %s shows the pages of the role': 'console/src/shell/pages.ts',
  'integration/doctor.test.ts > doctor fails on a Redis that answers and refuses to write, and says why':
    'src/main/doctor.ts',
  'unit/core/work/run-batch.test.ts > runBatch bisects to the transaction that is to blame, spares the others, and settles once':
    'src/core/work/run-batch.ts',
  'integration/entry-versions.test.ts > is in open rows that no entry names, and its dead letter is closed':
    'src/core/repair/walk-rows.ts',
  'property/entry.test.ts > come out as they went in, those of one head in their order':
    'src/core/stream/entries/entry.ts',
  'integration/lost-parts.test.ts > when one stream is deleted and appended to again':
    'src/core/repair/walk-rows.ts',
  'integration/history.test.ts > reads a bounded number of rows once it is tallied, and finds the same':
    'src/core/store/tallies/merchant-tallies.ts',
  'unit/core/score/rules/expression/fuzz.test.ts > 500 random expressions have the values of the oracle':
    'src/core/score/rules/expression/emit-expression.ts',
  'integration/rooms/backtest/backtest-versions.test.ts > the scorecard judges every row by the margin that was stored with the row, in bands of its own':
    'src/rooms/backtest/run.ts',
  'integration/rooms/models/model-watch.test.ts > a score that no table judged says nothing of the features that tables brought':
    'src/rooms/models/queries/watch-scores.ts',
  'integration/scorecards/judge-by-table.test.ts > a table of a newer version judges nothing, and the log, doctor and answers say so':
    'src/core/store/scorecards/find-tables.ts',
  'integration/scorecards/policy-ends.test.ts > what a policy decided before a person %s is decided again by the rules':
    'src/core/store/scores/scores.ts',
  'integration/scorecards/policy-ends.test.ts > what trees decided before a person stops the trees is decided again without them':
    'src/core/store/scores/scores.ts',
  'integration/scorecards/across-policy.test.ts > scores are verified across everything that decides, or stops deciding':
    'src/core/score/scorecard/policy.ts',
  'integration/scorecards/table-golden.test.ts > a table that gives another margin, or that nobody can read, is refused by the engine':
    'src/core/work/day-tables.ts',
  'unit/rooms/models/judge/judge-batch.test.ts > decide nothing in place of a policy that is stopped or over, and are still heard':
    'src/core/domain/control.ts',
  'integration/scorecards/bounded-nights.test.ts > a flood of inverted labels is not taken, night after night, and the table before judges':
    'src/core/repair/night/bound.ts',
  'integration/scorecards/left-out.test.ts > a table without the labels is that of a store that never had their payments':
    'src/core/store/scorecards/left-out.ts',
  'integration/scorecards/pooled-weeks.test.ts > a policy that catches one fraud less of a hundred ends, once, by the engine':
    'src/core/repair/night/after-night.ts',
  'unit/core/score/scorecard/shares.test.ts > a band is the least value that keeps the share':
    'src/core/score/scorecard/shares.ts',
  'integration/replay.test.ts > the table of a day is built once all before the day is scored':
    'src/tools/client/build-table.ts',
  'unit/rooms/models/registry/scoring-model.test.ts > a slot of the market is read by its name, wherever the market has the slot':
    'src/rooms/models/registry/check-model.ts',
};
