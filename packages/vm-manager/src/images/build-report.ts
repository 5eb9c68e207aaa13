/** Says what a build tells: to a terminal in one line that changes, to a log in lines of its own, to a program as JSON. */
import { STAGE_WORDS, type BuildEvent, type Stage } from './build-event.ts';

export type BuildReport = {
  tell(event: BuildEvent): void;
  /** For a person, and what a program is told in its place. */
  say(words: string, fact: { type: string } & Readonly<Record<string, unknown>>): void;
  /** Also a problem. */
  warn(words: string): void;
};

export type ReportOutput = { write(text: string): unknown; isTTY?: boolean; columns?: number };

/** In a log a stage says no more often than this how far it is. */
const PERCENT_STEP = 20;

export function createBuildReport(isJson: boolean, out: ReportOutput, err: ReportOutput): BuildReport {
  const running = new Map<Stage, string>();
  const isLive = out.isTTY === true && !isJson;

  const clear = (): void => void (isLive && out.write('\r\u001b[K'));
  const draw = (): void => {
    if (!isLive || running.size === 0) return;
    const line = [...running].map(([stage, progress]) => `${STAGE_WORDS[stage]}${progress}`).join(' · ');
    out.write(`\r\u001b[K${line.slice(0, (out.columns ?? 80) - 1)}`);
  };
  const print = (to: ReportOutput, line: string): void => {
    clear();
    to.write(`${line}\n`);
    draw();
  };

  function describe(event: BuildEvent): void {
    switch (event.type) {
      case 'stage_started':
        running.set(event.stage, '');
        return draw();
      case 'stage_progressed':
        return progress(event);
      case 'stage_finished': {
        running.delete(event.stage);
        const how = event.isCached ? 'unchanged' : `${event.seconds.toFixed(1)} s`;
        return print(out, `  ${STAGE_WORDS[event.stage]}: ${how}`);
      }
      case 'warning':
        return print(err, event.words);
    }
  }

  function progress({ stage, percent, words }: BuildEvent & { type: 'stage_progressed' }): void {
    const before = running.get(stage) ?? '';
    const now = ` ${percent === null ? '' : `${percent} % `}(${words})`;
    const toStep = (text: string): number => Math.floor(Number(/ (\d+) %/.exec(text)?.[1] ?? 0) / PERCENT_STEP);
    running.set(stage, now);
    if (isLive) draw();
    else if (percent !== null && toStep(now) > toStep(before)) print(out, `  ${STAGE_WORDS[stage]}: ${percent} %`);
  }

  return {
    tell: (event) => (isJson ? void out.write(`${JSON.stringify(event)}\n`) : describe(event)),
    say: (words, fact) => (isJson ? void out.write(`${JSON.stringify(fact)}\n`) : print(out, words)),
    warn: (words) => (isJson ? void out.write(`${JSON.stringify({ type: 'error', words })}\n`) : print(err, words)),
  };
}
