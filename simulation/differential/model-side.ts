/**
 * The model's side of a sequence: what each operation must return, and whether it must wait for the transaction that is held open. A
 * transaction that is held is done on the model when it commits: what it has locked, nobody can change meanwhile.
 */
import { ModelDatabase } from '../model/model-database.ts';
import { createModelStores, type ModelStores, type Run } from '../model/model-stores.ts';
import { KEYS, type Names, perform, type StoreOperation } from './store-operation.ts';

export type Prediction = { kind: 'result'; result: unknown } | { kind: 'waits' };
type Held = { operation: StoreOperation; locks: Set<string> };

export class ModelSide {
  readonly database = new ModelDatabase();
  readonly #names: Names;
  readonly #stores: ModelStores;
  #held: Held | null = null;
  #waitsForSlot = new WeakSet<StoreOperation>();
  #isKept = true;
  #locks = new Set<string>();
  #current: StoreOperation | null = null;
  #isRefused = false;

  /** `toSessionId`: of the session that an operation begins. */
  constructor(names: Names, toSessionId: (operation: StoreOperation) => string) {
    this.#names = names;
    this.database.activeKeys.add(KEYS.active);
    const seenAt = new Date();
    for (const host of [0, 1]) {
      const offer = { peerUrl: null, providers: [], maxVms: 0 };
      this.database.setHost(names.host(host), { runtime: 'fake', offer, seenAt });
    }
    this.database.commit();
    const run: Run = async (_name, work) => {
      try {
        const result = this.database.statement(() => work(this.database, new Date()));
        this.#locks = new Set(this.database.locks);
        if (this.#isKept) this.database.commit();
        else this.database.rollback();
        return result;
      } catch (error) {
        this.#locks = new Set(this.database.locks);
        this.#isRefused = true;
        this.database.rollback();
        throw error;
      }
    };
    this.#stores = createModelStores({
      run,
      graceMs: 30_000,
      newSessionId: () => toSessionId(this.#current as StoreOperation),
      onChange: () => undefined,
      onEnded: () => undefined,
    });
  }

  /** It is done in a transaction that stays open. */
  async hold(operation: StoreOperation): Promise<{ result: unknown; isRefused: boolean }> {
    const { result, locks } = await this.#try(operation);
    const isRefused = this.#isRefused;
    // PostgreSQL has aborted a transaction that it refused a statement of: it can only be rolled back.
    this.#held = { operation, locks: isRefused ? new Set() : locks };
    return { result, isRefused };
  }

  /** It is done by somebody else, and committed at once unless it must wait. */
  async predict(operation: StoreOperation): Promise<Prediction> {
    if (this.#held === null) return { kind: 'result', result: await this.#do(operation) };
    const held = this.#held.locks;
    // Skips what is locked (skip locked).
    if (operation.kind === 'place' && held.has(`session ${this.#names.session(operation.session)}`))
      return { kind: 'result', result: false };
    const { locks } = await this.#try(operation);
    const shared = [...locks].filter((lock) => held.has(lock));
    if (shared.length === 0) return { kind: 'result', result: await this.#do(operation) };
    if (shared.every((lock) => lock.startsWith('slot ')) && operation.kind === 'place')
      this.#waitsForSlot.add(operation);
    return { kind: 'waits' };
  }

  /** The held transaction ends; then what waited is done, in its order. Returns their results. */
  async release(how: 'commit' | 'rollback', waiting: readonly StoreOperation[]): Promise<unknown[]> {
    const held = this.#held;
    this.#held = null;
    // What found nothing to change has locked nothing, and changes nothing later.
    if (held !== null && how === 'commit' && held.locks.size > 0) {
      await this.#do(held.operation);
      if (held.operation.kind === 'place') this.#keepSlot(held.operation.vm, held.locks);
    }
    const results: unknown[] = [];
    for (const operation of waiting) {
      const isSameWords = operation.kind === 'appendOnce' && how === 'commit' && held?.operation.kind === 'appendOnce';
      // Its slot was chosen before it had to wait, and is taken now.
      if (how === 'commit' && this.#waitsForSlot.has(operation)) results.push(false);
      // It looked for the same words before it had to wait: two at the very same moment are both noted.
      else if (isSameWords) results.push(await this.#appendAgain(operation));
      else {
        results.push(await this.#do(operation));
        if (how === 'commit' && held?.operation.kind === 'place' && operation.kind === 'end')
          this.#leaveUndoomed(operation);
      }
    }
    return results;
  }

  /** It was chosen when the transaction began, whatever has become free since. */
  #keepSlot(number: number, locks: ReadonlySet<string>): void {
    const vm = this.database.vms.get(this.#names.vm(number));
    const lock = [...locks].find((one) => one.startsWith('slot '));
    if (vm !== undefined && lock !== undefined) this.database.updateVm(vm, { slot: Number(lock.split(' ')[2]) });
    this.database.commit();
  }

  /** The ending does not see the VM that was placed while it waited: the plan destroys one without a time, too. */
  #leaveUndoomed({ session }: Extract<StoreOperation, { kind: 'end' }>): void {
    const vm = this.database.vms.get(this.database.sessions.get(this.#names.session(session))?.vmId ?? '');
    if (vm !== undefined) this.database.updateVm(vm, { destroyAt: null });
    this.database.commit();
  }

  async #do(operation: StoreOperation): Promise<unknown> {
    this.#isKept = true;
    this.#current = operation;
    return perform(operation, this.#stores, this.#names);
  }

  async #try(operation: StoreOperation): Promise<{ result: unknown; locks: Set<string> }> {
    this.#isKept = false;
    this.#locks = new Set();
    this.#isRefused = false;
    this.#current = operation;
    const result = await perform(operation, this.#stores, this.#names);
    return { result, locks: this.#locks };
  }

  #appendAgain(operation: Extract<StoreOperation, { kind: 'appendOnce' }>): Promise<boolean> {
    this.#isKept = true;
    const step = { type: 'cli_exited', actor: 'agent', data: { exitCode: operation.words } } as const;
    return this.#stores.store.append(this.#names.session(operation.session), step, true);
  }
}
