/**
 * Types of the API's requests and answers. Made by test/unit/docs/generated.test.ts from the document and compared
 * with it in every check; do not edit. `npx vitest run test/unit/docs --update` writes it anew.
 */

export type TransactionInput = {
  readonly idempotency_key?: string | undefined;
  readonly account_id: string;
  readonly merchant_id: string;
  readonly amount: string;
  readonly currency: string;
  readonly corridor: string;
  readonly created_at?: string | undefined;
  readonly type?: string | undefined;
  readonly ip?: string | undefined;
  readonly device_id?: string | undefined;
  readonly country?: string | undefined;
  readonly channel?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
};

export type TransactionBatchInput = {
  readonly transactions: readonly TransactionInput[];
};

export type LabelsInput = {
  readonly labels: readonly LabelInput[];
};

export type LabelInput = {
  readonly transaction_id?: string | undefined;
  readonly idempotency_key?: string | undefined;
  readonly label: 'fraud' | 'legitimate';
  readonly labelled_at: string;
  readonly source: string;
  readonly note?: string | undefined;
};

export type ReviewPolicy = {
  readonly priorities: readonly PriorityRule[];
  readonly overflow: readonly OverflowRule[];
  readonly currency: string;
  readonly four_eyes_amount: string;
  readonly lock_seconds: number;
  readonly undo_seconds: number;
  readonly spot_check_ratio: number;
  readonly dispute_sources: readonly string[];
  readonly capacity: CapacityPolicy;
};

export type PriorityRule = {
  readonly priority: number;
  readonly name: string;
  readonly deadline_minutes: number;
  readonly sources?: readonly ('verdict' | 'dispute' | 'spot_check' | 'manual')[] | undefined;
  readonly amount_above?: string | undefined;
  readonly score_from?: number | undefined;
  readonly reasons?: readonly string[] | undefined;
};

export type OverflowRule = {
  readonly priority: number;
  readonly older_than_minutes: number;
  readonly actions: readonly ('alert' | 'call_all_hands' | 'escalate' | 'propose_throttle' | 'propose_tighter_auto_clear')[];
};

export type CapacityPolicy = {
  readonly reviews_per_hour: number;
  readonly hours_per_day: number;
  readonly utilisation_max: number;
  readonly utilisation_hired: number;
};

export type ExchangeRatesInput = {
  readonly rates: readonly ExchangeRate[];
};

export type ExchangeRate = {
  readonly day: string;
  readonly currency: string;
  readonly usd: string;
};

export type NewReviewCase = {
  readonly transaction_id: string;
  readonly note?: string | undefined;
};

export type NextReviewCase = {
  readonly corridor?: string | undefined;
  readonly priority?: 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | undefined;
};

export type CaseNote = {
  readonly note: string;
};

export type CaseFile = {
  readonly file_name: string;
  readonly file_type: string;
  readonly content: string;
};

export type RingDecision = {
  readonly party: 'account' | 'merchant' | 'device';
  readonly id: string;
  readonly disposition: 'fraud' | 'legitimate' | 'unsure';
  readonly reason: string;
};

export type CaseAssignment = {
  readonly assignee: string | null;
};

export type CaseDisposition = {
  readonly disposition: 'fraud' | 'legitimate' | 'unsure';
  readonly reason: string;
};

export type CaseReason = {
  readonly reason: string;
};

export type NewWebhook = {
  readonly url: string;
  readonly event_types: readonly ('transaction.decided' | 'transaction.final_decision' | 'review.deadline_near' | 'alert.raised')[];
  readonly verdicts?: readonly ('approve' | 'review' | 'decline')[] | undefined;
  readonly corridors?: readonly string[] | null | undefined;
  readonly client?: string | null | undefined;
};

export type WebhookChange = {
  readonly url?: string | undefined;
  readonly event_types?: readonly ('transaction.decided' | 'transaction.final_decision' | 'review.deadline_near' | 'alert.raised')[] | undefined;
  readonly verdicts?: readonly ('approve' | 'review' | 'decline')[] | undefined;
  readonly corridors?: readonly string[] | null | undefined;
  readonly paused?: boolean | undefined;
};

export type DeadLetterCommand = {
  readonly ids?: readonly string[] | undefined;
  readonly error_code?: string | undefined;
  readonly corridor?: string | undefined;
  readonly all?: true | undefined;
  readonly failed_before?: string | undefined;
  readonly limit?: number | undefined;
};

export type TransactionChanges = {
  readonly account_id?: string | undefined;
  readonly merchant_id?: string | undefined;
  readonly amount?: string | undefined;
  readonly currency?: string | undefined;
  readonly corridor?: string | undefined;
  readonly created_at?: string | undefined;
  readonly type?: string | null | undefined;
  readonly ip?: string | null | undefined;
  readonly device_id?: string | null | undefined;
  readonly country?: string | null | undefined;
  readonly channel?: string | null | undefined;
};

export type NewModelProposal = {
  readonly corridor: string;
  readonly to: string;
};

export type NewModelEmergency = {
  readonly corridor: string;
  readonly to: string;
  readonly reason: string;
};

export type NewModelRollback = {
  readonly corridor: string;
};

export type NewKey = {
  readonly roles: readonly ('ingest' | 'analyst' | 'operator' | 'risk_officer' | 'admin')[];
  readonly client?: string | undefined;
  readonly owner?: string | undefined;
  readonly identity?: string | undefined;
  readonly expires_at?: string | undefined;
};

export type Problem = {
  readonly type: 'urn:risk:problem:malformed-request' | 'urn:risk:problem:unauthorized' | 'urn:risk:problem:forbidden' | 'urn:risk:problem:cross-site-request' | 'urn:risk:problem:not-found' | 'urn:risk:problem:dead-letter' | 'urn:risk:problem:transaction-detached' | 'urn:risk:problem:method-not-allowed' | 'urn:risk:problem:request-timeout' | 'urn:risk:problem:still-running' | 'urn:risk:problem:conflict' | 'urn:risk:problem:too-large' | 'urn:risk:problem:unsupported-media-type' | 'urn:risk:problem:expectation-failed' | 'urn:risk:problem:invalid-fields' | 'urn:risk:problem:key-conflict' | 'urn:risk:problem:month-detached' | 'urn:risk:problem:too-many-new-months' | 'urn:risk:problem:rate-limited' | 'urn:risk:problem:too-many-unknown-keys' | 'urn:risk:problem:internal' | 'urn:risk:problem:unavailable' | 'urn:risk:problem:overloaded';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string; }[] | undefined;
};

export type Readiness = {
  readonly status: 'ready' | 'unready' | 'draining';
  readonly postgres: 'ok' | 'unavailable';
  readonly redis: 'ok' | 'unavailable';
  readonly replica: ReplicaStatus;
  readonly degradation: number;
  readonly breakers: readonly string[];
};

export type ReplicaStatus = { readonly state: 'up' | 'lagging' | 'down'; readonly lag_ms: number | null; } | null;

export type AcceptedTransaction = {
  readonly transaction_id: string;
  readonly status: 'accepted' | 'duplicate';
  readonly created_at: string;
  readonly score: Score | null;
};

export type Score = {
  readonly transaction_id: string;
  readonly account_id: string;
  readonly corridor: string;
  readonly created_at: string;
  readonly scored_at: string;
  readonly score: number;
  readonly risk: number;
  readonly probability: number | null;
  readonly verdict: 'approve' | 'review' | 'decline';
  readonly reasons: readonly Reason[];
  readonly rule_set: string;
  readonly model: string | null;
  readonly attempts: number;
  readonly degradation: number;
};

export type Reason = {
  readonly code: string;
  readonly detail: string;
  readonly contribution: number;
};

export type FoundTransaction = {
  readonly transaction_id: string;
  readonly status: 'accepted' | 'scored' | 'dead_lettered';
  readonly client: string | null;
  readonly account_id: string;
  readonly merchant_id: string;
  readonly amount: string;
  readonly currency: string;
  readonly corridor: string;
  readonly created_at: string;
  readonly received_at: string;
  readonly type: string | null;
  readonly ip: string | null;
  readonly device_id: string | null;
  readonly country: string | null;
  readonly channel: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly score: Score | null;
  readonly label: 'fraud' | 'legitimate' | null;
};

export type AcceptedBatch = {
  readonly accepted: number;
  readonly duplicates: number;
  readonly results: readonly { readonly index: number; readonly transaction_id: string; readonly status: 'accepted' | 'duplicate'; }[];
  readonly preferences_not_applied?: readonly ('wait' | 'return')[] | undefined;
};

export type Status = {
  readonly at: string;
  readonly postgres: 'up' | 'down';
  readonly replica: ReplicaStatus;
  readonly redis: 'up' | 'down';
  readonly corridors: readonly { readonly corridor: string; readonly lag: number; readonly pending: number; readonly handed_over: number; readonly retries_due: number; readonly oldest_age_seconds: number; readonly dead_letters: number; readonly latency_p50_ms: number | null; readonly latency_p95_ms: number | null; readonly latency_transactions: number; readonly latency_newest_at: string | null; readonly breakers: readonly string[]; readonly degradation: number; }[] | null;
  readonly unappended: number;
  readonly breakers: readonly string[];
  readonly degradation: number;
  readonly latency_p50_ms: number | null;
  readonly latency_p95_ms: number | null;
  readonly latency_transactions: number;
  readonly latency_newest_at: string | null;
  readonly totals: { readonly accepted: number; readonly scored: number; readonly dead_lettered: number; readonly pending: number | null; };
  readonly totals_counted_at: string;
};

export type LiveFigures = {
  readonly status: Status;
  readonly signals: readonly { readonly signal: 'api_p95_ms' | 'api_errors_ratio' | 'queue_entries' | 'worker_lag_seconds' | 'database_connections_ratio'; readonly meaning: string; readonly value: number | null; readonly warning: number; readonly critical: number; readonly level: 'fine' | 'warning' | 'critical' | 'unknown'; }[];
  readonly cache_hits_ratio: number | null;
};

export type AcceptedLabels = {
  readonly accepted: number;
  readonly unchanged: number;
  readonly results: readonly { readonly index: number; readonly transaction_id: string; readonly status: 'accepted' | 'unchanged'; }[];
};

export type Label = {
  readonly transaction_id: string;
  readonly created_at: string;
  readonly account_id: string;
  readonly merchant_id: string;
  readonly label: 'fraud' | 'legitimate';
  readonly labelled_at: string;
  readonly source: string;
  readonly received_at: string;
  readonly client: string | null;
  readonly identity: string | null;
  readonly note: string | null;
};

export type ReviewStatus = {
  readonly at: string;
  readonly waiting: readonly { readonly priority: 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'P5'; readonly corridor: string; readonly waiting: number; readonly claimed: number; readonly missed: number; readonly near: number; readonly age_seconds: number; readonly oldest_seconds: number; }[];
  readonly due_next: readonly { readonly transaction_id: string; readonly priority: 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'P5'; readonly corridor: string; readonly opened_at: string; readonly due_at: string; readonly locked_by: string | null; }[];
  readonly officers_at_work: number;
  readonly utilisation: number | null;
  readonly officers: readonly { readonly officer: string; readonly claimed: number; readonly decided: number; readonly utilisation: number; }[];
  readonly forecast: readonly { readonly priority: 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'P5'; readonly waiting: number; readonly missed: number; readonly will_miss: number; readonly empty_seconds: number | null; }[];
  readonly overflow: readonly { readonly priority: 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'P5'; readonly older_than_minutes: number; readonly actions: readonly string[]; readonly cases: number; }[];
  readonly measured: MeasuredReviews;
};

export type MeasuredReviews = {
  readonly days: number;
  readonly decided: number;
  readonly in_time: number;
  readonly handling_seconds: number | null;
};

export type ReviewShift = {
  readonly reviewer: string;
  readonly since: string;
  readonly decided: number;
  readonly fraud: number;
  readonly legitimate: number;
  readonly unsure: number;
  readonly in_time: number;
  readonly handling_seconds: number | null;
  readonly undone: number;
};

export type ReviewCapacity = {
  readonly transactions_per_day: number;
  readonly auto_clear_ratio: number;
  readonly officers: number;
  readonly reviews_per_hour: number;
  readonly officer_reviews_per_day: number;
  readonly reviews_per_day: number;
  readonly officers_min: number;
  readonly officers_to_hire: number;
  readonly utilisation: number | null;
  readonly utilisation_max: number;
  readonly utilisation_hired: number;
  readonly hire: number;
  readonly projection: readonly { readonly month: number; readonly transactions_per_day: number; readonly reviews_per_day: number; readonly officers_min: number; readonly officers_to_hire: number; }[];
};

export type StoredReviewPolicy = {
  readonly version: number;
  readonly made_at: string;
  readonly made_by: string;
  readonly policy: ReviewPolicy;
};

export type ImportedRates = {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
};

export type ReviewCase = {
  readonly transaction_id: string;
  readonly state: 'open' | 'claimed' | 'confirming' | 'decided' | 'closed';
  readonly priority: 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'P5';
  readonly source: 'verdict' | 'dispute' | 'spot_check' | 'manual';
  readonly due_at: string;
  readonly opened_at: string;
  readonly opened_by: string;
  readonly corridor: string;
  readonly account_id: string;
  readonly merchant_id: string;
  readonly device_id: string | null;
  readonly created_at: string;
  readonly amount: string;
  readonly currency: string;
  readonly market_amount: string | null;
  readonly market_currency: string;
  readonly rate_day: string | null;
  readonly score: number | null;
  readonly verdict: 'approve' | 'review' | 'decline' | null;
  readonly reasons: readonly string[];
  readonly policy: number;
  readonly needs_second_person: boolean;
  readonly assignee: string | null;
  readonly locked_by: string | null;
  readonly locked_until: string | null;
  readonly claimed_at: string | null;
  readonly escalated_by: string | null;
  readonly escalated_at: string | null;
  readonly decision: CaseDecision | null;
  readonly closed_at: string | null;
};

export type CaseDecision = {
  readonly disposition: 'fraud' | 'legitimate' | 'unsure';
  readonly reason: string;
  readonly decided_by: string;
  readonly decided_at: string;
  readonly confirmed_by: string | null;
  readonly final_at: string | null;
};

export type ClaimedCase = {
  readonly case: ReviewCase | null;
};

export type ReviewCaseDetail = {
  readonly transaction_id: string;
  readonly state: 'open' | 'claimed' | 'confirming' | 'decided' | 'closed';
  readonly priority: 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'P5';
  readonly source: 'verdict' | 'dispute' | 'spot_check' | 'manual';
  readonly due_at: string;
  readonly opened_at: string;
  readonly opened_by: string;
  readonly corridor: string;
  readonly account_id: string;
  readonly merchant_id: string;
  readonly device_id: string | null;
  readonly created_at: string;
  readonly amount: string;
  readonly currency: string;
  readonly market_amount: string | null;
  readonly market_currency: string;
  readonly rate_day: string | null;
  readonly score: number | null;
  readonly verdict: 'approve' | 'review' | 'decline' | null;
  readonly reasons: readonly string[];
  readonly policy: number;
  readonly needs_second_person: boolean;
  readonly assignee: string | null;
  readonly locked_by: string | null;
  readonly locked_until: string | null;
  readonly claimed_at: string | null;
  readonly escalated_by: string | null;
  readonly escalated_at: string | null;
  readonly decision: CaseDecision | null;
  readonly closed_at: string | null;
  readonly notes: readonly StoredCaseNote[];
  readonly history: readonly CaseChange[];
  readonly final_decisions: readonly FinalDecision[];
};

export type StoredCaseNote = {
  readonly note_id: string;
  readonly written_at: string;
  readonly written_by: string;
  readonly note: string | null;
  readonly file_name: string | null;
  readonly file_type: string | null;
  readonly file_bytes: number | null;
};

export type CaseChange = {
  readonly changed_at: string;
  readonly who: string;
  readonly action: string;
  readonly after: Readonly<Record<string, unknown>> | null;
};

export type FinalDecision = {
  readonly decision_id: string;
  readonly transaction_id: string;
  readonly created_at: string;
  readonly account_id: string;
  readonly merchant_id: string;
  readonly corridor: string;
  readonly score: number | null;
  readonly verdict: 'approve' | 'review' | 'decline' | null;
  readonly source: 'verdict' | 'dispute' | 'spot_check' | 'manual';
  readonly priority: 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'P5';
  readonly disposition: 'fraud' | 'legitimate' | 'unsure';
  readonly reason: string;
  readonly decided_by: string;
  readonly decided_at: string;
  readonly confirmed_by: string | null;
  readonly label: 'posted' | 'none' | 'month_detached';
  readonly final_at: string;
};

export type AddedNote = {
  readonly note_id: string;
};

export type StoredCaseFile = {
  readonly file_name: string;
  readonly file_type: string;
  readonly content: string;
};

export type DecidedRing = {
  readonly items: readonly ReviewCase[];
  readonly more: boolean;
};

export type Webhooks = {
  readonly items: readonly Webhook[];
};

export type Webhook = {
  readonly webhook_id: string;
  readonly url: string;
  readonly event_types: readonly ('transaction.decided' | 'transaction.final_decision' | 'review.deadline_near' | 'alert.raised')[];
  readonly verdicts: readonly ('approve' | 'review' | 'decline')[];
  readonly corridors: readonly string[] | null;
  readonly client: string | null;
  readonly state: 'active' | 'paused' | 'disabled';
  readonly disabled_at: string | null;
  readonly disabled_reason: string | null;
  readonly failing_since: string | null;
  readonly previous_secret_until: string | null;
  readonly created_at: string;
  readonly created_by: string;
};

export type WebhookWithSecret = {
  readonly webhook_id: string;
  readonly url: string;
  readonly event_types: readonly ('transaction.decided' | 'transaction.final_decision' | 'review.deadline_near' | 'alert.raised')[];
  readonly verdicts: readonly ('approve' | 'review' | 'decline')[];
  readonly corridors: readonly string[] | null;
  readonly client: string | null;
  readonly state: 'active' | 'paused' | 'disabled';
  readonly disabled_at: string | null;
  readonly disabled_reason: string | null;
  readonly failing_since: string | null;
  readonly previous_secret_until: string | null;
  readonly created_at: string;
  readonly created_by: string;
  readonly secret: string;
};

export type WebhookDelivery = {
  readonly delivery_id: string;
  readonly event_id: string;
  readonly event_type: 'transaction.decided' | 'transaction.final_decision' | 'review.deadline_near' | 'alert.raised' | 'webhook.test';
  readonly decisions: number | null;
  readonly created_at: string;
  readonly state: 'waiting' | 'delivered' | 'dead';
  readonly attempts: number;
  readonly next_at: string | null;
  readonly last_at: string | null;
  readonly response_status: number | null;
  readonly error: string | null;
};

export type WebhookDeliveries = {
  readonly items: readonly WebhookDelivery[];
  readonly next_cursor: string | null;
};

export type DeadLetter = {
  readonly dead_letter_id: string;
  readonly stream: string;
  readonly message: { readonly transaction_id: string | null; readonly account_id: string | null; readonly retry_count: number; };
  readonly corridor: string;
  readonly error: string;
  readonly error_code: string;
  readonly failed_at: string;
  readonly replayed_at: string | null;
  readonly purged_at: string | null;
};

export type DeadLetterGroup = {
  readonly error_code: string;
  readonly corridor: string;
  readonly dead_letters: number;
  readonly unreadable: number;
  readonly first_failed_at: string;
  readonly last_failed_at: string;
  readonly sample_ids: readonly string[];
};

export type DeadLetterWithEntry = {
  readonly dead_letter_id: string;
  readonly stream: string;
  readonly message: { readonly transaction_id: string | null; readonly account_id: string | null; readonly retry_count: number; };
  readonly corridor: string;
  readonly error: string;
  readonly error_code: string;
  readonly failed_at: string;
  readonly replayed_at: string | null;
  readonly purged_at: string | null;
  readonly entry: string;
};

export type ReplayResult = {
  readonly replayed: number;
  readonly appended: number;
  readonly remaining: number;
  readonly not_replayable: number;
  readonly failed_before: string | null;
  readonly refused: readonly { readonly dead_letter_id: string; readonly reason: 'unknown' | 'unreadable' | 'replayed' | 'purged' | 'month-detached' | 'busy'; }[];
};

export type ReplayOneResult = {
  readonly dead_letter_id: string;
  readonly status: 'replayed' | 'unknown' | 'unreadable' | 'purged' | 'month-detached' | 'busy';
};

export type PurgeResult = {
  readonly purged: number;
  readonly remaining: number;
  readonly failed_before: string | null;
  readonly refused: readonly { readonly dead_letter_id: string; readonly reason: 'unknown' | 'unreadable' | 'replayed' | 'purged' | 'month-detached' | 'busy'; }[];
};

export type TransactionDetail = {
  readonly transaction_id: string;
  readonly status: 'accepted' | 'scored' | 'dead_lettered';
  readonly client: string | null;
  readonly account_id: string;
  readonly merchant_id: string;
  readonly amount: string;
  readonly currency: string;
  readonly corridor: string;
  readonly created_at: string;
  readonly received_at: string;
  readonly type: string | null;
  readonly ip: string | null;
  readonly device_id: string | null;
  readonly country: string | null;
  readonly channel: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly final_decision: { readonly disposition: 'fraud' | 'legitimate' | 'unsure'; readonly final_at: string; } | null;
  readonly score?: Score | null | undefined;
  readonly explanation?: Explanation | null | undefined;
  readonly labels?: LabelHistory | undefined;
  readonly neighbours?: Neighbours | undefined;
};

export type Explanation = {
  readonly score: Score;
  readonly feature_schema: number;
  readonly features: readonly { readonly name: string; readonly value: number | null; readonly unit: string; readonly description: string; }[];
  readonly rules: readonly { readonly id: string; readonly code: string; readonly summary: string; readonly fired: boolean; readonly value: number | null; readonly band: number | null; readonly weight: number; readonly detail: string | null; }[];
  readonly model: ModelExplanation;
  readonly lineage: { readonly rule_set: string; readonly model: string | null; readonly attempts: number; readonly degradation: number; readonly created_at: string; readonly scored_at: string; readonly vector_crc32: string | null; readonly differing: readonly string[]; };
};

export type ModelExplanation = { readonly model: string; readonly method: 'path' | 'shapley'; readonly base: number; readonly margin: number; readonly probability: number; readonly contributions: readonly { readonly feature: string; readonly value: number | null; readonly contribution: number; readonly detail: string; }[]; } | null;

export type LabelHistory = {
  readonly complete: boolean;
  readonly items: readonly Label[];
};

export type Neighbours = {
  readonly from: string;
  readonly to: string;
  readonly account: RelatedTransactions;
  readonly device: RelatedTransactions | null;
  readonly merchant: RelatedTransactions;
  readonly ip: RelatedTransactions | null;
  readonly detached_months?: readonly string[] | undefined;
};

export type RelatedTransactions = {
  readonly complete: boolean;
  readonly items: readonly Neighbour[];
};

export type Neighbour = {
  readonly transaction_id: string;
  readonly created_at: string;
  readonly account_id: string;
  readonly merchant_id: string;
  readonly amount: string;
  readonly currency: string;
  readonly score: number | null;
  readonly verdict: 'approve' | 'review' | 'decline' | null;
  readonly relations: readonly ('account' | 'device' | 'merchant' | 'ip')[];
};

export type FoundScore = {
  readonly transaction_id: string;
  readonly account_id: string;
  readonly corridor: string;
  readonly created_at: string;
  readonly scored_at: string;
  readonly score: number;
  readonly risk: number;
  readonly probability: number | null;
  readonly verdict: 'approve' | 'review' | 'decline';
  readonly reasons: readonly Reason[];
  readonly rule_set: string;
  readonly model: string | null;
  readonly attempts: number;
  readonly degradation: number;
  readonly merchant_id: string;
  readonly amount: string;
  readonly currency: string;
  readonly country: string | null;
  readonly device_id: string | null;
  readonly channel: string | null;
  readonly received_at: string;
};

export type PendingScore = {
  readonly transaction_id: string;
  readonly status: 'accepted';
};

export type Habit = {
  readonly transaction_id: string;
  readonly transactions: number;
  readonly from: string | null;
  readonly features: readonly { readonly name: string; readonly known: number; readonly median: number | null; readonly min: number | null; readonly max: number | null; }[];
};

export type WhatIf = {
  readonly score: number;
  readonly risk: number;
  readonly probability: number | null;
  readonly verdict: 'approve' | 'review' | 'decline';
  readonly reasons: readonly Reason[];
  readonly transaction_id: string;
  readonly changed: readonly ('account_id' | 'merchant_id' | 'amount' | 'currency' | 'corridor' | 'created_at' | 'type' | 'ip' | 'device_id' | 'country' | 'channel')[];
  readonly stored: { readonly score: number; readonly risk: number; readonly probability: number | null; readonly verdict: 'approve' | 'review' | 'decline'; readonly reasons: readonly Reason[]; };
  readonly rule_set: string;
  readonly model: string | null;
  readonly features: readonly { readonly name: string; readonly unit: string; readonly description: string; readonly stored: number | null; readonly value: number | null; }[];
  readonly known_later: readonly string[];
};

export type Evaluation = {
  readonly account_id: string;
  readonly corridor: string;
  readonly created_at: string;
  readonly score: number;
  readonly risk: number;
  readonly probability: number | null;
  readonly verdict: 'approve' | 'review' | 'decline';
  readonly reasons: readonly Reason[];
  readonly rule_set: string;
  readonly model: string | null;
  readonly degradation: number;
  readonly explanation: { readonly feature_schema: number; readonly features: readonly { readonly name: string; readonly value: number | null; readonly unit: string; readonly description: string; }[]; readonly rules: readonly { readonly id: string; readonly code: string; readonly summary: string; readonly fired: boolean; readonly value: number | null; readonly band: number | null; readonly weight: number; readonly detail: string | null; }[]; readonly model: ModelExplanation; };
};

export type AccountProfile = {
  readonly account_id: string;
  readonly as_of: string;
  readonly windows: readonly { readonly hours: number; readonly transactions: number; readonly counterparties: number; readonly amounts: readonly { readonly currency: string; readonly sum: string; readonly max: string; }[]; }[];
  readonly days: readonly { readonly day: string; readonly transactions: number; readonly counterparties: number; }[];
  readonly complete: boolean;
  readonly recent: readonly Transaction[];
};

export type Transaction = {
  readonly transaction_id: string;
  readonly status: 'accepted' | 'scored' | 'dead_lettered';
  readonly client: string | null;
  readonly account_id: string;
  readonly merchant_id: string;
  readonly amount: string;
  readonly currency: string;
  readonly corridor: string;
  readonly created_at: string;
  readonly received_at: string;
  readonly type: string | null;
  readonly ip: string | null;
  readonly device_id: string | null;
  readonly country: string | null;
  readonly channel: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
};

export type MerchantProfile = {
  readonly merchant_id: string;
  readonly as_of: string;
  readonly windows: readonly { readonly hours: number; readonly transactions: number; readonly counterparties: number; readonly amounts: readonly { readonly currency: string; readonly sum: string; readonly max: string; }[]; }[];
  readonly days: readonly { readonly day: string; readonly transactions: number; readonly counterparties: number; }[];
  readonly complete: boolean;
  readonly recent: readonly Transaction[];
};

export type DeviceProfile = {
  readonly device_id: string;
  readonly as_of: string;
  readonly windows: readonly { readonly hours: number; readonly transactions: number; readonly counterparties: number; readonly amounts: readonly { readonly currency: string; readonly sum: string; readonly max: string; }[]; }[];
  readonly days: readonly { readonly day: string; readonly transactions: number; readonly counterparties: number; }[];
  readonly complete: boolean;
  readonly recent: readonly Transaction[];
};

export type DailySummary = {
  readonly day: string;
  readonly corridor?: string | undefined;
  readonly verdict?: 'approve' | 'review' | 'decline' | undefined;
  readonly currency?: string | undefined;
  readonly rule_set?: string | undefined;
  readonly rule?: string | undefined;
  readonly model?: string | null | undefined;
  readonly label?: 'fraud' | 'legitimate' | undefined;
  readonly transactions: number;
  readonly amounts: Readonly<Record<string, string>> | null;
  readonly scores: { readonly approve: number; readonly review: number; readonly decline: number; } | null;
  readonly mean_score: number | null;
  readonly labels: { readonly fraud: number; readonly legitimate: number; } | null;
  readonly dead_letters: number | null;
};

export type Corridor = {
  readonly corridor: string;
  readonly source: string;
  readonly destination: string;
};

export type ReasonCode = {
  readonly code: string;
  readonly description: string;
  readonly origin: 'rule' | 'model';
  readonly rule_sets: readonly string[];
  readonly features: readonly string[];
};

export type Feature = {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly position: number;
  readonly feature_schema: number;
};

export type RuleSet = {
  readonly rule_set: string;
  readonly in_force: boolean;
  readonly sha256: string;
  readonly feature_schema: number;
  readonly verdicts: { readonly review: number; readonly decline: number; };
  readonly rules: readonly { readonly rule: string; readonly code: string; readonly description: string; readonly policy: boolean; readonly features: readonly string[]; readonly bounds: readonly { readonly bound: string; readonly value: number; readonly meaning: string; }[]; readonly bands: readonly { readonly from: number; readonly weight: number; }[]; }[];
};

export type RuleOutcomes = {
  readonly rule_set: string;
  readonly from: string;
  readonly to: string;
  readonly scores: number;
  readonly sampled: number;
  readonly rules: readonly { readonly code: string; readonly hits: number; readonly sampled: { readonly approve: number; readonly review: number; readonly decline: number; readonly fraud: number; readonly legitimate: number; readonly hits: number; }; readonly precision: OutcomeShare | null; }[];
};

export type OutcomeShare = {
  readonly rows: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
};

export type WatchReport = {
  readonly watched_at: string;
  readonly model: string;
  readonly compared_with: 'training' | 'week-before';
  readonly window: { readonly from: string; readonly to: string; };
  readonly rows: number;
  readonly level: 'fine' | 'notice' | 'alert' | 'unknown';
  readonly score: { readonly psi: number | null; readonly level: 'fine' | 'notice' | 'alert' | 'unknown'; readonly rows: number; readonly reference_rows: number | null; readonly missing: number | null; readonly missing_reference: number | null; };
  readonly features: readonly { readonly feature: string; readonly psi: number | null; readonly level: 'fine' | 'notice' | 'alert' | 'unknown'; readonly rows: number; readonly reference_rows: number | null; readonly missing: number | null; readonly missing_reference: number | null; }[];
  readonly outcomes: { readonly window: { readonly from: string; readonly to: string; }; readonly rows: number; readonly labelled: number; readonly frauds: number; readonly review: { readonly precision: { readonly rows: number; readonly value: number; readonly low: number; readonly high: number; } | null; readonly recall: { readonly rows: number; readonly value: number; readonly low: number; readonly high: number; } | null; }; readonly decline: { readonly precision: { readonly rows: number; readonly value: number; readonly low: number; readonly high: number; } | null; readonly recall: { readonly rows: number; readonly value: number; readonly low: number; readonly high: number; } | null; }; readonly promised: number | null; readonly seen: { readonly rows: number; readonly value: number; readonly low: number; readonly high: number; } | null; readonly calibration: readonly { readonly rows: number; readonly promised: number; readonly seen: number; }[]; readonly label_delay_seconds: { readonly p50: number; readonly p90: number; readonly p99: number; } | null; };
};

export type ShadowComparison = {
  readonly model: string;
  readonly from: string;
  readonly to: string;
  readonly rows: number;
  readonly labelled: number;
  readonly frauds: number;
  readonly verdicts: readonly { readonly decided: 'approve' | 'review' | 'decline'; readonly shadow: 'approve' | 'review' | 'decline'; readonly rows: number; }[];
  readonly decided: { readonly flagged: number; readonly precision: OutcomeShare | null; readonly recall: OutcomeShare | null; };
  readonly shadow: { readonly flagged: number; readonly precision: OutcomeShare | null; readonly recall: OutcomeShare | null; };
  readonly distribution: readonly { readonly from: number; readonly decided: number; readonly shadow: number; }[];
};

export type Model = {
  readonly model: string;
  readonly model_id: string;
  readonly format: string;
  readonly feature_schema: number;
  readonly features: number;
  readonly artefact_bytes: number;
  readonly golden_vectors: number;
  readonly golden_source: string;
  readonly created_at: string;
  readonly created_by: string;
  readonly does: string;
  readonly corridors: readonly { readonly corridor: string; readonly state: string; readonly canary_percent: number; }[];
};

export type ModelDetail = {
  readonly model: string;
  readonly model_id: string;
  readonly format: string;
  readonly feature_schema: number;
  readonly features: number;
  readonly artefact_bytes: number;
  readonly golden_vectors: number;
  readonly golden_source: string;
  readonly created_at: string;
  readonly created_by: string;
  readonly does: string;
  readonly corridors: readonly { readonly corridor: string; readonly state: string; readonly canary_percent: number; }[];
  readonly feature_names: readonly string[];
  readonly trained: { readonly from: string; readonly to: string; readonly known_by: string; } | null;
  readonly code_version: string | null;
  readonly parent: string | null;
  readonly card: Readonly<Record<string, unknown>> | null;
  readonly proposals: readonly { readonly proposal_id: string; readonly corridor: string; readonly to: string; readonly proposed_by: string; readonly proposed_at: string; }[];
  readonly rollouts: readonly { readonly corridor: string; readonly state: string; readonly canary_percent: number; readonly cause: string; readonly proposal_id: string | null; readonly proposed_by: string; readonly approved_by: string | null; readonly reason: string | null; readonly ends_at: string | null; readonly created_at: string; }[];
};

export type ModelProposal = {
  readonly proposal_id: string;
  readonly corridor: string;
  readonly to: string;
  readonly proposed_by: string;
};

export type ModelEmergency = {
  readonly items: readonly { readonly corridor: string; readonly to: string; readonly cause: string; readonly model_id: string; }[];
  readonly proposal_id: string;
};

export type DecidedRollouts = {
  readonly items: readonly { readonly corridor: string; readonly to: string; readonly cause: string; readonly model_id: string; }[];
};

export type MintedKey = {
  readonly key_id: string;
  readonly key: string;
};

export type Key = {
  readonly key_id: string;
  readonly roles: readonly ('ingest' | 'analyst' | 'operator' | 'risk_officer' | 'admin')[];
  readonly client: string;
  readonly owner: string;
  readonly identity: string | null;
  readonly made_by: string | null;
  readonly confirmed_by: string | null;
  readonly confirmed_at: string | null;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
};

export type Identity = {
  readonly identity: string;
  readonly created_at: string;
  readonly made_by: string | null;
  readonly revoked_at: string | null;
};

export type Me = {
  readonly key_id: string;
  readonly roles: readonly ('ingest' | 'analyst' | 'operator' | 'risk_officer' | 'admin')[];
  readonly client: string;
  readonly owner: string;
  readonly identity: string | null;
  readonly session_id: string | null;
};

export type Session = {
  readonly session_id: string;
  readonly key_id: string;
  readonly owner: string;
  readonly identity: string | null;
  readonly created_at: string;
  readonly used_at: string;
  readonly expires_at: string;
  readonly current: boolean;
};

export type LoginLink = {
  readonly token: string;
  readonly expires_at: string;
};

export type AuditEntry = {
  readonly audit_id: string;
  readonly changed_at: string;
  readonly who: string;
  readonly key_id: string | null;
  readonly action: 'key.create' | 'key.confirm' | 'key.revoke' | 'identity.create' | 'identity.revoke' | 'session.create' | 'session.end' | 'login-link.create' | 'model.register' | 'rollout.propose' | 'rollout.approve' | 'rollout.emergency' | 'rollout.rollback' | 'dead-letters.replay' | 'dead-letters.purge' | 'dead-letters.close' | 'month.create' | 'month.detach' | 'month.attach' | 'month.drop' | 'case.open' | 'case.dispute' | 'case.claim' | 'case.release' | 'case.assign' | 'case.escalate' | 'case.note' | 'case.attach' | 'case.decide' | 'case.confirm' | 'case.return' | 'case.undo' | 'case.close' | 'case.policy' | 'rates.import' | 'webhook.create' | 'webhook.change' | 'webhook.rotate' | 'webhook.delete' | 'webhook.disable' | 'webhook.test' | 'webhook.redeliver' | 'export.begin' | 'export.end';
  readonly subject: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly request: string;
};

export type TransactionLine = {
  readonly index: number;
  readonly status: 'accepted' | 'duplicate' | 'invalid' | 'conflict' | 'unavailable';
  readonly transaction_id?: string | undefined;
  readonly code?: 'month-detached' | 'too-many-new-months' | undefined;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string; }[] | undefined;
};

export type TransactionLinesDone = {
  readonly done: true;
  readonly accepted: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly consistency_token?: string | undefined;
  readonly preferences_not_applied?: readonly ('wait' | 'return')[] | undefined;
};

export type ExportDone = {
  readonly done: true;
  readonly rows: number;
};

/** What each operation takes, and its JSON answer where it succeeds. */
export type Operations = {
  readonly 'GET /livez': { readonly call: {  }; readonly answer: { readonly status: 'alive'; } };
  readonly 'GET /readyz': { readonly call: {  }; readonly answer: Readiness };
  readonly 'GET /metrics': { readonly call: {  }; readonly answer: undefined };
  readonly 'POST /v1/transactions': { readonly call: { readonly body: TransactionInput }; readonly answer: AcceptedTransaction };
  readonly 'GET /v1/transactions': { readonly call: { readonly query?: { readonly account_id?: string | undefined; readonly merchant_id?: string | undefined; readonly device_id?: string | undefined; readonly ip?: string | undefined; readonly corridor?: string | undefined; readonly client?: string | undefined; readonly idempotency_key?: string | undefined; readonly currency?: string | undefined; readonly min_amount?: string | undefined; readonly max_amount?: string | undefined; readonly verdict?: string | undefined; readonly min_score?: number | undefined; readonly max_score?: number | undefined; readonly reason?: string | undefined; readonly reason_match?: 'any' | 'all' | undefined; readonly rule_set?: 'default@2' | 'default@1' | undefined; readonly model?: string | undefined; readonly label?: 'fraud' | 'legitimate' | 'none' | undefined; readonly degradation?: number | undefined; readonly from?: string | undefined; readonly to?: string | undefined; readonly received_from?: string | undefined; readonly received_to?: string | undefined; readonly scored_from?: string | undefined; readonly scored_to?: string | undefined; readonly status?: 'accepted' | 'scored' | 'dead_lettered' | undefined; readonly sort?: 'created_at' | 'score' | 'amount' | undefined; readonly order?: 'desc' | 'asc' | undefined; readonly total?: boolean | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined } }; readonly answer: { readonly items: readonly FoundTransaction[]; readonly next_cursor: string | null; readonly detached_months?: readonly string[] | undefined; readonly complete: boolean; readonly searched_to: string | null; readonly searched_to_score?: number | undefined; readonly total?: { readonly count: number; readonly more: boolean; } | undefined; } };
  readonly 'POST /v1/transactions/batch': { readonly call: { readonly body: TransactionBatchInput }; readonly answer: AcceptedBatch };
  readonly 'GET /v1/status': { readonly call: {  }; readonly answer: Status };
  readonly 'GET /v1/live': { readonly call: {  }; readonly answer: LiveFigures };
  readonly 'POST /v1/labels': { readonly call: { readonly body: LabelsInput }; readonly answer: AcceptedLabels };
  readonly 'GET /v1/labels': { readonly call: { readonly query?: { readonly account_id?: string | undefined; readonly merchant_id?: string | undefined; readonly transaction_id?: string | undefined; readonly label?: 'fraud' | 'legitimate' | undefined; readonly source?: string | undefined; readonly from?: string | undefined; readonly to?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined } }; readonly answer: { readonly items: readonly Label[]; readonly next_cursor: string | null; readonly detached_months?: readonly string[] | undefined; readonly complete: boolean; } };
  readonly 'GET /v1/reviews/status': { readonly call: {  }; readonly answer: ReviewStatus };
  readonly 'GET /v1/reviews/shift': { readonly call: { readonly query?: { readonly since?: string | undefined } }; readonly answer: ReviewShift };
  readonly 'GET /v1/reviews/capacity': { readonly call: { readonly query?: { readonly officers?: number | undefined; readonly transactions_per_day?: number | undefined; readonly auto_clear_ratio?: number | undefined; readonly reviews_per_hour?: number | undefined; readonly growth?: number | undefined } }; readonly answer: ReviewCapacity };
  readonly 'GET /v1/reviews/policy': { readonly call: {  }; readonly answer: StoredReviewPolicy };
  readonly 'POST /v1/reviews/policy': { readonly call: { readonly body: ReviewPolicy }; readonly answer: StoredReviewPolicy };
  readonly 'POST /v1/exchange-rates': { readonly call: { readonly body: ExchangeRatesInput }; readonly answer: ImportedRates };
  readonly 'GET /v1/reviews': { readonly call: { readonly query?: { readonly corridor?: string | undefined; readonly priority?: 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | undefined; readonly state?: 'open' | 'claimed' | 'confirming' | 'decided' | 'closed' | undefined; readonly assignee?: string | undefined; readonly locked_by?: string | undefined; readonly account_id?: string | undefined; readonly merchant_id?: string | undefined; readonly device_id?: string | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined } }; readonly answer: { readonly items: readonly ReviewCase[]; readonly next_cursor: string | null; } };
  readonly 'POST /v1/reviews': { readonly call: { readonly body: NewReviewCase }; readonly answer: ReviewCase };
  readonly 'POST /v1/reviews/next': { readonly call: { readonly body: NextReviewCase }; readonly answer: ClaimedCase };
  readonly 'GET /v1/reviews/{id}': { readonly call: { readonly path: { readonly id: string } }; readonly answer: ReviewCaseDetail };
  readonly 'POST /v1/reviews/{id}/notes': { readonly call: { readonly path: { readonly id: string }; readonly body: CaseNote }; readonly answer: AddedNote };
  readonly 'POST /v1/reviews/{id}/files': { readonly call: { readonly path: { readonly id: string }; readonly body: CaseFile }; readonly answer: AddedNote };
  readonly 'GET /v1/reviews/{id}/files/{note_id}': { readonly call: { readonly path: { readonly id: string; readonly note_id: string } }; readonly answer: StoredCaseFile };
  readonly 'POST /v1/reviews/ring': { readonly call: { readonly body: RingDecision }; readonly answer: DecidedRing };
  readonly 'GET /v1/reviews/decisions': { readonly call: { readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined } }; readonly answer: { readonly items: readonly FinalDecision[]; readonly next_cursor: string | null; } };
  readonly 'POST /v1/reviews/{id}/claim': { readonly call: { readonly path: { readonly id: string } }; readonly answer: ReviewCase };
  readonly 'POST /v1/reviews/{id}/lock': { readonly call: { readonly path: { readonly id: string } }; readonly answer: ReviewCase };
  readonly 'POST /v1/reviews/{id}/assign': { readonly call: { readonly path: { readonly id: string }; readonly body: CaseAssignment }; readonly answer: ReviewCase };
  readonly 'POST /v1/reviews/{id}/decide': { readonly call: { readonly path: { readonly id: string }; readonly body: CaseDisposition }; readonly answer: ReviewCase };
  readonly 'POST /v1/reviews/{id}/undo': { readonly call: { readonly path: { readonly id: string } }; readonly answer: ReviewCase };
  readonly 'POST /v1/reviews/{id}/escalate': { readonly call: { readonly path: { readonly id: string }; readonly body: CaseReason }; readonly answer: ReviewCase };
  readonly 'POST /v1/reviews/{id}/release': { readonly call: { readonly path: { readonly id: string } }; readonly answer: ReviewCase };
  readonly 'POST /v1/reviews/{id}/confirm': { readonly call: { readonly path: { readonly id: string } }; readonly answer: ReviewCase };
  readonly 'POST /v1/reviews/{id}/return': { readonly call: { readonly path: { readonly id: string }; readonly body: CaseReason }; readonly answer: ReviewCase };
  readonly 'GET /v1/webhooks': { readonly call: {  }; readonly answer: Webhooks };
  readonly 'POST /v1/webhooks': { readonly call: { readonly body: NewWebhook }; readonly answer: WebhookWithSecret };
  readonly 'GET /v1/webhooks/{id}': { readonly call: { readonly path: { readonly id: string } }; readonly answer: Webhook };
  readonly 'POST /v1/webhooks/{id}': { readonly call: { readonly path: { readonly id: string }; readonly body: WebhookChange }; readonly answer: Webhook };
  readonly 'DELETE /v1/webhooks/{id}': { readonly call: { readonly path: { readonly id: string } }; readonly answer: undefined };
  readonly 'POST /v1/webhooks/{id}/rotate': { readonly call: { readonly path: { readonly id: string } }; readonly answer: WebhookWithSecret };
  readonly 'POST /v1/webhooks/{id}/test': { readonly call: { readonly path: { readonly id: string } }; readonly answer: WebhookDelivery };
  readonly 'GET /v1/webhooks/{id}/deliveries': { readonly call: { readonly path: { readonly id: string }; readonly query?: { readonly state?: 'waiting' | 'delivered' | 'dead' | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined } }; readonly answer: WebhookDeliveries };
  readonly 'POST /v1/webhooks/{id}/deliveries/{delivery_id}/redeliver': { readonly call: { readonly path: { readonly id: string; readonly delivery_id: string } }; readonly answer: WebhookDelivery };
  readonly 'GET /v1/exports/transactions': { readonly call: { readonly query?: { readonly account_id?: string | undefined; readonly merchant_id?: string | undefined; readonly device_id?: string | undefined; readonly ip?: string | undefined; readonly corridor?: string | undefined; readonly client?: string | undefined; readonly idempotency_key?: string | undefined; readonly currency?: string | undefined; readonly min_amount?: string | undefined; readonly max_amount?: string | undefined; readonly verdict?: string | undefined; readonly min_score?: number | undefined; readonly max_score?: number | undefined; readonly reason?: string | undefined; readonly reason_match?: 'any' | 'all' | undefined; readonly rule_set?: 'default@2' | 'default@1' | undefined; readonly model?: string | undefined; readonly label?: 'fraud' | 'legitimate' | 'none' | undefined; readonly degradation?: number | undefined; readonly from?: string | undefined; readonly to?: string | undefined; readonly received_from?: string | undefined; readonly received_to?: string | undefined; readonly scored_from?: string | undefined; readonly scored_to?: string | undefined; readonly status?: 'accepted' | 'scored' | 'dead_lettered' | undefined; readonly format?: 'csv' | 'ndjson' | 'parquet' | undefined; readonly order?: 'desc' | 'asc' | undefined; readonly after?: string | undefined } }; readonly answer: undefined };
  readonly 'GET /v1/dead-letters': { readonly call: { readonly query?: { readonly corridor?: string | undefined; readonly error_code?: string | undefined; readonly active?: boolean | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined } }; readonly answer: { readonly items: readonly DeadLetter[]; readonly next_cursor: string | null; } };
  readonly 'GET /v1/dead-letters/groups': { readonly call: {  }; readonly answer: { readonly items: readonly DeadLetterGroup[]; } };
  readonly 'GET /v1/dead-letters/{id}': { readonly call: { readonly path: { readonly id: string } }; readonly answer: DeadLetterWithEntry };
  readonly 'POST /v1/dead-letters/replay': { readonly call: { readonly body: DeadLetterCommand }; readonly answer: ReplayResult };
  readonly 'POST /v1/dead-letters/{id}/replay': { readonly call: { readonly path: { readonly id: string } }; readonly answer: ReplayOneResult };
  readonly 'POST /v1/dead-letters/purge': { readonly call: { readonly body: DeadLetterCommand }; readonly answer: PurgeResult };
  readonly 'GET /v1/transactions/{id}': { readonly call: { readonly path: { readonly id: string }; readonly query?: { readonly expand?: string | undefined } }; readonly answer: TransactionDetail };
  readonly 'GET /v1/scores': { readonly call: { readonly query?: { readonly account_id?: string | undefined; readonly merchant_id?: string | undefined; readonly device_id?: string | undefined; readonly ip?: string | undefined; readonly corridor?: string | undefined; readonly client?: string | undefined; readonly idempotency_key?: string | undefined; readonly currency?: string | undefined; readonly min_amount?: string | undefined; readonly max_amount?: string | undefined; readonly verdict?: string | undefined; readonly min_score?: number | undefined; readonly max_score?: number | undefined; readonly reason?: string | undefined; readonly reason_match?: 'any' | 'all' | undefined; readonly rule_set?: 'default@2' | 'default@1' | undefined; readonly model?: string | undefined; readonly label?: 'fraud' | 'legitimate' | 'none' | undefined; readonly degradation?: number | undefined; readonly from?: string | undefined; readonly to?: string | undefined; readonly received_from?: string | undefined; readonly received_to?: string | undefined; readonly scored_from?: string | undefined; readonly scored_to?: string | undefined; readonly sort?: 'created_at' | 'score' | 'amount' | undefined; readonly order?: 'desc' | 'asc' | undefined; readonly total?: boolean | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined } }; readonly answer: { readonly items: readonly FoundScore[]; readonly next_cursor: string | null; readonly detached_months?: readonly string[] | undefined; readonly complete: boolean; readonly searched_to: string | null; readonly searched_to_score?: number | undefined; readonly total?: { readonly count: number; readonly more: boolean; } | undefined; } };
  readonly 'GET /v1/scores/{id}': { readonly call: { readonly path: { readonly id: string } }; readonly answer: Score | PendingScore };
  readonly 'GET /v1/scores/{id}/explanation': { readonly call: { readonly path: { readonly id: string }; readonly query?: { readonly method?: 'path' | 'shapley' | undefined } }; readonly answer: Explanation };
  readonly 'GET /v1/scores/{id}/habit': { readonly call: { readonly path: { readonly id: string } }; readonly answer: Habit };
  readonly 'POST /v1/transactions/{id}/what-if': { readonly call: { readonly path: { readonly id: string }; readonly body: TransactionChanges }; readonly answer: WhatIf };
  readonly 'POST /v1/evaluate': { readonly call: { readonly query?: { readonly method?: 'path' | 'shapley' | undefined; readonly model?: string | undefined }; readonly body: TransactionInput }; readonly answer: Evaluation };
  readonly 'GET /v1/accounts/{id}/profile': { readonly call: { readonly path: { readonly id: string }; readonly query?: { readonly at?: string | undefined } }; readonly answer: AccountProfile };
  readonly 'GET /v1/merchants/{id}/profile': { readonly call: { readonly path: { readonly id: string }; readonly query?: { readonly at?: string | undefined } }; readonly answer: MerchantProfile };
  readonly 'GET /v1/devices/{id}/profile': { readonly call: { readonly path: { readonly id: string }; readonly query?: { readonly at?: string | undefined } }; readonly answer: DeviceProfile };
  readonly 'GET /v1/summaries/daily': { readonly call: { readonly query?: { readonly group_by?: string | undefined; readonly corridor?: string | undefined; readonly verdict?: 'approve' | 'review' | 'decline' | undefined; readonly currency?: string | undefined; readonly rule_set?: 'default@2' | 'default@1' | undefined; readonly rule?: string | undefined; readonly model?: string | undefined; readonly label?: 'fraud' | 'legitimate' | undefined; readonly from?: string | undefined; readonly to?: string | undefined } }; readonly answer: { readonly counted_at: string; readonly items: readonly DailySummary[]; } };
  readonly 'GET /v1/corridors': { readonly call: {  }; readonly answer: { readonly items: readonly Corridor[]; } };
  readonly 'GET /v1/reason-codes': { readonly call: {  }; readonly answer: { readonly items: readonly ReasonCode[]; } };
  readonly 'GET /v1/features': { readonly call: {  }; readonly answer: { readonly items: readonly Feature[]; } };
  readonly 'GET /v1/rule-sets': { readonly call: {  }; readonly answer: { readonly items: readonly RuleSet[]; } };
  readonly 'GET /v1/rules/outcomes': { readonly call: { readonly query?: { readonly days?: '1' | '7' | '28' | undefined } }; readonly answer: RuleOutcomes };
  readonly 'GET /v1/models/watch': { readonly call: { readonly query?: { readonly at?: string | undefined; readonly model?: string | undefined } }; readonly answer: { readonly items: readonly WatchReport[]; } };
  readonly 'GET /v1/models/{id}/comparison': { readonly call: { readonly path: { readonly id: string }; readonly query?: { readonly days?: '1' | '7' | '28' | undefined } }; readonly answer: ShadowComparison };
  readonly 'GET /v1/models': { readonly call: { readonly query?: { readonly cursor?: string | undefined } }; readonly answer: { readonly items: readonly Model[]; readonly next_cursor: string | null; } };
  readonly 'GET /v1/models/{id}': { readonly call: { readonly path: { readonly id: string } }; readonly answer: ModelDetail };
  readonly 'POST /v1/models/{id}/proposals': { readonly call: { readonly path: { readonly id: string }; readonly body: NewModelProposal }; readonly answer: ModelProposal };
  readonly 'POST /v1/models/{id}/emergency': { readonly call: { readonly path: { readonly id: string }; readonly body: NewModelEmergency }; readonly answer: ModelEmergency };
  readonly 'POST /v1/models/proposals/{id}/approve': { readonly call: { readonly path: { readonly id: string } }; readonly answer: DecidedRollouts };
  readonly 'POST /v1/models/rollback': { readonly call: { readonly body: NewModelRollback }; readonly answer: DecidedRollouts };
  readonly 'POST /v1/keys': { readonly call: { readonly body: NewKey }; readonly answer: MintedKey };
  readonly 'GET /v1/keys': { readonly call: { readonly query?: { readonly cursor?: string | undefined } }; readonly answer: { readonly items: readonly Key[]; readonly next_cursor: string | null; } };
  readonly 'POST /v1/keys/{id}/confirm': { readonly call: { readonly path: { readonly id: string } }; readonly answer: Key };
  readonly 'DELETE /v1/keys/{id}': { readonly call: { readonly path: { readonly id: string } }; readonly answer: undefined };
  readonly 'GET /v1/identities': { readonly call: { readonly query?: { readonly cursor?: string | undefined } }; readonly answer: { readonly items: readonly Identity[]; readonly next_cursor: string | null; } };
  readonly 'DELETE /v1/identities/{id}': { readonly call: { readonly path: { readonly id: string } }; readonly answer: undefined };
  readonly 'GET /v1/me': { readonly call: {  }; readonly answer: Me };
  readonly 'GET /v1/sessions': { readonly call: { readonly query?: { readonly cursor?: string | undefined } }; readonly answer: { readonly items: readonly Session[]; readonly next_cursor: string | null; } };
  readonly 'POST /v1/sessions': { readonly call: {  }; readonly answer: Session };
  readonly 'POST /v1/sessions/links': { readonly call: {  }; readonly answer: LoginLink };
  readonly 'DELETE /v1/sessions/{id}': { readonly call: { readonly path: { readonly id: string } }; readonly answer: undefined };
  readonly 'GET /v1/audit': { readonly call: { readonly query?: { readonly who?: string | undefined; readonly action?: 'key.create' | 'key.confirm' | 'key.revoke' | 'identity.create' | 'identity.revoke' | 'session.create' | 'session.end' | 'login-link.create' | 'model.register' | 'rollout.propose' | 'rollout.approve' | 'rollout.emergency' | 'rollout.rollback' | 'dead-letters.replay' | 'dead-letters.purge' | 'dead-letters.close' | 'month.create' | 'month.detach' | 'month.attach' | 'month.drop' | 'case.open' | 'case.dispute' | 'case.claim' | 'case.release' | 'case.assign' | 'case.escalate' | 'case.note' | 'case.attach' | 'case.decide' | 'case.confirm' | 'case.return' | 'case.undo' | 'case.close' | 'case.policy' | 'rates.import' | 'webhook.create' | 'webhook.change' | 'webhook.rotate' | 'webhook.delete' | 'webhook.disable' | 'webhook.test' | 'webhook.redeliver' | 'export.begin' | 'export.end' | undefined; readonly limit?: number | undefined; readonly cursor?: string | undefined } }; readonly answer: { readonly items: readonly AuditEntry[]; readonly next_cursor: string | null; } };
  readonly 'GET /openapi.json': { readonly call: {  }; readonly answer: { readonly openapi: string; } };
};
