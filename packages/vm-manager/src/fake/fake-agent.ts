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
import type { Offer } from '@vestibule/protocol/offer';
import { CAPABILITIES, type Evidence, type Mode } from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import { findRefusal, type FakeAnswer } from './fake-answers.ts';
import { toFakeCredential, type FakeCredential } from './fake-credential.ts';
import { appendToJournal } from './fake-journal.ts';
import { toFakeOffer } from './fake-offer.ts';
import type { FakeMoment, FakeScript } from './fake-script.ts';

export const FAKE_BUILD_ID = 'fake';

/** Said again at every new link; `output` counts by its number, a capability by its name, every other type once. */
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
  /** By answer: the words with which it was refused, or null. */
  readonly #answered = new Map<string, string | null>();
  #present: Duplex | null = null;
  #epoch = 0;
  #plan: LoginPlan | null = null;
  #mode: Mode = 'vm_browser';
  #way = 0;
  #offer: Offer | null = null;
  #mayUse = false;
  #tokenKind: string | null = null;
  #isAsking = false;
  #printed = 0;
  #signedIn = false;
  #isFrozen = false;
  #timer: NodeJS.Timeout | null = null;
  #approval: NodeJS.Timeout | null = null;

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
    for (const timer of [this.#timer, this.#approval]) if (timer !== null) clearTimeout(timer);
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
    if (this.#plan !== null) return this.#changeWay(claim);
    this.#plan = claim.plan;
    this.#mode = claim.mode;
    this.#way = claim.way;
    this.#mayUse = claim.mayUse;
    if (!this.#options.reach('claimed')) return;
    const afterMs = performance.now() - this.#bootedAt;
    for (const name of CAPABILITIES) this.#tell({ type: 'capability', name, ready: true, afterMs });
    this.#start();
  }

  /** The CLI starts: it asks what it has to ask, else offers the sign-in. */
  #start(): void {
    const { prompt } = this.#options.script;
    this.#offer = null;
    this.#told.delete('offer');
    this.#print(`fake-cli ${this.#plan?.pinnedVersion ?? ''}`.trimEnd() + '\r\n');
    if (prompt === null) return this.#openSignIn();
    this.#isAsking = true;
    this.#print(prompt);
    this.#tell({ type: 'prompt_shown', text: prompt.trim() });
  }

  #openSignIn(): void {
    const { script, reach } = this.#options;
    if (this.#plan === null) return;
    const offer = toFakeOffer(this.#mode, this.#plan, script);
    this.#offer = offer;
    this.#print(toInstructions(offer));
    this.#tell({ type: 'offer', offer });
    const origin = offer.url === null ? '' : offer.url.replace(/\?.*$/, '');
    this.#tell({ type: 'url_opened', from: 'browser_shim', origin });
    if (!reach('url_opened')) return;
    if (script.failure?.modes.includes(this.#mode)) return this.#fail(script.failure.code, script.failure.detail);
    if (script.signIn === 'auto') return this.signIn();
    if (script.signIn === 'never' || this.#mode !== 'device_code' || script.deviceApprovedAfterMs === null) return;
    this.#approval = setTimeout(() => this.signIn(), script.deviceApprovedAfterMs).unref();
  }

  #changeWay({ way, mode, plan }: Pick<Claim, 'way' | 'mode' | 'plan'>): void {
    if (way <= this.#way || this.#signedIn) return;
    const isSameLogin = isInBrowser(mode) && isInBrowser(this.#mode);
    this.#way = way;
    this.#mode = mode;
    this.#plan = plan;
    if (this.#approval !== null) clearTimeout(this.#approval);
    if (this.#told.has('sign_in_failed') || (isSameLogin && this.#isAsking)) return;
    if (isSameLogin && this.#offer !== null) this.#tell({ type: 'offer', offer: { ...this.#offer, mode } });
    else this.#start();
  }

  #answer(answer: FakeAnswer): void {
    const { answerId } = answer;
    const known = this.#answered.has(answerId);
    if (!known) this.#answered.set(answerId, this.#takeAnswer(answer));
    const words = this.#answered.get(answerId) ?? null;
    if (words === null) this.#say({ type: 'answer_delivered', answerId });
    else this.#say({ type: 'answer_refused', answerId, words });
  }

  /** Words when it is refused. */
  #takeAnswer(answer: FakeAnswer): string | null {
    if (this.#plan === null) return 'The program does not run yet.';
    const refusal = findRefusal(answer, this.#offer, this.#plan);
    if (refusal !== null) return refusal;
    if (answer.kind === 'keys') this.#print(answer.text.replaceAll(/\r\n?|\n/g, '\r\n'));
    const isEntered = answer.kind === 'line' || (answer.kind === 'keys' && /[\r\n]/.test(answer.text));
    if (this.#isAsking) {
      if (isEntered) this.#goOn();
    } else if (answer.kind !== 'keys') {
      if (this.#signedIn && answer.kind !== 'line') return 'An answer was given already. It can be given only once.';
      this.#tokenKind = answer.tokenKind ?? null;
      if (this.#options.script.signIn !== 'never') this.signIn();
    }
    return null;
  }

  #goOn(): void {
    this.#isAsking = false;
    this.#told.delete('prompt_shown');
    this.#openSignIn();
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
        this.#answer(message);
        return;
      case 'change_way':
        this.#changeWay(message);
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
    const written = toFakeCredential(this.#toCredentialPlan(this.#plan), script);
    appendToJournal(vmId, script, script.credential === 'none' ? [] : written.files);
    this.#tell({ type: 'cli_exited', exitCode: script.cliExitCode, signal: null });
    if (!reach('cli_exited')) return;
    if (script.unchecked && script.credential !== 'none') this.#handOver(written);
    else if (script.cliExitCode !== 0) this.#fail('cli_exited', String(script.cliExitCode));
    else if (script.credential === 'complete') this.#handOver(written);
    else this.#reject(this.#plan, script.credential);
    reach('handed_over');
  }

  #handOver({ files, account, expiresAt, accountPlan }: FakeCredential): void {
    const contentHash = createHash('sha256').update(toHandoverBytes(files)).digest('hex');
    const evidence: Evidence[] = ['files_complete', 'cli_exit_zero'];
    if (this.#mayUse && this.#plan?.success.use !== undefined) evidence.push('provider_accepted');
    const handoverId = randomUUID();
    this.#tell({ type: 'handover', handoverId, contentHash, files, account, expiresAt, accountPlan, evidence });
  }

  #toCredentialPlan({ credential, ways }: LoginPlan): LoginPlan['credential'] {
    const kind = this.#mode === 'token' ? ways.token?.kinds.find(({ id }) => id === this.#tokenKind) : undefined;
    return kind?.credential ?? credential;
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

  #print(text: string): void {
    if (text === '') return;
    this.#printed += 1;
    this.#tell({ type: 'output', n: this.#printed, text });
  }

  #tell(message: Told): void {
    const part = message.type === 'capability' ? message.name : message.type === 'output' ? message.n : '';
    this.#told.set(`${message.type} ${part}`.trimEnd(), message);
    this.#say(message);
  }

  #say(message: AgentMessage): void {
    if (this.#present !== null && !this.#isFrozen) write(this.#present, message);
  }
}

const isInBrowser = (mode: Mode): boolean => mode === 'vm_browser' || mode === 'own_browser';

/** What the CLI prints with an offer; the link's state stays out of it, as an agent would see to. */
function toInstructions({ mode, deviceCode, url }: Offer): string {
  if (mode === 'token') return 'Paste your token: \r\n';
  if (mode === 'device_code')
    return `Open \u001B[36m${url}\u001B[0m and enter the code \u001B[1m${deviceCode}\u001B[0m\r\n`;
  return 'Opening the sign-in page in a browser\u2026\r\nWaiting for you to sign in.\r\n';
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
