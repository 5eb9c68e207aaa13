/** The database as controllers reach it: statements take time, connections are cut, commits end unknown, and callers die in between. */
import {
  CommitUnknownError,
  DatabaseUnavailableError,
  SerializationError,
} from '@vestibule/controller/db/database-error';
import { ModelDatabase } from '../model/model-database.ts';
import type { Run, StatementName } from '../model/model-stores.ts';
import type { Random } from '../random.ts';
import type { StatementFault } from '../scenario.ts';
import type { SimulatedProcess, SimulatedTime } from './simulated-time.ts';

/** The moment at which simulated time begins. */
const EPOCH_MS = Date.UTC(2026, 0, 1);
const SLOW_MS = 3_000;

export type SimulatedDatabaseOptions = {
  time: SimulatedTime;
  random: Random;
  faults: readonly StatementFault[];
  /** After each transaction that may have changed rows. */
  onCommit: (statement: StatementName) => void;
  kill: (controller: SimulatedProcess) => void;
  /** A statement fails, or hangs so long: the database is not there for this controller. */
  onDisturbed: (controller: SimulatedProcess, forMs: number) => void;
};

export class SimulatedDatabase {
  readonly tables = new ModelDatabase();
  readonly #options: SimulatedDatabaseOptions;
  readonly #counts = new Map<string, number>();
  readonly #cutUntilMs = new Map<SimulatedProcess, number>();
  #downUntilMs = 0;

  constructor(options: SimulatedDatabaseOptions) {
    this.#options = options;
  }

  get date(): Date {
    return new Date(EPOCH_MS + this.#options.time.nowMs);
  }

  isReachable(controller: SimulatedProcess): boolean {
    return Math.max(this.#downUntilMs, this.#cutUntilMs.get(controller) ?? 0) <= this.#options.time.nowMs;
  }

  cut(controller: SimulatedProcess, forMs: number): void {
    const untilMs = this.#options.time.nowMs + forMs;
    this.#cutUntilMs.set(controller, Math.max(this.#cutUntilMs.get(controller) ?? 0, untilMs));
  }

  goDown(forMs: number): void {
    this.#downUntilMs = Math.max(this.#downUntilMs, this.#options.time.nowMs + forMs);
  }

  /** One transaction at this very moment. */
  transact<T>(statement: StatementName, work: (db: ModelDatabase, now: Date) => T): T {
    try {
      const result = this.tables.statement(() => work(this.tables, this.date));
      this.tables.commit();
      this.#options.onCommit(statement);
      return result;
    } catch (error) {
      this.tables.rollback();
      throw error;
    }
  }

  runFor(controller: SimulatedProcess): Run {
    return (statement, work) =>
      new Promise((resolve, reject) => {
        const effect = this.#findEffect(statement);
        if (effect !== null) this.#options.onDisturbed(controller, effect === 'slow' ? SLOW_MS : 0);
        if (effect === 'dies_before') return this.#options.kill(controller);
        // What was sent is carried out even when its sender is dead.
        this.#later(effect === 'slow' ? SLOW_MS : this.#delayMs(), null, () => {
          if (!this.isReachable(controller))
            return this.#reply(controller, () => reject(new DatabaseUnavailableError('cut')));
          if (effect === 'refused') return this.#reply(controller, () => reject(new SerializationError('conflict')));
          let answer: () => void;
          try {
            const result = this.transact(statement, work);
            answer = () => resolve(result);
          } catch (error) {
            answer = () => reject(error instanceof Error ? error : new Error(String(error)));
          }
          if (effect === 'dies_after') return this.#options.kill(controller);
          this.#later(this.#delayMs(), controller, () => {
            const isLost = effect === 'unknown' || !this.isReachable(controller);
            if (isLost) reject(new CommitUnknownError('lost'));
            else answer();
          });
        });
      });
  }

  #findEffect(statement: StatementName): StatementFault['effect'] | null {
    const { faults } = this.#options;
    if (faults.length === 0) return null;
    const count = (this.#counts.get(statement) ?? 0) + 1;
    this.#counts.set(statement, count);
    return faults.find((fault) => fault.statement === statement && fault.nth === count)?.effect ?? null;
  }

  #reply(controller: SimulatedProcess, answer: () => void): void {
    this.#later(this.#delayMs(), controller, answer);
  }

  /** Most statements are so quick that nothing happens meanwhile: no event is spent on them. */
  #delayMs(): number {
    const { random } = this.#options;
    return random.chance(0.8) ? 0 : random.between(1, 30);
  }

  #later(ms: number, owner: SimulatedProcess | null, run: () => void): void {
    if (ms === 0) run();
    else this.#options.time.after(ms, owner, run);
  }
}
