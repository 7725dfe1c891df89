import { score, storedLabel, storedTransaction } from '../../../core/accept/examples.ts';
import type { TransactionDetailJson } from '../../../core/read/transaction-json.ts';

const nothing = { complete: true, items: [] };

export const transactionDetail: TransactionDetailJson = {
  ...storedTransaction,
  score,
  final_decision: null,
  labels: { complete: true, items: [storedLabel] },
  neighbours: {
    from: '2026-10-21T09:30:00.000Z',
    to: '2026-12-20T09:30:00.000Z',
    account: nothing,
    device: {
      complete: true,
      items: [
        {
          transaction_id: '01a1f848-2000-7000-8000-000000000031',
          created_at: '2026-11-20T09:27:18.848Z',
          account_id: 'acc_23',
          merchant_id: 'm_9',
          amount: '124.90',
          currency: 'USD',
          score: 640,
          verdict: 'review',
          relations: ['device', 'merchant'],
        },
      ],
    },
    merchant: nothing,
    ip: nothing,
  },
};
