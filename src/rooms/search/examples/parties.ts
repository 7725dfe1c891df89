/** Examples of what an account, a merchant and a day did. */
import { storedTransaction } from '../../../core/accept/examples.ts';
import type { PartyProfile } from '../queries/party-profile.ts';

const lastHour = {
  hours: 1,
  transactions: 14,
  counterparties: 3,
  amounts: [{ currency: 'USD', sum: '642.10', max: '125.50' }],
};

const profile: PartyProfile = {
  as_of: '2026-11-20T10:00:00.000Z',
  windows: [
    lastHour,
    { ...lastHour, hours: 24 },
    { ...lastHour, hours: 168, transactions: 22 },
    { ...lastHour, hours: 720, transactions: 61 },
  ],
  days: [{ day: '2026-11-20', transactions: 14, counterparties: 3 }],
  complete: true,
  recent: [storedTransaction],
};

export const accountProfile = { account_id: 'acc_17', ...profile };
export const deviceProfile = { device_id: 'device-4f2a', ...profile };
export const merchantProfile = { merchant_id: 'm_9', ...profile };
