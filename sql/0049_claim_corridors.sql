-- Lets the role of a market claim a corridor that no market has, without a right to write `shared`. Makes a function, and
-- locks nothing.

create or replace function shared.claim_corridor(asked text, claimant text) returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  begin
    if not exists (select from pg_namespace where nspname = claimant and pg_has_role(session_user, nspowner, 'usage')) then
      raise exception 'the role % does not own the market %', session_user, claimant using errcode = 'insufficient_privilege';
    end if;
    insert into shared.corridors as c (corridor, market) values (asked, claimant)
        on conflict (corridor) do update set market = excluded.market
           where c.market is null or not exists (select from pg_namespace where nspname = c.market);
    return (select market from shared.corridors where corridor = asked);
  end $$;
comment on function shared.claim_corridor is
  'Gives a corridor that no market has to a market whose schema the caller owns. Returns the market that has it afterwards.';
revoke all on function shared.claim_corridor from public;
