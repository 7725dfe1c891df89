/** The label of the transaction that every example of the document has. */
import { score, storedTransaction, TRANSACTION_ID } from '../../core/accept/examples.ts';
import type { LabelJson } from '../../core/read/label-json.ts';
import type { TransactionDetailJson } from '../../core/read/transaction-json.ts';

export const storedLabel: LabelJson = {
  transaction_id: TRANSACTION_ID,
  created_at: storedTransaction.created_at,
  account_id: 'acc_17',
  merchant_id: 'm_9',
  label: 'fraud',
  labelled_at: '2026-11-20T16:00:00.000Z',
  source: 'chargeback',
  received_at: '2026-11-20T16:00:02.310Z',
  client: 'shop',
  identity: null,
  note: 'Cardholder did not recognise the payment',
};

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
