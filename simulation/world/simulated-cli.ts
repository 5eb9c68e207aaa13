/**
 * The CLI of a simulated VM, with its home: it shows its page, waits for the person, writes its file and ends, as its script says. To the
 * agent's real sign-in it is the world; what it truly wrote goes to the journal.
 */
import { createHash } from 'node:crypto';
import { toHandoverBytes } from '@vestibule/protocol/agent-messages';
import type { ChildExit } from '@vestibule/agent/child';
import type { CredentialReading } from '@vestibule/agent/credential-file';
import { createDeferred } from '@vestibule/agent/deferred';
import type { LoginRun, LoginRunOptions } from '@vestibule/agent/login-run';
import type { SignInWorld } from '@vestibule/agent/sign-in';
import type { CliScript } from '../scenario.ts';
import { CREDENTIAL_PATH } from './login-plan.ts';
import type { SimulatedProcess, SimulatedTime } from './simulated-time.ts';
import type { VmTruth } from './journal.ts';

/** How long a file must stay as it is: the agent's watcher says so. */
const SETTLE_MS = 300;

export type SimulatedCliOptions = {
  time: SimulatedTime;
  vm: SimulatedProcess;
  script: CliScript;
  truth: VmTruth;
  delayMs: () => number;
};

type File = { state: 'absent' } | { state: 'incomplete' } | { state: 'complete'; bytes: Buffer };

export class SimulatedCli implements SignInWorld {
  readonly pace = 1;
  readonly #options: SimulatedCliOptions;
  readonly #exited = createDeferred<ChildExit>();
  #file: File = { state: 'absent' };
  #hash: string | null = null;
  #changedAtMs = 0;
  #hasEnded = false;
  #onSettled: (() => void) | null = null;

  constructor(options: SimulatedCliOptions) {
    this.#options = options;
  }

  readonly startLoginRun = async (options: LoginRunOptions): Promise<LoginRun> => {
    await this.#wait(this.#options.delayMs());
    const { time, vm, script } = this.#options;
    time.after(5, vm, () => {
      if (!this.#hasEnded) options.onUrl({ url: 'https://sign-in.example.test/authorize', from: 'browser_shim' });
    });
    if (script.personMs !== null) time.after(5 + script.personMs, vm, () => this.#signIn());
    return {
      env: {},
      process: {
        exited: this.#exited.promise,
        write: () => !this.#hasEnded,
        writeLine: () => !this.#hasEnded,
        endInput: () => undefined,
        outputEnded: Promise.resolve(),
        stop: () => this.#stop(),
      },
      stopCatching: () => undefined,
      noteOffered: () => undefined,
      recentOutput: () => '',
      findOpenPrompt: () => null,
    };
  };

  readonly readCredentialFiles = async (): Promise<CredentialReading[]> => {
    await this.#wait(this.#options.delayMs());
    const file = this.#file;
    switch (file.state) {
      case 'absent':
        return [{ path: CREDENTIAL_PATH, state: 'absent' }];
      case 'incomplete':
        return [{ path: CREDENTIAL_PATH, state: 'incomplete', problem: 'blank_field', detail: 'token' }];
      case 'complete':
        return [{ path: CREDENTIAL_PATH, state: 'complete', bytes: file.bytes, document: {} }];
    }
  };

  readonly watchCredential: SignInWorld['watchCredential'] = ({ onSettled }) => {
    this.#onSettled = onSettled;
    return { close: () => (this.#onSettled = null) };
  };

  readonly findDoubt = async (): Promise<string | null> => {
    await this.#wait(20 + this.#options.delayMs());
    return this.#options.script.confirm === 'no' ? 'it answered with code 1' : null;
  };

  readonly emptyHome = (): Promise<void> => {
    this.#file = { state: 'absent' };
    return Promise.resolve();
  };

  readonly sleep = (ms: number): Promise<void> => this.#wait(ms);

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#options.time.after(ms, this.#options.vm, resolve));
  }

  #signIn(): void {
    if (this.#hasEnded) return;
    const { time, vm, script } = this.#options;
    if (script.writes === 'partial_first') {
      this.#write({ state: 'incomplete' });
      time.after(40, vm, () => this.#writeWhole());
    } else if (script.writes === 'complete') this.#writeWhole();
    else if (script.writes !== 'nothing') this.#write({ state: 'incomplete' });
    const { exitAfterMs } = script;
    if (exitAfterMs !== null)
      time.after(exitAfterMs + (script.writes === 'partial_first' ? 60 : 0), vm, () =>
        this.#end(script.exitCode, null),
      );
  }

  #writeWhole(): void {
    if (this.#hasEnded) return;
    const bytes = Buffer.from(`{"token":"${this.#options.truth.vmId}"}`);
    const files = [{ path: CREDENTIAL_PATH, contentBase64: bytes.toString('base64') }];
    this.#hash = createHash('sha256').update(toHandoverBytes(files)).digest('hex');
    if (this.#options.script.when === 'files') this.#accept();
    this.#write({ state: 'complete', bytes });
  }

  #write(file: File): void {
    const { time, vm, script } = this.#options;
    this.#file = file;
    this.#changedAtMs = time.nowMs;
    if (file.state !== 'complete') return;
    time.after(SETTLE_MS, vm, () => {
      if (time.nowMs - this.#changedAtMs < SETTLE_MS) return;
      if (script.when === 'files' && !this.#hasEnded) this.#succeed();
      this.#onSettled?.();
    });
  }

  #end(exitCode: number | null, signal: string | null): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (exitCode === 0 && this.#file.state === 'complete') {
      this.#accept();
      this.#succeed();
    }
    this.#exited.resolve({ exitCode, signal });
  }

  /** From now on these bytes may complete the session. */
  #accept(): void {
    const { script, truth } = this.#options;
    if (this.#hash !== null && script.confirm !== 'no') truth.acceptable.add(this.#hash);
  }

  #succeed(): void {
    const { script, truth, time } = this.#options;
    if (script.confirm !== 'no') truth.succeededAtMs ??= time.nowMs;
  }

  #stop(): Promise<void> {
    this.#end(null, 'SIGTERM');
    return Promise.resolve();
  }
}
