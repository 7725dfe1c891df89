/** Operations that need another person's step, a model or a login first; tokens.test.ts makes them succeed. */
export const TWO_PEOPLE_WRITES = [
  'POST /v1/reviews/{id}/confirm',
  'POST /v1/reviews/{id}/return',
  'POST /v1/rule-sets/{id}/approve',
  'POST /v1/rule-sets/{id}/rollout',
  'POST /v1/rule-sets/{id}/rollback',
  'POST /v1/models/{id}/proposals',
  'POST /v1/models/{id}/emergency',
  'POST /v1/models/proposals/{id}/approve',
  'POST /v1/models/rollback',
  'POST /v1/keys/{id}/confirm',
  'DELETE /v1/sessions/{id}',
];
