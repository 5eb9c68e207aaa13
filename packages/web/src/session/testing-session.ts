/** A session and its steps for the unit tests beside this file. */
import type { Session } from '@vestibule/protocol/api';
import type { SessionStep } from '@vestibule/protocol/session';

const AT = '2026-11-23T12:00:00.000Z';

export function toTestSession(changes: Partial<Session> = {}): Session {
  return {
    sessionId: '7d0f6f3e-4b0a-4c8a-9a53-5b4a2c1d0e9f',
    userId: 'me',
    provider: 'demo',
    status: 'started',
    mode: 'vm_browser',
    stage: 'starting_vm',
    createdAt: AT,
    updatedAt: AT,
    expiresAt: '2026-11-23T12:10:00.000Z',
    remainingMs: 600_000,
    completedAt: null,
    endedAt: null,
    errorCode: null,
    errorMessage: null,
    errorStage: null,
    account: null,
    accountPlan: null,
    grade: null,
    restriction: {},
    mayUse: false,
    way: 1,
    offered: false,
    prompt: null,
    credentialVersion: null,
    capabilities: [],
    liveView: 'preparing',
    waitingFor: null,
    vm: null,
    lateRefused: false,
    seq: 1,
    ...changes,
  };
}

export function toTestStep(seq: number, type: SessionStep['type'], data: SessionStep['data'] = {}): SessionStep {
  return { seq, at: AT, type, actor: 'controller', data };
}
