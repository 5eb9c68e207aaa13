/** Progress of a long step: one line that is rewritten on a terminal, a line per quarter anywhere else. */

/**
 * @typedef {{ update(label: string, percent: number): void, end(): void }} Progress
 * @param {{ isTTY?: boolean | undefined, write(text: string): unknown }} out
 * @returns {Progress}
 */
export function createProgress(out) {
  let last = '';
  let drawn = false;
  return {
    update(label, percent) {
      const shown = out.isTTY === true ? Math.floor(percent) : Math.floor(percent / 25) * 25;
      const line = `  ${label} ${Math.min(100, shown)} %`;
      if (line === last) return;
      last = line;
      drawn = true;
      out.write(out.isTTY === true ? `\r\u001b[K${line}` : `${line}\n`);
    },
    end() {
      if (drawn && out.isTTY === true) out.write('\r\u001b[K');
      last = '';
      drawn = false;
    },
  };
}
