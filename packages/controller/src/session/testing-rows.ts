/** Test support: a session that waits for its person on a claimed VM, as rows; tests change what they are about. */
import type { SessionRow, VmRow } from './session-row.ts';

export const NOW = new Date('2026-01-01T12:00:00Z');
export const LIMITS = { holdMs: 120_000, bootMs: 60_000 };
export const at = (offsetMs: number): Date => new Date(NOW.getTime() + offsetMs);

export const VM: VmRow = {
  vmId: 'vm_a_1',
  hostId: 'host_a',
  runtime: 'fake',
  slot: 0,
  state: 'claimed',
  epoch: 1,
  createdAt: at(-5_000),
  destroyAt: null,
  exitCode: null,
  exitReason: null,
  exitedAt: null,
};

export const ROW: SessionRow = {
  sessionId: '00000000-0000-4000-8000-000000000001',
  userId: 'ada',
  provider: 'demo',
  status: 'awaiting_user_auth',
  mode: 'vm_browser',
  way: 1,
  restriction: {},
  mayUse: false,
  prompt: null,
  offered: false,
  stage: 'awaiting_person',
  createdAt: at(-6_000),
  updatedAt: at(-1_000),
  expiresAt: at(600_000),
  settlingSince: null,
  waitingFor: null,
  capabilities: [],
  completedAt: null,
  endedAt: null,
  errorCode: null,
  errorMessage: null,
  errorStage: null,
  lateRefusedAt: null,
  seq: 4,
  account: null,
  accountPlan: null,
  evidence: null,
  credentialVersion: null,
  vm: VM,
  hostSilentMs: 0,
  now: NOW,
};
