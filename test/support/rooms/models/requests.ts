/** Requests of the room of models with JSON, well and badly. */

export function modelRequests(): readonly (readonly [path: string, body: object])[] {
  return [
    ['/v1/models/unknown@1/proposals', { corridor: 'US-EG', to: 'canary:5' }],
    ['/v1/models/unknown@1/proposals', { corridor: 'US-EG', to: 'canary' }],
    ['/v1/models/unknown@1/emergency', { corridor: 'US-EG', to: 'active', reason: 'why' }],
    ['/v1/models/unknown@1/emergency', { corridor: 'US-EG', to: 'active' }],
    ['/v1/models/rollback', { corridor: 'US-EG' }],
  ];
}
