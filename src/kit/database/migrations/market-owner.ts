/**
 * The owner of a market's objects: the role that owns the market's schema. Where each market has a role of its own, an owner
 * role migrates, so each migration hands over what it makes, in the transaction that makes it.
 */
import type pg from 'pg';

type Client = Pick<pg.Client, 'query'>;

/** Statements that give objects of a schema to a role, an object each; the sequence of a column follows its table. */
const FOREIGN = `
  with gets as (select oid, rolname from pg_roles where rolname = $2),
       source as (select oid from pg_namespace where nspname = $1)
  select format('alter %s %s owner to %I',
                case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table' end,
                c.oid::regclass, rolname) as statement
    from pg_class c, gets, source
   where relnamespace = source.oid and relkind in ('r', 'p', 'v', 'm', 'S') and relowner <> gets.oid
     and ($3::text is null or pg_get_userbyid(relowner) = $3)
     and not (relkind = 'S' and exists (select from pg_depend d
                where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
                  and d.refclassid = 'pg_class'::regclass))
  union all
  select format('alter routine %s owner to %I', p.oid::regprocedure, rolname)
    from pg_proc p, gets, source
   where pronamespace = source.oid and proowner <> gets.oid and ($3::text is null or pg_get_userbyid(proowner) = $3)`;

/** @param from the owner of what is listed; null: any but the role itself */
export async function listForeign(
  client: Client,
  market: string,
  owner: string,
  from: string | null = null,
): Promise<string[]> {
  const { rows } = await client.query<{ statement: string }>(FOREIGN, [market, owner, from]);
  return rows.map(({ statement }) => statement);
}

type Owner = { readonly owner: string; readonly me: string; readonly isOurs: boolean };
const OWNER = `select pg_get_userbyid(nspowner) as owner, current_user::text as me,
                      pg_has_role(nspowner, 'usage') as "isOurs" from pg_namespace where nspname = $1`;

/** Undefined where there is no such schema. */
export async function ownerOf(client: Client, schema: string): Promise<Owner | undefined> {
  return (await client.query<Owner>(OWNER, [schema])).rows[0];
}

/** Gives what this role has made in the schema to the schema's owner, where it may. */
export async function giveToOwner(client: Client, market: string): Promise<void> {
  const known = await ownerOf(client, market);
  if (known?.isOurs !== true) return;
  const statements = await listForeign(client, market, known.owner, known.me);
  for (const statement of statements) await client.query(statement);
}
