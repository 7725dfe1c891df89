/** The bytes of a score that were hashed: a head, then the values in the order of their names, as Postgres sends them in binary. */
export type Fields = Readonly<Record<string, unknown>>;
/** How JSON writes such values, and how Postgres does. */
type Type = readonly [json: RegExp, write: (value: unknown) => Buffer];

const numberOf =
  (bytes: number, put: (made: Buffer, value: number) => void) => (value: unknown) => {
    const made = Buffer.alloc(bytes);
    put(made, Number(value));
    return made;
  };
/** From 1970 to 2000, from where Postgres counts microseconds. */
const EPOCH_MS = 946_684_800_000;
const micros = numberOf(8, (made, ms) => made.writeBigInt64BE(BigInt(ms - EPOCH_MS) * 1000n));
const hex = (value: unknown) => Buffer.from(String(value).replaceAll('-', ''), 'hex');
const TEXT: Type = [/^"/, (value) => Buffer.from(String(value))];
const INT2: Type = [/^-?\d+$/, numberOf(2, (made, value) => made.writeInt16BE(value))];
const INT4: Type = [/^-?\d+$/, numberOf(4, (made, value) => made.writeInt32BE(value))];
const FLOAT8: Type = [/^-?\d/, numberOf(8, (made, value) => made.writeDoubleBE(value))];
const BYTEA: Type = [/^"([0-9a-f]{2})*"$/, hex];
const UUID: Type = [/^"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"$/, hex];
const TIME: Type = [/^"\d{4}-.*\.\d{3}Z"$/, (value) => micros(Date.parse(String(value)))];
const TYPES: Readonly<Record<string, Type>> = {
  ...{ account_id: TEXT, attempts: INT2, corridor: TEXT, degradation: INT2, feature_schema: INT2 },
  ...{ features: BYTEA, features_crc32: INT4, id: UUID, model: TEXT, probability: FLOAT8 },
  ...{ reasons: TEXT, risk: FLOAT8, rule_inputs: TEXT, rule_set: TEXT, score: INT2 },
  ...{ scored_at: TIME, verdict: TEXT },
};
/** Names and types of each version of the content. */
const VERSIONS: ReadonlyMap<unknown, Readonly<Record<string, Type>>> = new Map([
  [2, TYPES],
  [3, { ...TYPES, margin: FLOAT8, scorecard: INT2, by_rules: INT2 }],
]);

const byName = ([left]: [string, Type], [right]: [string, Type]) => (left < right ? -1 : 1);

/** @param json the content @throws Error where the content has other members, or is not canonical */
export function scoreBytes(json: string): Buffer {
  const content = JSON.parse(json) as Fields;
  const { v: version } = content;
  const types = VERSIONS.get(version);
  if (types === undefined) throw new Error('the score has no version that this program knows');
  const names = [...Object.keys(types), 'kind', 'v'].sort();
  const canonical = JSON.stringify(Object.fromEntries(names.map((name) => [name, content[name]])));
  // The bytes are those of U+FFFD for half a surrogate, and of 2 March for 30 February.
  const { scored_at: at } = content;
  const isText = Object.values(content).every((one) => String(one).isWellFormed());
  const isExact = isText && new Date(String(at)).toJSON() === at;
  if (!isExact || canonical !== json || content['kind'] !== 'score')
    throw new Error('the score is not written in canonical JSON');
  const parts = Object.entries(types)
    .sort(byName)
    .map(([name, [shape, write]]) => {
      const value = content[name];
      const length = Buffer.alloc(4, 255);
      if (value === null) return length;
      if (!shape.test(JSON.stringify(value))) throw new Error(`the score has no such ${name}`);
      const bytes = write(value);
      length.writeInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    });
  return Buffer.concat([Buffer.from(`score/${version}\n`), ...parts]);
}
