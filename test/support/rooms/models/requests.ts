/** Requests of the room of models with JSON, well and badly. */

const policy = {
  ...{ corridor: 'US-EG', measures_left_out: [], review_share: 0.01, decline_share: 0.001 },
  ...{ bound: 0.01, ends_at: '2026-11-20T09:30:00.000Z', reason: 'why' },
};

export function modelRequests(): readonly (readonly [path: string, body: object])[] {
  return [
    ['/v1/models/unknown@1/proposals', { corridor: 'US-EG', to: 'canary:5' }],
    ['/v1/models/unknown@1/proposals', { corridor: 'US-EG', to: 'canary' }],
    ['/v1/models/unknown@1/emergency', { corridor: 'US-EG', to: 'active', reason: 'why' }],
    ['/v1/models/unknown@1/emergency', { corridor: 'US-EG', to: 'active' }],
    ['/v1/models/rollback', { corridor: 'US-EG' }],
    ['/v1/scorecard-policies', policy],
    ['/v1/scorecard-policies', { ...policy, corridor: 'XX-XX' }],
    ['/v1/scorecard-policies', { ...policy, bound: 1 }],
    ['/v1/scorecards/2026-11-29/proposals', { reason: 'why' }],
    ['/v1/scorecards/2026-11-29/proposals', {}],
  ];
}
