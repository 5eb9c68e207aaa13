import { describe, expect, it } from 'vitest';
import { Secret } from '@vestibule/protocol/secret';
import { createLogger, toReadableLine } from './logger.ts';

const CANARY = 'canary-8f2d61c0b7e94a35';

function createSink(readable = false) {
  const lines: string[] = [];
  const { logger, hide } = createLogger({
    level: 'debug',
    readable,
    destination: { write: (line: string) => void lines.push(line) },
  });
  return { logger, hide, lines, text: () => lines.join('') };
}

describe('secrets stay out of log lines', () => {
  it.each([
    ['a Secret', { credential: new Secret(CANARY) }],
    ['a field by its name', { token: CANARY, request: { headers: { authorization: CANARY, cookie: CANARY } } }],
    ['an answer of a person', { answer: { text: CANARY } }],
    ['a bearer token inside words', { note: `sent Authorization: Bearer ${CANARY} to it` }],
    ['a cookie header as text', { note: `Cookie: vestibule_operator=${CANARY}; a=${CANARY}` }],
    ['a ticket in a URL', { url: `/v1/live-view?ticket=${CANARY}&x=1` }],
    ['a token in a URL fragment', { url: `http://127.0.0.1:7080/#token=${CANARY}` }],
    ['a password in a URL', { url: `postgresql://vestibule:${CANARY}@db/x` }],
    ['an API key', { note: `sk-${CANARY}` }],
    ['an error that quotes one', { err: new Error(`connect failed: postgresql://u:${CANARY}@db`) }],
  ])('blanks %s', (_what, fields) => {
    const { logger, text } = createSink();
    logger.info(fields, 'something happened');
    expect(text()).toContain('something happened');
    expect(text()).toContain('[secret]');
    expect(text()).not.toContain(CANARY);
  });

  it('blanks a known secret wherever it stands, also when JSON had to escape it', () => {
    const { logger, hide, text } = createSink();
    const secret = `say "${CANARY}"`;
    hide(secret);
    logger.warn({ odd: `x${secret}y` }, secret);
    expect(text()).not.toContain(CANARY);
  });

  it('leaves ordinary facts alone', () => {
    const { logger, lines } = createSink();
    logger.info({ sessionId: 'b6a7', route: '/v1/auth-sessions/:sessionId', exitCode: 1 }, 'vm exited');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      sessionId: 'b6a7',
      route: '/v1/auth-sessions/:sessionId',
      exitCode: 1,
      msg: 'vm exited',
    });
  });
});

describe('lines for a terminal', () => {
  it('are short, and keep the stack of an error', () => {
    const { logger, text } = createSink(true);
    logger.error({ port: 7080, err: new Error('boom') }, 'failed');
    expect(text()).toMatch(/^\d\d:\d\d:\d\d error failed port=7080\nError: boom\n {4}at /);
  });

  it('pass what is not JSON as it is', () => {
    expect(toReadableLine('plain\n')).toBe('plain\n');
  });
});
