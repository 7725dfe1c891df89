/** Compares events with what the document says of their type. */
import type { Event } from '../../../../src/core/events.ts';
import { documentOfRoutes, openApiOf } from '../../openapi.ts';

const openApi = openApiOf(await documentOfRoutes());

/** The body in which an event is sent. */
export const bodyOf = ({ type, at, data }: Event) =>
  JSON.parse(JSON.stringify({ type, timestamp: at, data }));

type Body = { readonly type: string; readonly timestamp: string; readonly data: object };

/** Faults of a body; none where one of the schemas of its type takes the body. */
export function faultsOf(body: Body): unknown {
  const named = Object.entries(openApi.document.webhooks).filter(
    ([name]) => name.split(': ')[0] === body.type,
  );
  const faults = named.map(([, { post }]) => {
    const validate = openApi.validator(
      post?.requestBody?.content['application/json']?.schema ?? {},
    );
    return validate(body) ? [] : validate.errors;
  });
  return faults.find((found) => found?.length === 0) ?? faults;
}
