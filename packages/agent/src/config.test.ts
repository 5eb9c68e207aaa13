import { expect, test } from 'vitest';
import { loadConfig } from './config.ts';

const GIVEN = {
  VESTIBULE_VM_ID: 'vm_1',
  VESTIBULE_AGENT_SOCKET: '/run/agent.sock',
  VESTIBULE_RFB_SOCKET: '/run/rfb.sock',
  HOME: '/home/person',
};

test('names everything that is missing or wrong in one message', () => {
  expect(() => loadConfig({ VESTIBULE_AGENT_SOCKET: 'run/agent.sock', HOME: '/home/person' })).toThrow(
    'VESTIBULE_VM_ID is not set; VESTIBULE_AGENT_SOCKET is not an absolute path; VESTIBULE_RFB_SOCKET is not set',
  );
});

test('takes the pace of its machine, never a faster one than usual, and refuses what is no number', () => {
  const paceOf = (text: string): number => loadConfig({ ...GIVEN, VESTIBULE_PACE: text }).pace;
  expect([paceOf(''), paceOf('0.2'), paceOf('24.5')]).toEqual([1, 1, 24.5]);
  expect(() => paceOf('slow')).toThrow('VESTIBULE_PACE is not a number');
});

test('lets a CLI inherit nothing that tells it that nobody is there, and none of the agent’s own settings', () => {
  const { inherited } = loadConfig({
    ...GIVEN,
    CI: '1',
    DEBIAN_FRONTEND: 'noninteractive',
    DISPLAY: ':7',
    SSL_CERT_FILE: '/ca',
    NODE_EXTRA_CA_CERTS: '/ca',
    CODEX_CA_CERTIFICATE: '/ca',
  });
  expect(Object.keys(inherited).toSorted()).toEqual([
    ...['CODEX_CA_CERTIFICATE', 'HOME', 'LANG', 'NODE_EXTRA_CA_CERTS', 'PATH', 'SSL_CERT_FILE'],
  ]);
});
