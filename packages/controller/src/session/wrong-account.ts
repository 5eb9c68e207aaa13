/** Whether a login is of whom the session must be of. What a login does not say of itself counts as wrong: nothing is stored then. Pure. */
import type { Restriction } from '@vestibule/protocol/api';
import type { Handover } from '@vestibule/protocol/agent-messages';

type Identity = Pick<Handover, 'account' | 'organization'>;

const MAX_SHOWN_CHARS = 80;

const fold = (text: string): string => text.trim().toLowerCase();

function toDomain(account: string): string | null {
  const at = account.lastIndexOf('@');
  return at === -1 ? null : fold(account.slice(at + 1));
}

function toUsed(used: string | null): string {
  return used === null ? 'the login does not say whose it is' : `the login is of ${used.slice(0, MAX_SHOWN_CHARS)}`;
}

/** In words, which account was used and which was wanted; null when it is the right one. */
export function findWrongAccount(restriction: Restriction, { account, organization }: Identity): string | null {
  const { expectedAccount, allowedDomains, organization: wanted } = restriction;
  if (expectedAccount !== undefined && (account === null || fold(account) !== fold(expectedAccount)))
    return `${toUsed(account)}, wanted is ${expectedAccount}`;
  const domain = account === null ? null : toDomain(account);
  if (allowedDomains !== undefined && (domain === null || !allowedDomains.some((allowed) => fold(allowed) === domain)))
    return `${toUsed(account)}, wanted is an account of ${allowedDomains.join(' or ')}`;
  if (wanted !== undefined && organization !== wanted)
    return `${toUsed(organization ?? null)}, wanted is the organization ${wanted}`;
  return null;
}
