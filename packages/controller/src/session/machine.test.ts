import { ACTIVE_STATUSES, SESSION_EVENTS, STATUSES, TERMINAL_STATUSES } from '@vestibule/protocol/session';
import { describe, expect, it } from 'vitest';
import { MACHINE, next, sources, targetOf } from './machine.ts';

describe('the session machine', () => {
  it('has a cell for every status and event', () => {
    for (const status of STATUSES)
      expect(Object.keys(MACHINE[status]).toSorted()).toEqual([...SESSION_EVENTS].toSorted());
  });

  it.each(TERMINAL_STATUSES)('never leaves %s', (status) => {
    for (const event of SESSION_EVENTS) expect(next(status, event)).toBeNull();
  });

  it.each(ACTIVE_STATUSES)('lets %s end in each of the four ways', (status) => {
    const ends = new Set(SESSION_EVENTS.map((event) => next(status, event)));
    for (const terminal of TERMINAL_STATUSES) expect(ends).toContain(terminal);
  });

  it('moves forward one status at a time', () => {
    expect(sources('vm_claimed', 'vm_created')).toEqual(['started']);
    expect(sources('url_opened', 'awaiting_user_auth')).toEqual(['vm_created']);
  });

  it('completes on nothing but a stored credential', () => {
    expect(SESSION_EVENTS.filter((event) => targetOf(event) === 'completed')).toEqual(['credential_stored']);
  });
});
