/**
 * The agent of a `fake` VM: speaks the real agent protocol by a script instead of a CLI. Like the real one it keeps what it has to say and
 * says it again at every new link, closes older links, and never discards a credential.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import {
  controllerMessageSchema,
  LINK_VERSION,
  MAX_LINE_BYTES,
  toHandoverBytes,
  type AgentMessage,
  type ControllerMessage,
  type LoginPlan,
} from '@vestibule/protocol/agent-messages';
import { CAPABILITIES } from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import { toFakeCredential, type FakeCredential } from './fake-credential.ts';
import { appendToJournal } from './fake-journal.ts';
import type { FakeMoment, FakeScript } from './fake-script.ts';

export const FAKE_BUILD_ID = 'fake';

type Told = Exclude<AgentMessage, { type: 'hello' | 'settled' | 'answer_delivered' | 'answer_refused' }>;
type Claim = Extract<ControllerMessage, { type: 'claim' }>;

export type FakeAgentOptions = {
  vmId: string;
  script: FakeScript;
  /** Called at each moment of the script; false when the agent must not go on. */
  reach: (moment: FakeMoment) => boolean;
  onShutdown: () => void;
  onRelease: () => void;
  onSignedIn: () => void;
};

export class FakeAgent {
  readonly #options: FakeAgentOptions;
  readonly #bootNonce = randomUUID();
  readonly #bootedAt = performance.now();
  readonly #links = new Set<Duplex>();
  readonly #told = new Map<string, Told>();
  readonly #answered = new Set<string>();
  #present: Duplex | null = null;
  #epoch = 0;
  #plan: LoginPlan | null = null;
  #signedIn = false;
  #isFrozen = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: FakeAgentOptions) {
    this.#options = options;
  }

  accept(link: Duplex): void {
    this.#links.add(link);
    let text = '';
    link.setEncoding('utf8');
    link.on('error', () => link.destroy());
    link.once('close', () => this.#links.delete(link));
    link.on('end', () => link.destroy());
    link.on('data', (chunk: string) => {
      const lines = (text + chunk).split('\n');
      text = lines.pop() ?? '';
      if (text.length > MAX_LINE_BYTES) return void link.destroy();
      for (const line of lines) this.#take(link, line);
    });
    const { vmId } = this.#options;
    const hello = {
      type: 'hello',
      version: LINK_VERSION,
      vmId,
      bootNonce: this.#bootNonce,
      buildId: FAKE_BUILD_ID,
    } as const;
    write(link, { ...hello, abilities: ['pipes', 'pty', 'vm_browser'] });
  }

  /** A click, a key or an answer; only the first one after the claim counts. */
  signIn(): void {
    if (this.#plan === null || this.#signedIn) return;
    this.#signedIn = true;
    if (!this.#options.reach('signed_in')) return;
    this.#options.onSignedIn();
    this.#timer = setTimeout(() => this.#finish(), this.#options.script.afterMs).unref();
  }

  /** The VM ended, orderly: what was written before is still read by the other side. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const link of this.#links) link.end();
  }

  /** From now on it says and does nothing; its links stay as they are. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** The links break; the agent lives on. */
  drop(): void {
    for (const link of this.#links) link.destroy();
  }

  #take(link: Duplex, line: string): void {
    if (this.#isFrozen) return;
    const message = toMessage(line);
    if (message === null) return void link.destroy();
    if (message.type === 'claim') this.#claim(link, message);
    else if (link === this.#present) this.#act(message);
  }

  #claim(link: Duplex, claim: Claim): void {
    if (claim.epoch <= this.#epoch) return void link.end();
    this.#epoch = claim.epoch;
    for (const older of this.#links) if (older !== link) older.end();
    this.#present = link;
    for (const message of this.#told.values()) write(link, message);
    if (this.#plan !== null) return;
    this.#plan = claim.plan;
    if (!this.#options.reach('claimed')) return;
    const afterMs = performance.now() - this.#bootedAt;
    for (const name of CAPABILITIES) this.#tell({ type: 'capability', name, ready: true, afterMs });
    this.#tell({ type: 'url_opened', from: 'browser_shim', origin: 'https://sign-in.example.test/authorize' });
    if (this.#options.reach('url_opened') && this.#options.script.signIn === 'auto') this.signIn();
  }

  #act(message: Exclude<ControllerMessage, Claim>): void {
    switch (message.type) {
      case 'handover_answer':
        this.#options.reach('answered');
        return;
      case 'settle':
        this.#say({ type: 'settled', settleId: message.settleId, holding: this.#told.has('handover') });
        return;
      case 'answer':
        if (!this.#answered.has(message.answerId) && this.#options.script.signIn !== 'never') this.signIn();
        this.#answered.add(message.answerId);
        this.#say({ type: 'answer_delivered', answerId: message.answerId });
        return;
      case 'change_way':
        return;
      case 'release':
        this.#options.onRelease();
        return;
      case 'shutdown':
        this.#options.onShutdown();
        return;
    }
  }

  #finish(): void {
    const { vmId, script, reach } = this.#options;
    if (this.#plan === null) return;
    const written = toFakeCredential(this.#plan.credential, script);
    appendToJournal(vmId, script, script.credential === 'none' ? [] : written.files);
    this.#tell({ type: 'cli_exited', exitCode: script.cliExitCode, signal: null });
    if (!reach('cli_exited')) return;
    if (script.unchecked && script.credential !== 'none') this.#handOver(written);
    else if (script.cliExitCode !== 0) this.#fail('cli_exited', String(script.cliExitCode));
    else if (script.credential === 'complete') this.#handOver(written);
    else this.#reject(this.#plan, script.credential);
    reach('handed_over');
  }

  #handOver({ files, account, expiresAt }: FakeCredential): void {
    const contentHash = createHash('sha256').update(toHandoverBytes(files)).digest('hex');
    const evidence: ['files_complete', 'cli_exit_zero'] = ['files_complete', 'cli_exit_zero'];
    this.#tell({ type: 'handover', handoverId: randomUUID(), contentHash, files, account, expiresAt, evidence });
  }

  #reject({ credential }: LoginPlan, kind: Exclude<FakeScript['credential'], 'complete'>): void {
    const [file] = credential.files;
    if (kind === 'none' || file === undefined) return this.#fail('cli_exited', '0');
    const problem = {
      blank: 'blank_field',
      half_written: 'unreadable',
      not_json: 'unreadable',
      huge: 'too_large',
    } as const;
    const code = {
      blank_field: 'credential_blank',
      unreadable: 'credential_unreadable',
      too_large: 'credential_too_large',
    } as const;
    const detail = kind === 'blank' ? `${file.path}: ${file.required[0] ?? 'empty'}` : file.path;
    this.#tell({ type: 'credential_incomplete', path: file.path, problem: problem[kind], detail });
    this.#fail(code[problem[kind]], detail);
  }

  #fail(code: FailureCode, detail: string): void {
    this.#tell({ type: 'sign_in_failed', code, detail });
  }

  #tell(message: Told): void {
    this.#told.set(message.type === 'capability' ? `capability ${message.name}` : message.type, message);
    this.#say(message);
  }

  #say(message: AgentMessage): void {
    if (this.#present !== null && !this.#isFrozen) write(this.#present, message);
  }
}

function toMessage(line: string): ControllerMessage | null {
  try {
    return controllerMessageSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

function write(link: Duplex, message: AgentMessage): void {
  if (link.writable) link.write(`${JSON.stringify(message)}\n`);
}
