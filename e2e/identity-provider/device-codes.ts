/** Codes for signing in on another device (RFC 8628): a program polls with the long one, the person types the short one. */
import { randomBytes } from 'node:crypto';
import type { Grants } from './grants.ts';

export type DeviceGrant = {
  deviceId: string;
  userCode: string;
  clientId: string;
  scope: string;
  state: 'pending' | 'denied' | { user: string };
};

const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

export class DeviceCodes {
  readonly #grants: Grants;
  readonly #byDevice = new Map<string, DeviceGrant>();

  constructor(grants: Grants) {
    this.#grants = grants;
  }

  /** @param lengths of the two parts of the short code: 4 and 5 for `BCDF-GHJKL` */
  create(clientId: string, scope: string, lengths: readonly [number, number]): DeviceGrant {
    const part = (length: number): string => [...randomBytes(length)].map((byte) => LETTERS[byte % 20]).join('');
    const grant: DeviceGrant = {
      deviceId: randomBytes(16).toString('hex'),
      userCode: lengths.map(part).join('-'),
      clientId,
      scope,
      state: 'pending',
    };
    this.#byDevice.set(grant.deviceId, grant);
    return grant;
  }

  /** Undefined when there is none, or it was taken. */
  find(deviceId: string): DeviceGrant | undefined {
    return this.#byDevice.get(deviceId);
  }

  take(deviceId: string): void {
    this.#byDevice.delete(deviceId);
  }

  /** The request whose forms follow the page that takes the code; null when nobody has that code. */
  begin(typed: string): { requestId: string } | null {
    const plain = typed.toUpperCase().replaceAll(/[^A-Z]/g, '');
    const grant = [...this.#byDevice.values()].find(({ userCode }) => userCode.replace('-', '') === plain);
    if (grant?.state !== 'pending') return null;
    return this.#grants.beginApproval({
      clientId: grant.clientId,
      scope: grant.scope,
      decided: (user) => (grant.state = user === null ? 'denied' : { user }),
      next: '/fake/done',
    });
  }
}
