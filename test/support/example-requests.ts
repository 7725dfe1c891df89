/** Requests made of nothing but the examples of a document, as `/docs` sends them. */
import type { OpenApi, Parameter } from './openapi.ts';

/** Parameters that go with few others, by operation: each is sent alone. */
const ALONE: Readonly<Record<string, readonly string[]>> = { summarizeDays: ['rule', 'label'] };

/** A request for each type of body, and others with every parameter of the query that has an example. */
export function exampleRequests({ operations }: OpenApi) {
  return operations.flatMap(({ method, path, operation }) => {
    const { parameters = [], requestBody, operationId = '' } = operation;
    const named = parameters
      .filter((one) => one.in === 'path')
      .reduce((text, one) => text.replace(`{${one.name}}`, `${exampleOf(one)}`), path);
    const alone = parameters.filter(({ name }) => ALONE[operationId]?.includes(name));
    const together = parameters.filter((one) => !alone.includes(one));
    const queries = [together, ...alone.map((one) => [one])].map(queryOf);
    const isBare = parameters.every((one) => one.in !== 'query' || one.required !== true);
    const targets = [
      ...(isBare ? [named] : []),
      ...queries.filter(Boolean).map((query) => `${named}?${query}`),
    ];
    const bodies = Object.entries(requestBody?.content ?? { '': { example: undefined } });
    return targets.flatMap((target) =>
      bodies.map(([contentType, { example }]) => ({
        ...{ operationId, method, path: target, contentType },
        body: typeof example === 'string' ? example : JSON.stringify(example),
      })),
    );
  });
}

function exampleOf({ example, schema }: Parameter): unknown {
  return example ?? [schema['example'], schema['examples'], schema['enum']].flat().find(Boolean);
}

function queryOf(parameters: readonly Parameter[]): string {
  const query = new URLSearchParams();
  for (const parameter of parameters.filter((one) => one.in === 'query')) {
    const example = exampleOf(parameter);
    if (example !== undefined) query.append(parameter.name, String(example));
  }
  return query.toString();
}
