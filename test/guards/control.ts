/** Controls, limits of people, keys, audit, status, dead letters and alerts. */
import type { Guards } from './guard.ts';

export const CONTROL: Guards = {
  controls: {
    says: 'A stopped corridor is refused with its message, whole or alone, and another corridor is not.',
    shown: `GET /v1/controls, PUT /v1/controls/{kind}/{scope}, risk controls list, risk controls set, risk controls end,
      console /controls`,
    test: 'integration/rooms/corridors/stops.test.ts > a stopped corridor is refused with its message, whole or alone; another one is not',
    mechanism: 'src/core/accept/gate.ts',
  },
  'switches-unread': {
    says: 'An API process that could not read the controls acts by its setting.',
    shown: 'RISK_SWITCHES_UNREAD',
    test: 'unit/core/accept/gate.test.ts > where unread $isUnread, $whenUnread gives $problem',
    mechanism: 'src/core/accept/gate.ts',
  },
  'freeze-notes': {
    says: 'The notes of a freeze stay with it after the resume.',
    shown: `POST /v1/controls/{kind}/{scope}/notes, GET /v1/controls/{kind}/{scope}/history,
      risk controls note, risk controls history`,
    test: 'integration/rooms/corridors/freeze.test.ts > the notes of a freeze stay with it after the resume, and a freeze of its own is needed for one',
    mechanism: 'src/rooms/corridors/control-history.ts',
  },
  'add-corridor-by-two': {
    says: 'The second of two people adds a corridor, and what is set for it is live within a second.',
    shown: `POST /v1/corridors, GET /v1/corridors, GET /v1/corridors/{id}, PUT /v1/corridors/{id}, GET /v1/markets/{id},
      risk corridors add, risk corridors show, risk corridors set, risk markets show,
      console /corridors, console /corridors/:id`,
    test: 'integration/rooms/corridors/freeze.test.ts > the second of two people adds a corridor, and what is set for it is live within a second',
    mechanism: 'src/rooms/corridors/corridor-change.ts',
  },
  'corridor-checklist': {
    says: 'A checklist says whether a corridor is independent of others and ready to launch.',
    shown: 'GET /v1/corridors/{id}/checklist, risk corridors check',
    test: 'integration/rooms/corridors/freeze.test.ts > a frozen corridor is drained while it is closed, and another person lets it go on',
    mechanism: 'src/rooms/corridors/checklist.ts',
  },
  'corridor-health': {
    says: 'The health of a corridor is a weighted sum of its figures.',
    test: 'unit/rooms/corridors/health.test.ts > %s: %s',
    mechanism: 'src/rooms/corridors/corridor-health.ts',
  },
  'level-by-hand': {
    says: 'Level 3 of a corridor refuses its submissions alone, and what was accepted is read.',
    shown: 'GET /v1/degradation, risk degradation list',
    test: 'integration/rooms/corridors/flags.test.ts > level 3 of a corridor refuses its submissions alone, and what was accepted is read',
    mechanism: 'src/core/accept/gate.ts',
  },
  proposals: {
    says: 'Figures propose a measure, one person confirms it, and what is carried out ends by itself.',
    shown: `GET /v1/proposals, POST /v1/proposals/{id}/confirm,
      risk corridors proposals, risk corridors confirm`,
    test: 'integration/rooms/corridors/proposals.test.ts > figures propose, one person confirms, and what is carried out ends by itself',
    mechanism: 'src/rooms/corridors/proposals.ts',
  },
  'keys-shown-once': {
    says: 'Keys are told apart, shown once and never stored.',
    shown: 'POST /v1/keys, GET /v1/keys, risk keys create, risk keys list, console /keys',
    test: 'integration/rooms/access/keys.test.ts > are told apart, shown once and never stored',
    mechanism: 'src/kit/access/api-key.ts',
  },
  'keys-revoked': {
    says: 'A revoked key stops working within a second in every process.',
    shown: 'DELETE /v1/keys/{id}, risk keys revoke',
    test: 'integration/rooms/access/keys.test.ts > that are revoked stop working within a second in every process',
    mechanism: 'src/kit/http/auth/auth.ts',
  },
  'bootstrap-key': {
    says: 'A new bootstrap key replaces the old one for ever, and a revoked one stays revoked.',
    shown: 'RISK_BOOTSTRAP_KEY',
    test: 'integration/rooms/access/keys.test.ts > a new bootstrap key replaces the old one, for ever; one that is revoked stays revoked',
    mechanism: 'src/kit/access/api-keys.ts',
  },
  'key-confirmed-by-two': {
    says: 'A key that approves is not confirmed by its maker, nor by anybody whom its person made.',
    shown: 'POST /v1/keys/{id}/confirm, risk keys issue, risk keys confirm',
    test: 'integration/two-people.test.ts > is not confirmed by its maker, nor by anybody whom its person made',
    mechanism: 'src/kit/access/api-keys.ts',
  },
  'spellings-of-a-name': {
    says: 'Spellings of a name are one person in every locale of the database.',
    test: 'integration/rooms/access/spellings.test.ts > each spelling of a name makes keys of one person, who approves nothing of their own',
    mechanism: 'src/kit/words/principal.ts',
  },
  people: {
    says: 'A key of a revoked person is revoked for good.',
    shown: 'GET /v1/identities, DELETE /v1/identities/{id}, risk keys people, risk keys expel',
    test: 'integration/two-people.test.ts > of a revoked person is revoked for good',
    mechanism: 'src/kit/access/identities.ts',
  },
  sessions: {
    says: 'A login sets a cookie that scripts cannot read and other sites do not send.',
    shown: 'GET /v1/me, GET /v1/sessions, POST /v1/sessions, DELETE /v1/sessions/{id}',
    test: 'integration/rooms/access/sessions.test.ts > sets a cookie that scripts cannot read and other sites do not send',
    mechanism: 'src/rooms/access/routes/sessions.ts',
  },
  'login-links': {
    says: 'A login link logs in once, whoever is first.',
    shown: 'POST /v1/sessions/links',
    test: 'integration/rooms/access/sessions.test.ts > a link > logs in once, whoever is first',
    mechanism: 'src/kit/access/sessions.ts',
  },
  oidc: {
    says: 'A login of a provider has the roles of its groups, and those of the next login when they change.',
    shown:
      'RISK_OIDC_ISSUER, RISK_OIDC_CLIENT_ID, RISK_OIDC_CLIENT_SECRET, RISK_OIDC_URL, RISK_OIDC_ROLES',
    test: 'integration/rooms/access/oidc.test.ts > a login has the roles of its groups, and those of the next login when they change',
    mechanism: 'src/rooms/access/oidc/login-routes.ts',
  },
  'oidc-claims': {
    says: 'Roles and the name of a person come of the claims that settings name.',
    shown: 'RISK_OIDC_CLAIM, RISK_OIDC_NAME_CLAIM',
    test: 'unit/rooms/access/oidc/person-of-claims.test.ts > name and roles come of the claims that settings name',
    mechanism: 'src/rooms/access/oidc/login-routes.ts',
  },
  'oidc-providers': {
    says: 'Tokens of Google, Entra ID, Okta, Keycloak, Auth0 and PingFederate give the roles that they name.',
    shown: 'RISK_OIDC_SCOPES',
    test: 'integration/rooms/access/provider-logins.test.ts > has the roles that the provider names, and keeps them where it names none',
    mechanism: 'src/rooms/access/oidc/claims.ts',
  },
  'oidc-verified': {
    says: 'A name that the provider does not call verified takes no person.',
    test: 'integration/rooms/access/provider-logins.test.ts > a name with %j takes no person',
    mechanism: 'src/rooms/access/oidc/claims.ts',
  },
  'oidc-methods': {
    says: 'The engine shows its client secret by the method that the provider takes from it.',
    test: 'integration/rooms/access/provider-logins.test.ts > of $method comes by $tried where the provider lists $listed',
    mechanism: 'src/rooms/access/oidc/provider.ts',
  },
  'oidc-tabs': {
    says: 'Logins that a browser has begun in several tabs end each by itself.',
    test: 'integration/rooms/access/provider-logins.test.ts > with two tabs ends both logins, in any order, each once',
    mechanism: 'src/rooms/access/oidc/login-routes.ts',
  },
  audit: {
    says: 'A change is on record by its own commit, or is not done.',
    shown: 'GET /v1/audit, risk audit, console /audit',
    test: 'integration/rooms/audit/audit.test.ts > on record by the same commit, or not done: > %s',
    mechanism: 'src/kit/audit/audit-log.ts',
  },
  status: {
    says: 'The status counts what is undelivered, unacknowledged, retried, unappended and open apart.',
    shown: 'GET /v1/status, risk status, console /',
    test: 'integration/rooms/status/status.test.ts > undelivered, unacknowledged, retried, unappended and open are counted apart',
    mechanism: 'src/rooms/status/queries/pipeline-status.ts',
  },
  'live-figures': {
    says: 'Live figures come as events.',
    shown: 'GET /v1/live',
    test: 'integration/rooms/status/live-figures.test.ts > live figures come as events until the session ends',
    mechanism: 'src/kit/http/live.ts',
  },
  workers: {
    says: 'A worker that fell silent without a farewell is listed until another one replaces it.',
    shown: 'GET /v1/workers, risk workers, console /workers',
    test: 'unit/rooms/status/queries/workers.test.ts > a worker that fell silent without a farewell is listed until another one replaces it',
    mechanism: 'src/rooms/status/queries/missing-workers.ts',
  },
  'dead-letters': {
    says: 'Dead letters are counted by error and corridor.',
    shown: 'GET /v1/dead-letters/groups, risk dead-letters groups',
    test: 'e2e/operators.test.ts > groups counts by error and corridor',
    mechanism: 'src/rooms/dead-letters/store.ts',
  },
  'dead-letter-lists': {
    says: 'Open dead letters are listed newest first, as a table or as the items of the API.',
    shown: `GET /v1/dead-letters, GET /v1/dead-letters/{id}, risk dead-letters list, risk dead-letters show,
      console /dead-letters`,
    test: 'e2e/operators.test.ts > list shows active ones newest first, as a table or as the API’s items',
    mechanism: 'src/rooms/dead-letters/store.ts',
  },
  'replayed-letters': {
    says: 'Replays of dead letters by many operators at once append every transaction once.',
    shown:
      'POST /v1/dead-letters/replay, POST /v1/dead-letters/{id}/replay, risk dead-letters replay',
    test: 'integration/rooms/dead-letters/operators.test.ts > replays by eight operators at once, twice, append every transaction once',
    mechanism: 'src/rooms/dead-letters/change.ts',
  },
  'purge-marks': {
    says: 'A purge of dead letters marks rows and removes none.',
    shown: 'POST /v1/dead-letters/purge, risk dead-letters purge',
    test: 'integration/rooms/dead-letters/operators.test.ts > purge marks, in pages, and leaves every row',
    mechanism: 'src/rooms/dead-letters/change.ts',
  },
};
