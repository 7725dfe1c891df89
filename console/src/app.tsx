/** Login or pages, and which page a path opens. */
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Route, Router, Switch, useLocation } from 'wouter';
import type { Me } from '../../src/kit/client/api-types.ts';
import { Refusal } from './api/ask.ts';
import { ME, sees, useMe } from './api/me.ts';
import { Page } from './parts/page.tsx';
import { Empty, Loading, Trouble } from './parts/states.tsx';
import { KeysPage } from './rooms/access/keys.tsx';
import { LoginPage } from './rooms/access/login.tsx';
import { AuditPage } from './rooms/audit/audit.tsx';
import { BacktestPage } from './rooms/backtest/backtest.tsx';
import { BacktestsPage } from './rooms/backtest/backtests.tsx';
import { StoppedBanner } from './rooms/corridors/banner.tsx';
import { ControlsPage } from './rooms/corridors/controls.tsx';
import { CorridorPage } from './rooms/corridors/corridor.tsx';
import { DeadLettersPage } from './rooms/dead-letters/dead-letters.tsx';
import { ListPage } from './rooms/lists/entries.tsx';
import { ListsPage } from './rooms/lists/page.tsx';
import { ModelPage } from './rooms/models/model.tsx';
import { ModelsPage } from './rooms/models/models.tsx';
import { ScorecardsPage } from './rooms/models/scorecards.tsx';
import { PersonalPage } from './rooms/privacy/personal.tsx';
import { CasePage } from './rooms/review/case.tsx';
import { QueuePage } from './rooms/review/queue.tsx';
import { ToConfirmCount } from './rooms/review/second-person.tsx';
import { WorkloadPage } from './rooms/review/workload/workload.tsx';
import { RuleSetPage } from './rooms/rules/rule-set.tsx';
import { RulesPage } from './rooms/rules/rules.tsx';
import { AccountPage, DevicePage, MerchantPage } from './rooms/search/party.tsx';
import { TransactionPage } from './rooms/search/transaction.tsx';
import { TransactionsPage } from './rooms/search/transactions.tsx';
import { CorridorsPage } from './rooms/status/corridors.tsx';
import { OverviewPage } from './rooms/status/overview.tsx';
import { WorkersPage } from './rooms/status/workers.tsx';
import { WebhookPage } from './rooms/webhooks/webhook.tsx';
import { WebhooksPage } from './rooms/webhooks/webhooks.tsx';
import { PAGES } from './shell/pages.ts';
import { Shell } from './shell/shell.tsx';

const TRIES = 2;
const isRefused = (error: Error) => error instanceof Refusal && error.status < 500;

/** The id at the end of the address, which may hold any character. */
function lastSegment(): string {
  const segment = location.pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A session that has ended shows the login again. */
function noteEnd(error: Error): void {
  if (error instanceof Refusal && error.status === 401) client.setQueryData(ME, null);
}

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noteEnd }),
  mutationCache: new MutationCache({ onError: noteEnd }),
  defaultOptions: {
    queries: { retry: (failures, error) => !isRefused(error) && failures < TRIES, staleTime: 5000 },
  },
});

export function App() {
  return (
    <QueryClientProvider client={client}>
      <Router base="/console">
        <Gate />
      </Router>
    </QueryClientProvider>
  );
}

function Gate() {
  const me = useMe();
  if (me.data) return <Pages me={me.data} />;
  const isOut = me.data === null || (me.error instanceof Refusal && me.error.status === 401);
  if (isOut) return <LoginPage />;
  if (me.error !== null) return <Trouble error={me.error} retry={() => void me.refetch()} />;
  return (
    <div className="shell">
      <div className="side">
        <strong>Risk engine</strong>
      </div>
      <main id="page">
        <Loading what="the console" />
      </main>
    </div>
  );
}

const CONTROLS = '/controls';

function Pages({ me }: { readonly me: Me }) {
  const [path, go] = useLocation();
  const first = PAGES.find(({ roles }) => sees(me, ...roles))?.path ?? '/keys';
  const isSeen = sees(me, ...(PAGES[0]?.roles ?? []));
  useEffect(() => {
    if (path === '/' && !isSeen) go(first, { replace: true });
  }, [path, isSeen, first, go]);
  return (
    <Shell me={me} marks={{ '/review': <ToConfirmCount me={me} /> }}>
      {path !== CONTROLS && sees(me, 'analyst', 'operator', 'risk_officer') ? (
        <StoppedBanner />
      ) : null}
      <Switch>
        <Route path="/">{() => <OverviewPage me={me} />}</Route>
        <Route path="/transactions" component={TransactionsPage} />
        <Route path="/transactions/:id">
          {() => <TransactionPage key={lastSegment()} id={lastSegment()} />}
        </Route>
        <Route path="/accounts/:id">
          {() => <AccountPage key={lastSegment()} id={lastSegment()} />}
        </Route>
        <Route path="/merchants/:id">
          {() => <MerchantPage key={lastSegment()} id={lastSegment()} />}
        </Route>
        <Route path="/devices/:id">
          {() => <DevicePage key={lastSegment()} id={lastSegment()} />}
        </Route>
        <Route path="/review">{() => <QueuePage me={me} />}</Route>
        <Route path="/review/:id">
          {() => <CasePage key={lastSegment()} id={lastSegment()} me={me} />}
        </Route>
        <Route path="/workload">{() => <WorkloadPage me={me} />}</Route>
        <Route path="/dead-letters" component={DeadLettersPage} />
        <Route path="/workers">{() => <WorkersPage />}</Route>
        <Route path="/corridors">{() => <CorridorsPage me={me} />}</Route>
        <Route path="/corridors/:id">
          {() => <CorridorPage key={lastSegment()} id={lastSegment()} me={me} />}
        </Route>
        <Route path={CONTROLS}>{() => <ControlsPage me={me} />}</Route>
        <Route path="/webhooks">{() => <WebhooksPage me={me} />}</Route>
        <Route path="/webhooks/:id">
          {() => <WebhookPage key={lastSegment()} id={lastSegment()} me={me} />}
        </Route>
        <Route path="/rules" component={RulesPage} />
        <Route path="/rules/:id">
          {() => <RuleSetPage key={lastSegment()} id={lastSegment()} me={me} />}
        </Route>
        <Route path="/backtests" component={BacktestsPage} />
        <Route path="/backtests/:id">
          {() => <BacktestPage key={lastSegment()} id={lastSegment()} />}
        </Route>
        <Route path="/lists" component={ListsPage} />
        <Route path="/lists/:id">
          {() => <ListPage key={lastSegment()} name={lastSegment()} me={me} />}
        </Route>
        <Route path="/models" component={ModelsPage} />
        <Route path="/models/:id">
          {() => <ModelPage key={lastSegment()} id={lastSegment()} me={me} />}
        </Route>
        <Route path="/scorecards">{() => <ScorecardsPage me={me} />}</Route>
        <Route path="/scorecards/:day">
          {() => <ScorecardsPage day={lastSegment()} me={me} />}
        </Route>
        <Route path="/audit" component={AuditPage} />
        <Route path="/personal">{() => <PersonalPage me={me} />}</Route>
        <Route path="/keys">{() => <KeysPage me={me} />}</Route>
        <Route>
          <Page title="There is no such page">
            <Empty title="Nothing is at this address">The navigation has the pages.</Empty>
          </Page>
        </Route>
      </Switch>
    </Shell>
  );
}
