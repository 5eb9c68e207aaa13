/** One call of a store as data, and how it is done on PostgreSQL and on the model. Sessions, VMs and hand-overs are named by number. */
import type { CredentialFiles, Handover } from '@vestibule/protocol/agent-messages';
import type { Mode, SessionEvent } from '@vestibule/protocol/session';
import type { ModelStores } from '../model/model-stores.ts';
import type { Random } from '../random.ts';

export type StoreOperation =
  | { kind: 'create'; user: number }
  | { kind: 'supersede'; session: number; user: number }
  | {
      kind: 'end';
      session: number;
      event: Extract<SessionEvent, 'vm_ended' | 'deadline_passed' | 'cancel_requested' | 'sign_in_failed'>;
    }
  | { kind: 'claim'; session: number; vm: number }
  | { kind: 'openUrl' | 'beginSettling' | 'recordLateRefusal'; session: number }
  | { kind: 'changeMode'; session: number; mode: Mode }
  | { kind: 'showPrompt'; session: number; words: number }
  | { kind: 'append'; session: number; activeOnly: boolean }
  | { kind: 'appendOnce'; session: number; words: number }
  | { kind: 'addCapability'; session: number; capability: 'display' | 'cli' }
  | { kind: 'setWaiting'; session: number; words: number; host: number }
  | { kind: 'place'; session: number; vm: number; host: number }
  | { kind: 'greet'; vm: number; nonce: number }
  | { kind: 'markClaimed' | 'markDraining' | 'markGone'; vm: number }
  | { kind: 'recordExit'; vm: number; code: number }
  | { kind: 'complete' | 'readHandover'; session: number; vm: number; content: number; isRetired: boolean };

/** The names behind the numbers: other ones for each sequence, so that thousands can share a database. */
export type Names = {
  /** The id of the n-th session; one that is unknown yet has none. */
  session(number: number): string;
  user(number: number): string;
  vm(number: number): string;
  host(number: number): string;
  credential(): string;
  handover(number: number): string;
};

export const PROVIDER = 'demo';
export const KEYS = { active: 'key_active', retired: 'key_retired' };
const FILES: CredentialFiles = [{ path: '.cli', contentBase64: 'e30=' }];
const MAX_VMS = 2;

export function drawOperation(random: Random): StoreOperation {
  const session = random.between(0, 2);
  const vm = random.between(0, 2);
  const host = random.between(0, 1);
  const user = random.pick([0, 0, 1]);
  const kind = random.pick<StoreOperation['kind']>([
    ...([
      'create',
      'create',
      'create',
      'supersede',
      'end',
      'end',
      'end',
      'claim',
      'claim',
      'openUrl',
      'openUrl',
    ] as const),
    ...([
      'beginSettling',
      'recordLateRefusal',
      'append',
      'appendOnce',
      'addCapability',
      'setWaiting',
      'place',
      'place',
    ] as const),
    ...([
      'place',
      'greet',
      'greet',
      'markClaimed',
      'markDraining',
      'markGone',
      'recordExit',
      'complete',
      'complete',
    ] as const),
    ...(['complete', 'readHandover', 'changeMode', 'changeMode', 'showPrompt'] as const),
  ]);
  switch (kind) {
    case 'create':
      return { kind, user };
    case 'supersede':
      return { kind, session, user };
    case 'end':
      return {
        kind,
        session,
        event: random.pick(['vm_ended', 'deadline_passed', 'cancel_requested', 'sign_in_failed']),
      };
    case 'claim':
      // Mostly its own.
      return { kind, session, vm: random.chance(0.8) ? session : vm };
    case 'openUrl':
    case 'beginSettling':
    case 'recordLateRefusal':
      return { kind, session };
    case 'changeMode':
      return { kind, session, mode: random.pick(['vm_browser', 'own_browser', 'token']) };
    case 'showPrompt':
      return { kind, session, words: random.between(0, 1) };
    case 'append':
      return { kind, session, activeOnly: random.chance(0.5) };
    case 'appendOnce':
      return { kind, session, words: random.between(0, 1) };
    case 'addCapability':
      return { kind, session, capability: random.pick(['display', 'cli']) };
    case 'setWaiting':
      return { kind, session, words: random.between(0, 1), host };
    case 'place':
      return { kind, session, vm: random.chance(0.8) ? session : vm, host };
    case 'greet':
      return { kind, vm, nonce: random.pick([0, 0, 0, 1]) };
    case 'markClaimed':
    case 'markDraining':
    case 'markGone':
      return { kind, vm };
    case 'recordExit':
      return { kind, vm, code: random.between(0, 2) };
    case 'complete':
    case 'readHandover':
      return {
        kind,
        session,
        vm: random.chance(0.8) ? session : vm,
        content: random.between(0, 1),
        isRetired: random.chance(0.15),
      };
  }
}

function toHandover(names: Names, content: number): Handover {
  const base = {
    type: 'handover',
    handoverId: names.handover(content),
    contentHash: String(content).repeat(64),
    files: FILES,
  } as const;
  return { ...base, account: 'ada@example.test', expiresAt: null, evidence: ['files_complete'] };
}

/** Does it; what comes back can be compared: ids are left out, as PostgreSQL makes its own. */
export async function perform(operation: StoreOperation, stores: ModelStores, names: Names): Promise<unknown> {
  const { store, vms, completions } = stores;
  const session = 'session' in operation ? names.session(operation.session) : '';
  const vmId = 'vm' in operation ? names.vm(operation.vm) : '';
  const beginning = (user: number) =>
    ({ userId: names.user(user), provider: PROVIDER, mode: 'vm_browser', expiresInMs: 600_000 }) as const;
  switch (operation.kind) {
    case 'create':
      return store.create(beginning(operation.user));
    case 'supersede': {
      const ending = { event: 'cancel_requested', code: 'superseded', message: 'newer', actor: 'person' } as const;
      return store.supersede(session, ending, beginning(operation.user)).catch(toCode);
    }
    case 'end':
      return store.end(session, { event: operation.event, code: 'vm_ended', message: 'ended', actor: 'controller' });
    case 'claim':
      return store.claim(session, vmId, { epoch: 1 });
    case 'openUrl':
      return store.openUrl(session, { from: 'output' });
    case 'beginSettling':
      return store.beginSettling(session, { cause: 'vm_ended', code: 'vm_ended' });
    case 'recordLateRefusal':
      return store.recordLateRefusal(session, names.handover(0), 'session_ended');
    case 'changeMode':
      return store.changeMode(session, operation.mode);
    case 'showPrompt':
      return store.showPrompt(session, `question ${operation.words}`);
    case 'append':
      return store.append(session, { type: 'live_view_opened', actor: 'person' }, operation.activeOnly);
    case 'appendOnce':
      return store.appendOnce(session, { type: 'cli_exited', actor: 'agent', data: { exitCode: operation.words } });
    case 'addCapability':
      return store.addCapability(session, operation.capability, 5);
    case 'setWaiting':
      return store.setWaiting(session, `reason ${operation.words}`, 'installing', names.host(operation.host));
    case 'place': {
      const placement = {
        vmId,
        hostId: names.host(operation.host),
        runtime: 'fake',
        maxVms: MAX_VMS,
        sessionMs: 600_000,
      } as const;
      return vms.place(session, placement).catch(toCode);
    }
    case 'greet': {
      const greeted = await vms.greet(vmId, `nonce-${operation.nonce}`, 'build');
      return (
        greeted && {
          epoch: greeted.epoch,
          hasSession: greeted.sessionId !== null,
          claimedBefore: greeted.claimedBefore,
        }
      );
    }
    case 'markClaimed':
    case 'markDraining':
      return (await vms[operation.kind](vmId)) ?? null;
    case 'markGone':
      return vms.markGone(vmId);
    case 'recordExit': {
      const exit = {
        exitCode: operation.code,
        signal: null,
        reason: `exited with code ${operation.code}`,
        at: '2026-01-01T00:00:00.000Z',
      };
      return vms.recordExit(vmId, exit);
    }
    case 'complete': {
      const keyId = operation.isRetired ? KEYS.retired : KEYS.active;
      const sealed = { credentialId: names.credential(), encryptedData: Buffer.from('sealed'), keyId };
      return completions.complete(session, vmId, toHandover(names, operation.content), sealed).catch(toCode);
    }
    case 'readHandover':
      return completions.readHandover(session, vmId, toHandover(names, operation.content));
    default:
      return operation satisfies never;
  }
}

/** A refusal by the database itself, by its SQLSTATE. */
function toCode(error: unknown): { refused: string } {
  const { code } = error as { code?: string };
  if (code === undefined || !code.startsWith('23')) throw error;
  return { refused: code };
}
