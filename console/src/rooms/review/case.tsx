/** A case, side by side: what the engine knows, and what a person decides. */
import { useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'wouter';
import type { Me, ReviewCaseDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { sees } from '../../api/me.ts';
import { words } from '../../format.ts';
import { Page, Part } from '../../parts/page.tsx';
import { Badge, Id } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { Block, partiesOf } from '../lists/block.tsx';
import { Explained } from '../search/explanation.tsx';
import { CaseFacts } from './case-facts.tsx';
import { useCase } from './cases.ts';
import { Decision } from './decision.tsx';
import { History } from './history.tsx';
import { PriorityMark, StateMark, TimeLeft } from './marks.tsx';
import { nextFilterOf, useNextCase } from './next-case.ts';
import { NextNotice } from './next-notice.tsx';
import { Notes } from './notes.tsx';
import { UndoBar } from './undo-bar.tsx';

export function CasePage({ id, me }: { readonly id: string; readonly me: Me }) {
  const query = useCase(id);
  const next = useNextCase(me);
  const [search] = useSearchParams();
  const takeNext = () => {
    next.take(nextFilterOf(search));
  };
  useShortcuts({ n: takeNext });
  const one = query.data ?? undefined;
  return (
    <Page
      title="Case"
      aside={
        one === undefined ? undefined : (
          <>
            <PriorityMark priority={one.priority} />
            {one.state === 'open' || one.state === 'claimed' || one.state === 'confirming' ? (
              <TimeLeft due={one.due_at} />
            ) : null}
            <StateMark one={one} />
            <Block parties={partiesOf(one)} />
            <Id id={id} chars={13} />
          </>
        )
      }
    >
      <NextNotice next={next}>
        <span>Nothing else waits that you may take.</span>
        <Link href="/review">Go to the queue</Link>
      </NextNotice>
      <Found query={query} what="the case">
        {(found) =>
          found === null ? (
            <Empty title="This transaction has no case">
              <Link href="/review">Go to the queue</Link>
            </Empty>
          ) : (
            <Sides one={found} me={me} onNext={takeNext} />
          )
        }
      </Found>
      <UndoBar isNextAsked={next.isPending} onNext={takeNext} />
    </Page>
  );
}

type SidesProps = {
  readonly one: ReviewCaseDetail;
  readonly me: Me;
  readonly onNext: () => void;
};

function Sides({ one, me, onNext }: SidesProps) {
  const mayExplain = sees(me, 'analyst');
  return (
    <div className="case">
      <div className="case-facts">
        <CaseFacts one={one} isLinked={mayExplain} />
      </div>
      <div className="case-decision">
        <Decision one={one} me={me} onNext={onNext} />
        <Notes one={one} />
        <History one={one} />
      </div>
      <div className="case-known">
        {mayExplain ? <Known id={one.transaction_id} /> : <Reasons one={one} />}
      </div>
    </div>
  );
}

/** The transaction as the engine saw it, as on the page of the transaction. */
function Known({ id }: { readonly id: string }) {
  const query = useQuery({
    queryKey: ['transaction', id],
    queryFn: ({ signal }) =>
      ask('GET /v1/transactions/{id}', { path: { id }, query: { expand: 'labels' } }, signal),
  });
  return (
    <Found query={query} what="the transaction">
      {(found) =>
        found.status === 'scored' ? (
          <Explained transaction={found} />
        ) : (
          <Empty title="It has no score">The case was opened without one.</Empty>
        )
      }
    </Found>
  );
}

/** For a role that may not read explanations. */
function Reasons({ one: { score, reasons } }: { readonly one: ReviewCaseDetail }) {
  return (
    <Part
      title="Why"
      aside={
        score === null ? null : (
          <span>
            Score <strong>{score}</strong> of 1000
          </span>
        )
      }
    >
      {reasons.length === 0 ? (
        <Empty title="No reason">No rule fired, and no model saw a risk.</Empty>
      ) : (
        <p className="row">
          {reasons.map((code) => (
            <Badge key={code} level="unknown">
              {words(code)}
            </Badge>
          ))}
        </p>
      )}
      <p className="muted small">The explanation and the transaction take the role analyst.</p>
    </Part>
  );
}
