/**
 * One sequence of interleaved transactions on both sides: single statements, and now and then one that is held open, committed or rolled
 * back, while others go on or must wait for it. Returns what differed first, or null.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Pool, PoolClient } from 'pg';
import { Random } from '../random.ts';
import { ModelSide } from './model-side.ts';
import { createPostgresStores } from './postgres-side.ts';
import { drawOperation, type Names, perform, type StoreOperation } from './store-operation.ts';
import { readModel, readPostgres } from './table-contents.ts';

export type Lanes = { pool: Pool; holder: PoolClient; others: readonly PoolClient[] };

const OPERATIONS = 14;
/** Longer than any statement that nothing stands in the way of. */
const STUCK_MS = 5_000;

class Difference extends Error {}

export async function runSequence(lanes: Lanes, seed: number): Promise<string | null> {
  const sequence = new Sequence(lanes, seed);
  try {
    await sequence.run();
    return null;
  } catch (error) {
    const what =
      error instanceof Difference ? error.message : `PostgreSQL refused what the model does not: ${String(error)}`;
    return `sequence ${seed}: ${what}\n${sequence.said.join('\n')}`;
  }
}

class Sequence {
  readonly #lanes: Lanes;
  readonly #random: Random;
  readonly #prefix = randomUUID().slice(0, 8);
  /** By number: the id in PostgreSQL and in the model. */
  readonly #sessions: { postgres: string; model: string }[] = [];
  readonly #credentials = { postgres: 0, model: 0 };
  readonly #model: ModelSide;
  readonly said: string[] = [];
  readonly #modelIds = new Map<StoreOperation, string>();

  constructor(lanes: Lanes, seed: number) {
    this.#lanes = lanes;
    this.#random = new Random(seed);
    this.#model = new ModelSide(this.#toNames('model'), (operation) => this.#toModelId(operation));
  }

  async run(): Promise<void> {
    const { pool } = this.#lanes;
    const names = this.#toNames('postgres');
    await pool.query(`insert into hosts (host_id, runtime) values ($1, 'fake'), ($2, 'fake')`, [
      names.host(0),
      names.host(1),
    ]);
    for (let count = 0; count < OPERATIONS;)
      count += await (this.#random.chance(0.4) ? this.#holdOne() : this.#doOne());
    const order = this.#sessions.map(({ postgres }) => postgres);
    const found = await readPostgres(
      pool,
      order,
      [0, 1, 2].map((number) => names.vm(number)),
    );
    const expected = readModel(
      this.#model.database,
      this.#sessions.map(({ model }) => model),
    );
    for (const table of ['sessions', 'vms', 'credentials', 'events'] as const)
      this.#compare(`the table of ${table}`, found[table], expected[table]);
  }

  async #doOne(): Promise<number> {
    const operation = drawOperation(this.#random);
    this.said.push(JSON.stringify(operation));
    const prediction = await this.#model.predict(operation);
    const [other] = this.#lanes.others;
    if (prediction.kind === 'waits' || other === undefined)
      throw new Difference('nothing is held, and the model waits');
    this.#settle(operation, await this.#onPostgres(operation, other), prediction.result);
    return 1;
  }

  async #holdOne(): Promise<number> {
    const { holder, others } = this.#lanes;
    const held = this.#drawHeld();
    const how = this.#random.chance(0.7) ? 'commit' : 'rollback';
    this.said.push(`begin; ${JSON.stringify(held)}`);
    const { result: expected, isRefused } = await this.#model.hold(held);
    await holder.query('begin');
    const result = await this.#onPostgres(held, holder);
    this.#compare(`the held ${held.kind}`, toComparable(held, result), toComparable(held, expected));
    const waiting: { operation: StoreOperation; promise: Promise<unknown>; isDone: boolean }[] = [];
    for (const client of isRefused ? [] : others) {
      const operation = drawOperation(this.#random);
      if (operation.kind === 'supersede') continue;
      const prediction = await this.#model.predict(operation);
      this.said.push(`  meanwhile, ${prediction.kind}: ${JSON.stringify(operation)}`);
      const promise = this.#onPostgres(operation, client);
      if (prediction.kind === 'result') this.#settle(operation, await promise, prediction.result);
      else {
        const one = { operation, promise, isDone: false };
        const note = (): void => void (one.isDone = true);
        promise.then(note, note);
        waiting.push(one);
        await this.#seeWaiting(client, one);
      }
      // Two that wait for the same may come first in either order.
      if (waiting.length > 0) break;
    }
    if (waiting.some(({ isDone }) => isDone))
      throw new Difference('did not wait for the transaction that is held open');
    this.said.push(how);
    await holder.query(isRefused ? 'rollback' : how);
    const ending = isRefused ? 'rollback' : how;
    if (ending === 'commit' && held.kind === 'create' && typeof result === 'string') this.#know(held, result);
    const results = await this.#model.release(
      ending,
      waiting.map(({ operation }) => operation),
    );
    for (const [index, { operation, promise }] of waiting.entries())
      this.#settle(operation, await promise, results[index]);
    return 1 + waiting.length;
  }

  /** It has taken its snapshot and stands before the lock: what it does afterwards may depend on both. */
  async #seeWaiting(client: PoolClient, one: { isDone: boolean }): Promise<void> {
    const { processID: pid } = client as PoolClient & { processID: number };
    const until = performance.now() + STUCK_MS;
    while (performance.now() < until && !one.isDone) {
      const { rows } = await this.#lanes.pool.query('select from pg_locks where pid = $1 and not granted', [pid]);
      if (rows.length > 0) return;
    }
    throw new Difference('did not wait for the transaction that is held open');
  }

  /** `supersede` and its own transaction cannot be held; a second version's number is asked for again outside of one. */
  #drawHeld(): StoreOperation {
    for (;;) {
      const operation = drawOperation(this.#random);
      if (operation.kind !== 'supersede' && operation.kind !== 'readHandover') return operation;
    }
  }

  async #onPostgres(operation: StoreOperation, client: PoolClient): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const stuck = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Difference(`${operation.kind} waits for something`)), STUCK_MS);
    });
    try {
      return await Promise.race([perform(operation, createPostgresStores(client), this.#toNames('postgres')), stuck]);
    } finally {
      clearTimeout(timer);
    }
  }

  #settle(operation: StoreOperation, result: unknown, expected: unknown): void {
    this.#compare(operation.kind, toComparable(operation, result), toComparable(operation, expected));
    const isNew = operation.kind === 'create' || operation.kind === 'supersede';
    if (isNew && typeof result === 'string') this.#know(operation, result);
  }

  #know(operation: StoreOperation, postgres: string): void {
    this.#sessions.push({ postgres, model: this.#toModelId(operation) });
  }

  #toModelId(operation: StoreOperation): string {
    const id = this.#modelIds.get(operation) ?? `model-${this.#modelIds.size}`;
    this.#modelIds.set(operation, id);
    return id;
  }

  #compare(what: string, found: unknown, expected: unknown): void {
    if (!isDeepStrictEqual(found, expected))
      throw new Difference(`${what}: PostgreSQL ${JSON.stringify(found)}, the model ${JSON.stringify(expected)}`);
  }

  #toNames(side: 'postgres' | 'model'): Names {
    const prefix = this.#prefix;
    return {
      session: (number) => this.#sessions[number]?.[side] ?? '00000000-0000-4000-8000-000000000000',
      user: (number) => `user-${prefix}-${number}`,
      vm: (number) => `vm_${prefix}_${number}`,
      host: (number) => `host_${prefix}_${number}`,
      credential: () => (side === 'postgres' ? randomUUID() : `credential-${(this.#credentials.model += 1)}`),
      handover: (number) => `00000000-0000-4000-8000-00000000000${number}`,
    };
  }
}

/** Ids of new sessions differ; whether there is one is compared. */
function toComparable(operation: StoreOperation, result: unknown): unknown {
  const isNew = operation.kind === 'create' || operation.kind === 'supersede';
  return isNew && typeof result === 'string' ? 'a new session' : (result ?? null);
}
