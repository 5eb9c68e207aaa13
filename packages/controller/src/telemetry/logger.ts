/**
 * Logs: one JSON object a line on stderr, or one readable line on a terminal. Secrets are kept out three times: by `Secret<T>`,
 * by the names of fields here, and by the scrubber on the finished line.
 */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { LogLevel } from '../settings.ts';
import { createScrubber } from './scrubber.ts';
import type { Scrubber } from './scrubber.ts';

export type { Logger };

const SECRET_FIELDS = ['authorization', 'cookie', 'token', 'ticket', 'password', 'secret', 'contentBase64', 'text'];

export type LoggerOptions = {
  level: LogLevel;
  /** Where lines go; stderr unless told. */
  destination?: DestinationStream;
  /** Readable lines instead of JSON; by default when stderr is a terminal. */
  readable?: boolean;
  scrubber?: Scrubber;
};

/** The scrubber's `hide` takes secrets as they become known (the operator's token, the master key). */
export function createLogger(options: LoggerOptions): { logger: Logger; hide: Scrubber['hide'] } {
  const scrubber = options.scrubber ?? createScrubber();
  const readable = options.readable ?? process.stderr.isTTY;
  const destination = options.destination ?? process.stderr;
  const write = (line: string): void => {
    const clean = scrubber.scrub(line);
    destination.write(readable ? toReadableLine(clean) : clean);
  };
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' },
    },
    { write },
  );
  return { logger, hide: (secret) => scrubber.hide(secret) };
}

/** `12:00:00 warn  words key=value …`; a line that is no JSON object passes as it is. */
export function toReadableLine(line: string): string {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof entry !== 'object' || entry === null) return line;
  const { level, time, msg, err, ...fields } = entry as Record<string, unknown>;
  const words = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${String(err.stack)}` : '';
  const clock = String(time).slice(11, 19);
  return `${clock} ${String(level).padEnd(5)} ${[...(typeof msg === 'string' ? [msg] : []), ...words].join(' ')}${stack}\n`;
}
