import { describe, expect, it } from 'vitest';
import { Secret } from '@vestibule/protocol/secret';
import { COOKIE_SECONDS, OperatorAuth } from './operator-auth.ts';

const token = new Secret('t'.repeat(40));

describe('the cookie', () => {
  it('is accepted for 12 hours and not a second longer', () => {
    let now = Date.UTC(2026, 0, 1);
    const auth = new OperatorAuth(token, () => now);
    const cookie = auth.issueCookie();
    now += COOKIE_SECONDS * 1000 - 1;
    expect(auth.isCookie(cookie)).toBe(true);
    now += 1;
    expect(auth.isCookie(cookie)).toBe(false);
  });

  it('is accepted by another controller with the same token, and by none with another', () => {
    const cookie = new OperatorAuth(token).issueCookie();
    expect(new OperatorAuth(token).isCookie(cookie)).toBe(true);
    expect(new OperatorAuth(new Secret('u'.repeat(40))).isCookie(cookie)).toBe(false);
  });

  it.each(['', '.', 'x', '9999999999', '9999999999.', '9999999999.AAAA', '-1.x', '1e9.x'])(
    'refuses the forgery "%s"',
    (forged) => {
      expect(new OperatorAuth(token).isCookie(forged)).toBe(false);
    },
  );

  it('cannot be made to live longer', () => {
    const auth = new OperatorAuth(token);
    const [expiry = '', mac = ''] = auth.issueCookie().split('.');
    expect(auth.isCookie(`${Number(expiry) + 1}.${mac}`)).toBe(false);
    expect(auth.isCookie(`${expiry}.${mac}.x`)).toBe(false);
  });
});

describe('the token', () => {
  it('is compared as a whole', () => {
    const auth = new OperatorAuth(token);
    expect(auth.isToken('t'.repeat(40))).toBe(true);
    for (const wrong of ['', 't', 't'.repeat(39), 't'.repeat(41), 'T'.repeat(40)])
      expect(auth.isToken(wrong)).toBe(false);
  });
});
