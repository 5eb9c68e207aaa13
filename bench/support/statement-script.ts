/**
 * The statements that the product sends for one completion, recorded, as a script of pgbench: word for word, with an expression or a
 * constant in the place of each parameter. Nobody has to keep the script like the product by hand.
 */
import type { Pool } from 'pg';

type Statement = { text: string; values: readonly unknown[] };
type QueryConfig = { text: string; values?: readonly unknown[] };

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Of the hint for other controllers, which leaves some milliseconds after a completion, for many at once. */
const NOTICE = 'pg_notify';

/** A pool that notes what is sent through `query`. */
export function createRecordingPool(pool: Pool): { pool: Pool; statements: Statement[] } {
  const statements: Statement[] = [];
  const query = (query: string | QueryConfig, values?: readonly unknown[]): unknown => {
    const { text, values: bound = values ?? [] } = typeof query === 'string' ? { text: query } : query;
    if (!text.includes(NOTICE)) statements.push({ text, values: bound });
    return Reflect.apply(pool.query, pool, [query, values]) as unknown;
  };
  return { pool: Object.assign(Object.create(pool) as Pool, { query }), statements };
}

function toConstant(value: unknown): string {
  if (value === null) return 'null';
  if (Buffer.isBuffer(value)) return `'\\x${value.toString('hex')}'::bytea`;
  if (Array.isArray(value)) return `'{${value.map((each) => JSON.stringify(each)).join(',')}}'::text[]`;
  if (typeof value === 'number') return String(value);
  // pgbench takes a colon and a word for a variable, inside quotes too.
  if (typeof value === 'string') return `'${value.replaceAll("'", "''").replaceAll(':', `' || chr(58) || '`)}'`;
  throw new TypeError(`a parameter cannot be written into the script: ${typeof value}`);
}

/** @param numbered SQL in the place of the values that belong to the one session. A UUID not among them is the one that the product drew. */
export function toPgbenchScript(
  statements: readonly Statement[],
  numbered: ReadonlyMap<unknown, string>,
  drawn: string,
): string {
  const toSql = (value: unknown): string =>
    numbered.get(value) ?? (typeof value === 'string' && UUID.test(value) ? drawn : toConstant(value));
  const commands = statements.map(({ text, values }) =>
    text.replaceAll(/\$(\d+)/g, (_, position: string) => `(${toSql(values[Number(position) - 1])})`),
  );
  return ['\\set i :i + 1', '\\set n :first + :client_id * :each + :i', ...commands.map((text) => `${text};`), ''].join(
    '\n',
  );
}
