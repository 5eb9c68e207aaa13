/** A code that is typed on another page, on any device: shown large enough to read off, with its time left. */
import type { Offer } from '@vestibule/protocol/offer';
import { toClock } from '../step-words.ts';
import type { RunningWay, WayContext } from './way.ts';

/** Reminded of when so much is left. */
const REMINDERS_MS = [5 * 60_000, 60_000];

export function startDeviceCode({ report }: WayContext, offer: Offer): RunningWay {
  const { deviceCode, url, validForMs } = offer;
  const time = validForMs === null ? '' : `\nThe code is valid for ${toClock(validForMs)} minutes.`;
  report.tell(
    { type: 'device_code', url, deviceCode, validForMs },
    `Open this page in a browser, on any device, and type the code:\n\n  ${url ?? ''}\n\n      ${deviceCode ?? ''}\n${time}`,
  );
  const timers = validForMs === null ? [] : remind(report.say, validForMs);
  return {
    takesPaste: false,
    holdsTerminal: () => false,
    stop: async () => timers.forEach((timer) => clearTimeout(timer)),
  };
}

function remind(say: (words: string) => void, validForMs: number): NodeJS.Timeout[] {
  const reminders = REMINDERS_MS.filter((leftMs) => leftMs < validForMs).map((leftMs) =>
    setTimeout(() => say(`The code is valid for ${toClock(leftMs)} minutes more.`), validForMs - leftMs),
  );
  return [...reminders, setTimeout(() => say('The time of the code is over.'), validForMs)].map((timer) =>
    timer.unref(),
  );
}
