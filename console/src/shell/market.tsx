/**
 * The market that the console shows, where the API serves several. A browser sends no header with a stream of events, so a cookie
 * names the market; `/console?market=market_1` sets it, also where nobody is logged in.
 */
import { useQuery } from '@tanstack/react-query';

const ADDRESS = new URL(location.href);
const asked = ADDRESS.searchParams.get('market');
if (asked !== null && /^[a-z0-9_]+$/.test(asked)) {
  // The cookie of a session lasts as long. Lax: a login by a provider comes back from another site.
  const hours = 12;
  // biome-ignore lint/suspicious/noDocumentCookie: cookieStore answers later, after the first request was sent
  document.cookie = `risk-market=${asked}; Path=/; SameSite=Lax; Max-Age=${hours * 60 * 60}`;
  ADDRESS.searchParams.delete('market');
  history.replaceState(null, '', ADDRESS);
}

/** The markets of the API, the one that answers without a choice first; none where it serves one. */
async function readMarkets(): Promise<string[]> {
  const answer = await fetch('/readyz');
  const { markets = {} } = await answer.json();
  return Object.keys(markets);
}

/** Another market asks for a key of its own. */
export function MarketChoice() {
  const { data: markets = [] } = useQuery({
    queryKey: ['markets'],
    queryFn: readMarkets,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (markets.length < 2) return null;
  const kept = /(?:^|;) *risk-market=([a-z0-9_]+)/.exec(document.cookie)?.[1] ?? '';
  return (
    <label>
      <span>Market</span>
      <select
        value={markets.includes(kept) ? kept : markets[0]}
        onChange={({ target }) => location.assign(`/console?market=${target.value}`)}
      >
        {markets.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </label>
  );
}
