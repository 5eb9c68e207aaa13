import { Secret } from '@vestibule/protocol/secret';
import { describe, expect, it } from 'vitest';
import { toReadyText, toSshLine } from './ready-message.ts';

const READY = {
  origin: 'http://127.0.0.1:7080',
  port: 7080,
  token: new Secret('abc'),
  dataDir: '/data',
  ssh: null,
  notes: [],
};

describe('the message of a started controller', () => {
  it('prints one link with the token in its fragment', () => {
    expect(toReadyText(READY).match(/http:\/\/127\.0\.0\.1:7080\/#token=abc/g)).toHaveLength(1);
  });

  it('prints the exact ssh line on a login over SSH', () => {
    expect(toReadyText({ ...READY, ssh: { user: 'ada', serverAddress: '203.0.113.7', port: 22 } })).toContain(
      'ssh -L 7080:127.0.0.1:7080 ada@203.0.113.7\n',
    );
  });

  it('names a port of sshd that is not 22, and brackets an IPv6 address', () => {
    expect(toSshLine({ user: 'ada', serverAddress: '2001:db8::1', port: 2222 }, 7081)).toBe(
      'ssh -p 2222 -L 7081:127.0.0.1:7081 ada@[2001:db8::1]',
    );
  });
});
